/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/watermark.h"

enum { SECOND = 1000, MINUTE = 60000 };
static const struct sq_time_rules rules = {MINUTE, 30 * SECOND, 60 * SECOND, 10 * MINUTE};

static void take(struct sq_watermark *watermark, int32_t partition, int64_t event_ms, int64_t append_ms)
{
    assert_int_equal(sq_watermark_take(watermark, SQ_STR("posts"), partition, event_ms, append_ms, NULL), 0);
}

static void follows_the_latest_time_of_one_source(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    assert_true(watermark.watermark_ms == INT64_MIN);
    take(&watermark, 0, 99 * MINUTE, 99 * MINUTE);
    take(&watermark, 0, 100 * MINUTE, 100 * MINUTE);
    assert_true(watermark.watermark_ms == 100 * MINUTE - 30 * SECOND);
    take(&watermark, 0, 99 * MINUTE, 101 * MINUTE); /* late: never back */
    assert_true(watermark.watermark_ms == 100 * MINUTE - 30 * SECOND);
    take(&watermark, 0, 1000 * MINUTE, 1000 * MINUTE);
    assert_true(watermark.watermark_ms == 1000 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);
}

static void a_lagging_source_holds_it(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    take(&watermark, 1, 50 * MINUTE, 0);
    take(&watermark, 0, 60 * MINUTE, 10 * SECOND);
    take(&watermark, 0, 70 * MINUTE, 20 * SECOND);
    assert_true(watermark.watermark_ms == 50 * MINUTE - 30 * SECOND);
    take(&watermark, 1, 65 * MINUTE, 30 * SECOND);
    assert_true(watermark.watermark_ms == 65 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);
}

static void an_idle_source_lets_it_go(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    take(&watermark, 1, 50 * MINUTE, 0);
    take(&watermark, 0, 60 * MINUTE, 60 * SECOND); /* just not idle yet */
    assert_true(watermark.watermark_ms == 50 * MINUTE - 30 * SECOND);
    take(&watermark, 0, 61 * MINUTE, 61 * SECOND);
    assert_true(watermark.watermark_ms == 61 * MINUTE - 30 * SECOND);
    take(&watermark, 1, 55 * MINUTE, 62 * SECOND); /* back, behind: holds from now on */
    take(&watermark, 0, 70 * MINUTE, 63 * SECOND);
    assert_true(watermark.watermark_ms == 61 * MINUTE - 30 * SECOND);
    take(&watermark, 1, 69 * MINUTE, 64 * SECOND);
    assert_true(watermark.watermark_ms == 69 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);
}

static void a_source_far_behind_does_not_hold_it(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    take(&watermark, 1, 50 * MINUTE, 0);
    take(&watermark, 0, 200 * MINUTE, 10 * SECOND);
    assert_true(watermark.watermark_ms == 50 * MINUTE - 30 * SECOND);
    take(&watermark, 0, 2000 * MINUTE, 12 * SECOND);
    assert_true(watermark.watermark_ms == 1280 * MINUTE);
    sq_watermark_deinit(&watermark);
}

static void waits_at_the_start_for_all_sources(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    take(&watermark, 0, 100 * MINUTE, 0);
    take(&watermark, 0, 300 * MINUTE, 500); /* a backlog: the first source is read far ahead */
    assert_true(watermark.watermark_ms == 40 * MINUTE);
    take(&watermark, 1, 101 * MINUTE, 900);
    take(&watermark, 1, 102 * MINUTE, 1000);
    assert_true(watermark.watermark_ms == 102 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);

    sq_watermark_init(&watermark, &rules);
    for (int i = 0; i < SQ_START_GRACE_RECORDS; i++) take(&watermark, 0, 100 * MINUTE, 7);
    assert_true(watermark.watermark_ms == 40 * MINUTE);
    take(&watermark, 0, 100 * MINUTE, 7);
    assert_true(watermark.watermark_ms == 100 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);
}

static void topics_are_told_apart(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    assert_int_equal(sq_watermark_take(&watermark, SQ_STR("a"), 0, 50 * MINUTE, 0, NULL), 0);
    assert_int_equal(sq_watermark_take(&watermark, SQ_STR("ab"), 0, 60 * MINUTE, 10 * SECOND, NULL), 0);
    assert_true(watermark.watermark_ms == 50 * MINUTE - 30 * SECOND);
    char name[SQ_TOPIC_BYTES_MAX + 1] = {0};
    assert_int_equal(sq_watermark_take(&watermark, (struct sq_str){name, sizeof name}, 0, 0, 0, NULL), SQ_E_TOO_LARGE);
    sq_watermark_deinit(&watermark);
}

static void moves_from_outside_forward_only(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    take(&watermark, 0, 49 * MINUTE, 0);
    take(&watermark, 0, 50 * MINUTE, MINUTE);
    sq_watermark_advance(&watermark, 40 * MINUTE);
    assert_true(watermark.watermark_ms == 50 * MINUTE - 30 * SECOND);
    sq_watermark_advance(&watermark, 80 * MINUTE);
    assert_true(watermark.watermark_ms == 80 * MINUTE);
    sq_watermark_deinit(&watermark);
}

static void many_sources_stay_bounded(void **state)
{
    (void)state;
    struct sq_watermark watermark;
    sq_watermark_init(&watermark, &rules);
    for (int32_t i = 0; i < SQ_SOURCES_MAX + 10; i++) take(&watermark, i, 50 * MINUTE + i, i);
    assert_true(watermark.watermark_ms >= 50 * MINUTE - 30 * SECOND);
    sq_watermark_deinit(&watermark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_latest_time_of_one_source), cmocka_unit_test(a_lagging_source_holds_it),
        cmocka_unit_test(an_idle_source_lets_it_go),             cmocka_unit_test(a_source_far_behind_does_not_hold_it),
        cmocka_unit_test(waits_at_the_start_for_all_sources),
        cmocka_unit_test(topics_are_told_apart),                 cmocka_unit_test(moves_from_outside_forward_only),
        cmocka_unit_test(many_sources_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
