/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/event_time.h"

static void what_happened_when(void **state)
{
    (void)state;
    enum { APPEND = 1000000, FUTURE = 300 };
    static const struct {
        bool has_field;
        int64_t field_ms, record_ms, ms;
        bool is_clamped;
    } cases[] = {
        {true, 5, 7, 5, false},                                /* the field goes first */
        {false, 0, 7, 7, false},                               /* then the record's own timestamp */
        {false, 0, -1, APPEND, true},                          /* nobody knows: when it was appended */
        {true, -5, 7, APPEND, true},                           /* before 1970 is no time of a post */
        {true, INT64_MIN, -1, APPEND, true},
        {true, APPEND + FUTURE, 7, APPEND + FUTURE, false},    /* clocks differ */
        {true, APPEND + FUTURE + 1, 7, APPEND + FUTURE, true}, /* but not that much */
        {true, INT64_MAX, 7, APPEND + FUTURE, true},
        {true, 0, 7, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sq_event_time time = sq_event_time(cases[i].has_field, cases[i].field_ms, cases[i].record_ms, APPEND, FUTURE);
        assert_int_equal(time.ms, cases[i].ms);
        assert_int_equal(time.is_clamped, cases[i].is_clamped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_happened_when)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
