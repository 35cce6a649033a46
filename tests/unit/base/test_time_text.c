/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/time_text.h"

static void formats_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00Z"},
        {1795406400123, "2026-11-23T04:00:00.123Z"},
        {4107542399000, "2100-02-28T23:59:59Z"},
        {4107542400000, "2100-03-01T00:00:00Z"},
        {SQ_TIME_MS_MIN, "0001-01-01T00:00:00Z"},
        {SQ_TIME_MS_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0001-01-01T00:00:00Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SQ_TIME_TEXT_BYTES];
        sq_time_text_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void reads_any_zone_and_precision(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T04:00:00.123Z", 1795406400123},
        {"2026-11-23t05:30:00.123999999+01:30", 1795406400123},
        {"2026-11-22 23:00:00-05:00", 1795406400000},
        {"2026-11-23T04:00:00.1z", 1795406400100},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"0001-01-01T00:00:00Z", SQ_TIME_MS_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms;
        assert_true(sq_time_text_parse(sq_str_view(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refuses_what_is_no_point_in_time(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "2026", "2026-11-23", "2026-11-23T04:00:00", "2026-11-23T04:00Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T04:60:00Z", "2026-11-23T04:00:61Z",
        "2026-11-23T04:00:00.Z", "2026-11-23T04:00:00+1:00", "2026-11-23T04:00:00Zx", " 2026-11-23T04:00:00Z", "0000-01-01T00:00:00Z",
        "2026-11-23T04:00:00+24:00", "+2026-11-23T04:00:00Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms;
        if (sq_time_text_parse(sq_str_view(cases[i]), &ms)) fail_msg("accepted: %s", cases[i]);
    }
}

static void every_day_comes_back(void **state)
{
    (void)state;
    for (int64_t day = -719162; day <= 2932896; day += 13) {
        char text[SQ_TIME_TEXT_BYTES];
        int64_t ms;
        sq_time_text_format(day * 86400000 + 1, text);
        assert_true(sq_time_text_parse(sq_str_view(text), &ms));
        assert_int_equal(ms, day * 86400000 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_utc),
        cmocka_unit_test(reads_any_zone_and_precision),
        cmocka_unit_test(refuses_what_is_no_point_in_time),
        cmocka_unit_test(every_day_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
