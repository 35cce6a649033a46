/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/copies.h"

enum { MINUTE = 60000 };
static uint64_t hash_of(uint64_t i) { return i * 0x9e3779b97f4a7c15u; }

static void counts_how_often_a_text_came(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    for (unsigned i = 0; i < 300; i++) assert_int_equal(sq_copies_see(&copies, hash_of(1), 0), i < 255 ? i : 255);
    assert_int_equal(sq_copies_see(&copies, hash_of(2), 0), 0);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 0), 255);
}

static void zero_is_never_known(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    for (int i = 0; i < 5; i++) assert_int_equal(sq_copies_see(&copies, 0, 0), 0);
    assert_int_equal(sq_copies_count_since(&copies, 0), 0);
}

static void forgets_after_an_hour_unseen(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    sq_copies_see(&copies, hash_of(1), 0);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 59 * MINUTE), 1);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 118 * MINUTE), 2);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 178 * MINUTE), 0);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 100 * MINUTE), 1); /* out of order is no pause */
}

static void gives_up_the_one_unseen_for_longest(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    for (uint64_t i = 1; i <= SQ_COPIES_ENTRIES; i++) sq_copies_see(&copies, hash_of(i), 0);
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 0), 1);
    sq_copies_see(&copies, hash_of(100), 0); /* takes the place of 2 */
    assert_int_equal(sq_copies_see(&copies, hash_of(1), 0), 2);
    assert_int_equal(sq_copies_see(&copies, hash_of(3), 0), 1);
    assert_int_equal(sq_copies_see(&copies, hash_of(2), 0), 0);
}

static void a_source_of_an_eighth_stays_known(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    for (unsigned i = 0; i < 700; i++) {
        unsigned before = sq_copies_see(&copies, hash_of(i % 7 ? 1000 + i : 1), (int64_t)i * 100);
        if (i % 7 == 0) assert_int_equal(before, i / 7 < 255 ? i / 7 : 255);
    }
}

static void counts_distinct_ones_since(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    sq_copies_see(&copies, hash_of(1), 0);
    sq_copies_see(&copies, hash_of(2), 10 * MINUTE);
    sq_copies_see(&copies, hash_of(3), 20 * MINUTE);
    sq_copies_see(&copies, hash_of(2), 20 * MINUTE);
    assert_int_equal(sq_copies_count_since(&copies, 10 * MINUTE), 2);
    assert_int_equal(sq_copies_count_since(&copies, 0), 3);
}

static void near_copies_are_one_text(void **state)
{
    (void)state;
    struct sq_copies copies = {0};
    uint64_t simhashes[SQ_COPIES_ENTRIES] = {0};
    const uint64_t first = 0x123456789abcdef0, hash = UINT64_C(1) << 40;
    assert_int_equal(sq_copies_see_near(&copies, simhashes, hash, first, 0), 0);
    assert_int_equal(sq_copies_see_near(&copies, simhashes, 2 * hash, first ^ 7, 0), 1);     /* three bits */
    assert_int_equal(sq_copies_see_near(&copies, simhashes, 3 * hash, first ^ 0xff, 0), 0);  /* five more: another text */
    assert_int_equal(sq_copies_see_near(&copies, simhashes, 4 * hash, first ^ 0x38, 0), 0);  /* near neither */
    assert_int_equal(sq_copies_see_near(&copies, simhashes, hash, 0, 0), 2);                 /* known by its hash */
    assert_int_equal(sq_copies_see_near(&copies, simhashes, 5 * hash, 0, 0), 0);             /* no simhash is near nothing */
    assert_int_equal(sq_copies_see_near(&copies, NULL, 6 * hash, first, 0), 0);              /* exact copies only */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_how_often_a_text_came),        cmocka_unit_test(zero_is_never_known),
        cmocka_unit_test(forgets_after_an_hour_unseen),        cmocka_unit_test(gives_up_the_one_unseen_for_longest),
        cmocka_unit_test(a_source_of_an_eighth_stays_known),   cmocka_unit_test(counts_distinct_ones_since),
        cmocka_unit_test(near_copies_are_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
