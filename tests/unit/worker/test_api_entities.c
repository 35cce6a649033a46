/* SPDX-License-Identifier: Apache-2.0 */
/* What the page shows of many entities: the urgent ones, in order, with a course that is bounded. The pipeline is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "worker/pipeline/api_entities.h"

static unsigned entities_count; /* entity i: strength i mod 50 / 10, and every 40th fires */
static uint32_t messages = 10;

void sq_pipeline_entities(const struct sq_pipeline *pipeline, unsigned limit, sq_entity_view_fn each, void *ctx)
{
    (void)pipeline;
    for (unsigned i = 0; i < entities_count && i < limit; i++) {
        char name[32];
        int bytes = snprintf(name, sizeof name, "e\"%03u", i);
        struct sq_entity_view view = {.rule = SQ_STR("R"), .entity = {name, (size_t)bytes}, .count = messages, .matched = 4, .count_long = 30,
                                      .matched_long = 12, .baseline_rate = 0.1, .strength = (i % 50) / 10.0, .threshold = 3,
                                      .firing = i % 40 == 0, .severity = SQ_SEVERITY_CRITICAL, .alert_id = i};
        each(&view, ctx);
    }
}

static struct sq_api_entities *open_entities(unsigned count)
{
    struct sq_api_entities *entities = calloc(1, sizeof *entities);
    assert_non_null(entities);
    entities_count = count;
    return entities;
}

static void the_most_urgent_come_first(void **state)
{
    (void)state;
    struct sq_api_entities *entities = open_entities(200);
    for (int round = 0; round < 3; round++) {
        sq_api_entities_refresh(entities, NULL, INT64_MIN);
        assert_int_equal(entities->count, SQ_API_ENTITIES_MAX);
        for (unsigned i = 0; i < entities->count; i++) {
            const struct sq_entity_view *view = &entities->items[i].view, *before = i ? &entities->items[i - 1].view : view;
            assert_int_equal(view->firing, i < 5);
            assert_true(before->firing > view->firing || before->strength >= view->strength);
            assert_true(view->entity.data == entities->items[i].entity && view->entity.bytes == 5);
            assert_int_equal(strtoul(entities->items[i].entity + 2, NULL, 10), view->alert_id); /* the name moved with its numbers */
        }
        assert_true(entities->items[63].view.strength >= 3.5); /* 59 that don't fire, the best of 195 */
    }
    assert_int_equal(entities->courses_count, 0); /* no event time, no course */
    free(entities);
}

static void a_course_is_sampled_in_event_time_and_bounded(void **state)
{
    (void)state;
    struct sq_api_entities *entities = open_entities(1);
    for (int64_t minute = 1000; minute < 1000 + 300 * SQ_API_HISTORY_STEP_MIN; minute++) {
        messages = (uint32_t)minute;
        sq_api_entities_refresh(entities, NULL, minute * 60000);
        sq_api_entities_refresh(entities, NULL, minute * 60000); /* the same event time twice adds nothing */
    }
    const struct sq_api_course *course = &entities->courses[0];
    assert_int_equal(entities->courses_count, 1);
    assert_int_equal(course->count, SQ_API_HISTORY_MAX);
    for (unsigned i = 0; i < course->count; i++) {
        const struct sq_api_point *point = &course->points[(course->begin + i) % SQ_API_HISTORY_MAX];
        assert_int_equal(point->minute, 1000 + (int)(300 - SQ_API_HISTORY_MAX + i) * SQ_API_HISTORY_STEP_MIN);
        assert_int_equal(point->count, point->minute);
    }
    messages = 10;
    free(entities);
}

static void courses_of_many_entities_share_a_bounded_room(void **state)
{
    (void)state;
    struct sq_api_entities *entities = open_entities(60);
    sq_api_entities_refresh(entities, NULL, 60000 * 10);
    entities_count = 64;
    for (int64_t minute = 20; minute < 60; minute += 10) sq_api_entities_refresh(entities, NULL, minute * 60000);
    assert_int_equal(entities->courses_count, 64);
    for (unsigned i = 0; i < 64; i++) assert_true(entities->courses[i].count >= 4);
    free(entities);
}

static void it_becomes_json(void **state)
{
    (void)state;
    struct sq_api_entities *entities = open_entities(3);
    struct sq_buf out = {0};
    json_t *json;
    sq_api_entities_refresh(entities, NULL, 600000);
    sq_api_entities_refresh(entities, NULL, 1200000);
    sq_api_entities_write(entities, 2, true, &out);
    assert_int_equal(sq_json_parse(&json, "entities", sq_buf_view(&out), SQ_E_STATE, NULL), 0);
    assert_int_equal(json_array_size(json), 2);
    const json_t *first = json_array_get(json, 0);
    assert_string_equal(json_string_value(json_object_get(first, "entity")), "e\"000");
    assert_string_equal(json_string_value(json_object_get(first, "severity")), "critical");
    assert_int_equal(json_array_size(json_object_get(first, "course")), 2);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(json_object_get(first, "course"), 1), 0)), 20);
    assert_null(json_object_get(json_array_get(json, 1), "severity"));
    json_decref(json);
    sq_buf_clear(&out);
    sq_api_entities_write(entities, 64, false, &out);
    assert_null(strstr(out.data, "course"));
    sq_buf_deinit(&out);
    free(entities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_urgent_come_first),
        cmocka_unit_test(a_course_is_sampled_in_event_time_and_bounded),
        cmocka_unit_test(courses_of_many_entities_share_a_bounded_room),
        cmocka_unit_test(it_becomes_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
