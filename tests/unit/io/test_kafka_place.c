/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/io/kafka_place.h"

enum { HOUR_MS = 3600 * 1000 };
static const int64_t now_ms = INT64_C(1800000000000);

static void every_form_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sq_kafka_anchor anchor;
        int64_t value;
    } cases[] = {
        {"start", SQ_PLACE_START, 0}, {"end", SQ_PLACE_END, 0}, {"+5", SQ_PLACE_START, 5}, {"-7", SQ_PLACE_END, 7}, {"12", SQ_PLACE_OFFSET, 12},
        {"@1767225600000", SQ_PLACE_TIME, INT64_C(1767225600000)}, {"@2026-01-01T01:00:00+01:00", SQ_PLACE_TIME, INT64_C(1767225600000)},
        {"@-2h", SQ_PLACE_TIME, INT64_C(1800000000000) - 2 * HOUR_MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sq_kafka_place place;
        assert_true(sq_kafka_place_parse(&place, cases[i].text, now_ms));
        assert_int_equal(place.anchor, cases[i].anchor);
        assert_int_equal(place.value, cases[i].value);
    }
}

static void what_is_no_place_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "begin", "+", "-", "-2h", "1x", "@", "@-", "@-2", "@yesterday", "@2026-01-01", "9999999999999999", "start "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sq_kafka_place place;
        if (sq_kafka_place_parse(&place, bad[i], now_ms)) fail_msg("'%s' was taken", bad[i]);
    }
}

static void a_place_is_an_offset_of_what_is_there(void **state)
{
    (void)state;
    static const struct {
        struct sq_kafka_place place;
        int64_t time_offset, offset;
    } cases[] = {
        {{SQ_PLACE_START, 0}, -1, 100}, {{SQ_PLACE_START, 5}, -1, 105},   {{SQ_PLACE_START, 500}, -1, 200}, {{SQ_PLACE_END, 0}, -1, 200},
        {{SQ_PLACE_END, 30}, -1, 170},  {{SQ_PLACE_END, 1000}, -1, 100},  {{SQ_PLACE_OFFSET, 7}, -1, 100},  {{SQ_PLACE_OFFSET, 150}, -1, 150},
        {{SQ_PLACE_TIME, 1}, 160, 160}, {{SQ_PLACE_TIME, 1}, -1, 200},    {{SQ_PLACE_TIME, 1}, 20, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sq_kafka_place_offset(&cases[i].place, 100, 200, cases[i].time_offset), cases[i].offset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(what_is_no_place_is_refused),
        cmocka_unit_test(a_place_is_an_offset_of_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
