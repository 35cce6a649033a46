/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/backoff.h"

static void each_wait_doubles_up_to_the_bound_less_a_part_by_chance(void **state)
{
    (void)state;
    static const uint32_t longest_ms[] = {1000, 2000, 4000, 8000, 10000, 10000, 10000};
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct sq_backoff backoff = {.first_ms = 1000, .max_ms = 10000, .seed = seed};
        for (size_t i = 0; i < sizeof longest_ms / sizeof *longest_ms; i++)
            assert_in_range(sq_backoff_next_ms(&backoff), longest_ms[i] / 2, longest_ms[i]);
    }
}

static void a_success_begins_anew(void **state)
{
    (void)state;
    struct sq_backoff backoff = {.first_ms = 100, .max_ms = 10000};
    for (int i = 0; i < 5; i++) sq_backoff_next_ms(&backoff);
    sq_backoff_succeed(&backoff);
    assert_in_range(sq_backoff_next_ms(&backoff), 50, 100);
}

static void it_stays_at_the_bound_however_long_it_lasts(void **state)
{
    (void)state;
    struct sq_backoff backoff = {.first_ms = 3, .max_ms = UINT32_MAX};
    for (int i = 0; i < 100000; i++) sq_backoff_next_ms(&backoff);
    assert_in_range(sq_backoff_next_ms(&backoff), UINT32_MAX / 2, UINT32_MAX);
}

static void workers_that_fail_together_spread(void **state)
{
    (void)state;
    enum { WORKERS = 1000, PARTS = 10 };
    unsigned counts[PARTS] = {0};
    for (uint64_t seed = 0; seed < WORKERS; seed++) {
        struct sq_backoff backoff = {.first_ms = 1000, .max_ms = 10000, .seed = seed};
        counts[(sq_backoff_next_ms(&backoff) - 500) * PARTS / 501]++;
    }
    for (int i = 0; i < PARTS; i++) assert_in_range(counts[i], WORKERS / PARTS / 2, WORKERS / PARTS * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait_doubles_up_to_the_bound_less_a_part_by_chance),
        cmocka_unit_test(a_success_begins_anew),
        cmocka_unit_test(it_stays_at_the_bound_however_long_it_lasts),
        cmocka_unit_test(workers_that_fail_together_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
