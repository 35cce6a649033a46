/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/core/ledger.h"

static struct sq_ledger ledger_of(uint64_t records_max, uint64_t bytes_max)
{
    struct sq_ledger ledger;
    assert_int_equal(sq_ledger_init(&ledger, records_max, bytes_max, NULL), 0);
    return ledger;
}

static uint64_t take(struct sq_ledger *ledger, int64_t offset)
{
    uint64_t ticket = UINT64_MAX;
    assert_true(sq_ledger_take(ledger, offset, 100, ledger, &ticket));
    return ticket;
}

static void finish(struct sq_ledger *ledger, uint64_t ticket)
{
    sq_ledger_done(ledger, ticket);
    while (sq_ledger_pop(ledger)) {}
}

static void nothing_finished_is_nothing_to_commit(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(8, 1000);
    assert_int_equal(sq_ledger_next_offset(&ledger), -1);
    take(&ledger, 5);
    assert_int_equal(sq_ledger_next_offset(&ledger), -1);
    sq_ledger_deinit(&ledger);
}

static void only_the_contiguous_prefix_counts(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(8, 1000);
    uint64_t a = take(&ledger, 10), b = take(&ledger, 13), c = take(&ledger, 14); /* 11 and 12: a hole in the log */
    finish(&ledger, c);
    assert_int_equal(sq_ledger_next_offset(&ledger), -1);
    finish(&ledger, a);
    assert_int_equal(sq_ledger_next_offset(&ledger), 11);
    assert_int_equal(sq_ledger_span(&ledger), 2);
    finish(&ledger, b);
    assert_int_equal(sq_ledger_next_offset(&ledger), 15);
    assert_int_equal(sq_ledger_span(&ledger), 0);
    sq_ledger_deinit(&ledger);
}

static void the_span_is_capped_in_records_and_in_bytes(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(4, 1000);
    uint64_t first = take(&ledger, 0);
    for (int64_t offset = 1; offset < 4; offset++) finish(&ledger, take(&ledger, offset));
    assert_false(sq_ledger_has_room(&ledger)); /* three are finished, yet the first holds them */
    finish(&ledger, first);
    assert_true(sq_ledger_has_room(&ledger));
    sq_ledger_deinit(&ledger);

    ledger = ledger_of(64, 250);
    take(&ledger, 0);
    take(&ledger, 1);
    assert_true(sq_ledger_has_room(&ledger));
    take(&ledger, 2);
    assert_false(sq_ledger_has_room(&ledger));
    sq_ledger_deinit(&ledger);
}

static void an_offset_delivered_again_is_refused(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(8, 1000);
    uint64_t ticket, taken = take(&ledger, 7);
    assert_false(sq_ledger_take(&ledger, 7, 1, &ledger, &ticket));
    assert_false(sq_ledger_take(&ledger, 3, 1, &ledger, &ticket));
    finish(&ledger, taken);
    assert_false(sq_ledger_take(&ledger, 7, 1, &ledger, &ticket));
    assert_true(sq_ledger_take(&ledger, 8, 1, &ledger, &ticket));
    sq_ledger_deinit(&ledger);
}

static void records_leave_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(8, 1000);
    int cookies[3];
    uint64_t tickets[3];
    for (int i = 0; i < 3; i++) assert_true(sq_ledger_take(&ledger, 10 + i, 1, &cookies[i], &tickets[i]));
    sq_ledger_done(&ledger, tickets[1]);
    assert_null(sq_ledger_pop(&ledger));
    sq_ledger_done(&ledger, tickets[0]);
    assert_ptr_equal(sq_ledger_pop(&ledger), &cookies[0]);
    assert_int_equal(sq_ledger_next_offset(&ledger), 11);
    assert_ptr_equal(sq_ledger_pop(&ledger), &cookies[1]);
    assert_null(sq_ledger_pop(&ledger));
    assert_int_equal(sq_ledger_next_offset(&ledger), 12);
    sq_ledger_deinit(&ledger);
}

static void note_dropped(void *cookie, void *ctx)
{
    assert_true(cookie == ctx);
    *(int *)ctx += 1;
}

static void what_is_cut_off_is_forgotten_and_what_was_finished_comes_back(void **state)
{
    (void)state;
    struct sq_ledger ledger = ledger_of(8, 1000);
    int dropped = 0, kept = 0;
    uint64_t first, second, third;
    assert_true(sq_ledger_take(&ledger, 1, 7, &kept, &first));
    assert_true(sq_ledger_take(&ledger, 2, 7, &dropped, &second));
    assert_true(sq_ledger_take(&ledger, 3, 7, &dropped, &third));
    sq_ledger_done(&ledger, third);
    sq_ledger_cut(&ledger, second, note_dropped, &dropped);
    assert_int_equal(dropped, 1); /* the third; the second is somebody's work still */
    assert_true(sq_ledger_holds(&ledger, first));
    assert_false(sq_ledger_holds(&ledger, second));
    sq_ledger_done(&ledger, first);
    assert_ptr_equal(sq_ledger_pop(&ledger), &kept);
    assert_null(sq_ledger_pop(&ledger));
    assert_int_equal(sq_ledger_next_offset(&ledger), 2);
    assert_int_equal(ledger.bytes, 0);
    sq_ledger_deinit(&ledger);
}

/* Against a list that remembers everything: what is committed was finished, and nothing finished at the front is held back. */
static void any_order_of_finishing_keeps_the_promise(void **state)
{
    (void)state;
    enum { RECORDS = 4000, WINDOW = 37 };
    for (unsigned seed = 1; seed <= 20; seed++) {
        srand(seed);
        struct sq_ledger ledger = ledger_of(WINDOW, 1u << 30);
        static int64_t offsets[RECORDS];
        static uint64_t tickets[RECORDS];
        static bool done[RECORDS];
        memset(done, 0, sizeof done);
        int64_t offset = 0;
        size_t taken = 0, prefix = 0;
        while (prefix < RECORDS) {
            if (taken < RECORDS && sq_ledger_has_room(&ledger) && rand() % 2) {
                offset += 1 + rand() % 3;
                offsets[taken] = offset;
                tickets[taken] = take(&ledger, offset);
                taken++;
            } else if (taken > prefix) {
                size_t i = prefix + (size_t)rand() % (taken - prefix);
                if (!done[i]) {
                    done[i] = true;
                    finish(&ledger, tickets[i]);
                }
            }
            while (prefix < taken && done[prefix]) prefix++;
            int64_t expected = prefix ? offsets[prefix - 1] + 1 : -1;
            if (sq_ledger_next_offset(&ledger) != expected) fail_msg("seed %u, record %zu", seed, prefix);
        }
        sq_ledger_deinit(&ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_finished_is_nothing_to_commit),
        cmocka_unit_test(only_the_contiguous_prefix_counts),
        cmocka_unit_test(the_span_is_capped_in_records_and_in_bytes),
        cmocka_unit_test(an_offset_delivered_again_is_refused),
        cmocka_unit_test(records_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(what_is_cut_off_is_forgotten_and_what_was_finished_comes_back),
        cmocka_unit_test(any_order_of_finishing_keeps_the_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
