/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/api_entities.h"

#include <stdlib.h>

#include "engine/base/json.h"
#include "proto/codec.h"

/* Firing ones first, then by how near they are to firing, then by how much is said about them. */
static int compare_urgency(const struct sq_entity_view *a, const struct sq_entity_view *b)
{
    if (a->firing != b->firing) return a->firing ? -1 : 1;
    double nearness_a = a->threshold > 0 ? a->strength / a->threshold : 0;
    double nearness_b = b->threshold > 0 ? b->strength / b->threshold : 0;
    if (nearness_a > nearness_b || nearness_a < nearness_b) return nearness_a > nearness_b ? -1 : 1;
    if (a->count_long != b->count_long) return a->count_long > b->count_long ? -1 : 1;
    int order = sq_str_compare(a->entity, b->entity);
    return order ? order : sq_str_compare(a->rule, b->rule);
}

static int compare_items(const void *a, const void *b)
{
    return compare_urgency(&((const struct sq_api_entity *)a)->view, &((const struct sq_api_entity *)b)->view);
}

static struct sq_str copy_str(char *to, size_t capacity_bytes, struct sq_str str)
{
    size_t bytes = str.bytes < capacity_bytes ? str.bytes : capacity_bytes;
    if (bytes) memcpy(to, str.data, bytes);
    return (struct sq_str){to, bytes};
}

/* After items moved, their strings are where they are now. */
static void point_to_own_strings(struct sq_api_entity *item)
{
    item->view.rule.data = item->rule;
    item->view.entity.data = item->entity;
}

static void take_view(const struct sq_entity_view *view, void *ctx)
{
    struct sq_api_entities *entities = ctx;
    struct sq_api_entity *item = &entities->items[entities->count];
    if (entities->count == SQ_API_ENTITIES_MAX) {
        item = &entities->items[0]; /* becomes the least urgent one */
        for (unsigned i = 1; i < entities->count; i++)
            if (compare_urgency(&entities->items[i].view, &item->view) > 0) item = &entities->items[i];
        if (compare_urgency(view, &item->view) >= 0) return;
    } else {
        entities->count++;
    }
    item->view = *view;
    item->view.rule = copy_str(item->rule, sizeof item->rule, view->rule);
    item->view.entity = copy_str(item->entity, sizeof item->entity, view->entity);
}

static bool is_course_of(const struct sq_api_course *course, const struct sq_entity_view *view)
{
    return sq_str_equal((struct sq_str){course->entity, course->entity_bytes}, view->entity) &&
           sq_str_equal((struct sq_str){course->rule, course->rule_bytes}, view->rule);
}

static const struct sq_api_course *find_course(const struct sq_api_entities *entities, const struct sq_entity_view *view)
{
    for (unsigned i = 0; i < entities->courses_count; i++)
        if (is_course_of(&entities->courses[i], view)) return &entities->courses[i];
    return NULL;
}

static int32_t last_minute(const struct sq_api_course *course)
{
    return course->count ? course->points[(course->begin + course->count - 1) % SQ_API_HISTORY_MAX].minute : INT32_MIN;
}

/* The entity's course; a new one takes the place of the one longest without a point. */
static struct sq_api_course *course_of(struct sq_api_entities *entities, const struct sq_entity_view *view)
{
    struct sq_api_course *oldest = &entities->courses[0];
    for (unsigned i = 0; i < entities->courses_count; i++) {
        struct sq_api_course *course = &entities->courses[i];
        if (is_course_of(course, view)) return course;
        if (last_minute(course) < last_minute(oldest)) oldest = course;
    }
    if (entities->courses_count < SQ_API_ENTITIES_MAX) oldest = &entities->courses[entities->courses_count++];
    oldest->begin = oldest->count = 0;
    oldest->rule_bytes = copy_str(oldest->rule, sizeof oldest->rule, view->rule).bytes;
    oldest->entity_bytes = copy_str(oldest->entity, sizeof oldest->entity, view->entity).bytes;
    return oldest;
}

static void add_point(struct sq_api_course *course, const struct sq_entity_view *view, int32_t minute)
{
    if (course->count && minute - last_minute(course) < SQ_API_HISTORY_STEP_MIN) return;
    if (course->count == SQ_API_HISTORY_MAX) course->begin = (course->begin + 1) % SQ_API_HISTORY_MAX;
    else course->count++;
    course->points[(course->begin + course->count - 1) % SQ_API_HISTORY_MAX] =
        (struct sq_api_point){minute, view->count, view->matched, view->count_long, view->matched_long};
}

void sq_api_entities_refresh(struct sq_api_entities *entities, const struct sq_pipeline *pipeline, int64_t watermark_ms)
{
    entities->count = 0;
    for (unsigned i = 0; i < SQ_API_ENTITIES_MAX; i++) point_to_own_strings(&entities->items[i]);
    sq_pipeline_entities(pipeline, SQ_API_SCANNED_MAX, take_view, entities);
    qsort(entities->items, entities->count, sizeof *entities->items, compare_items);
    for (unsigned i = 0; i < entities->count; i++) {
        point_to_own_strings(&entities->items[i]);
        const struct sq_entity_view *view = &entities->items[i].view;
        if (watermark_ms != INT64_MIN) add_point(course_of(entities, view), view, (int32_t)(watermark_ms / 60000));
    }
}

static void write_course(const struct sq_api_course *course, struct sq_buf *out)
{
    sq_json_write_key(out, "course");
    sq_buf_append_char(out, '[');
    for (unsigned i = 0; i < course->count; i++) {
        const struct sq_api_point *point = &course->points[(course->begin + i) % SQ_API_HISTORY_MAX];
        sq_buf_printf(out, "%s[%d,%u,%u,%u,%u]", i ? "," : "", (int)point->minute, (unsigned)point->count, (unsigned)point->matched,
                      (unsigned)point->count_long, (unsigned)point->matched_long);
    }
    sq_buf_append_char(out, ']');
}

static void write_member_real(struct sq_buf *out, const char *key, double value)
{
    sq_json_write_key(out, key);
    sq_json_write_real(out, value);
}

static void write_entity(const struct sq_entity_view *view, struct sq_buf *out)
{
    sq_json_write_key(out, "rule");
    sq_json_write_str(out, view->rule);
    sq_json_write_key(out, "entity");
    sq_json_write_str(out, view->entity);
    sq_buf_printf(out, ",\"count\":%u,\"matched\":%u,\"count_long\":%u,\"matched_long\":%u", (unsigned)view->count, (unsigned)view->matched,
                  (unsigned)view->count_long, (unsigned)view->matched_long);
    sq_json_write_key(out, "baseline");
    sq_buf_append_char(out, '{');
    write_member_real(out, "rate", view->baseline_rate);
    write_member_real(out, "low", view->baseline_low);
    write_member_real(out, "high", view->baseline_high);
    sq_buf_append_char(out, '}');
    write_member_real(out, "strength", view->strength);
    write_member_real(out, "threshold", view->threshold);
    sq_buf_printf(out, ",\"firing\":%s", view->firing ? "true" : "false");
    if (view->firing)
        sq_buf_printf(out, ",\"severity\":\"%s\",\"alert_id\":\"%016llx\",\"starts_at\":%lld", sq_severity_word(view->severity),
                      (unsigned long long)view->alert_id, (long long)view->starts_at_ms);
}

void sq_api_entities_write(const struct sq_api_entities *entities, unsigned limit, bool with_course, struct sq_buf *out)
{
    sq_buf_append_char(out, '[');
    for (unsigned i = 0; i < entities->count && i < limit; i++) {
        const struct sq_entity_view *view = &entities->items[i].view;
        const struct sq_api_course *course = with_course ? find_course(entities, view) : NULL;
        sq_buf_append_text(out, i ? ",{" : "{");
        write_entity(view, out);
        if (course) write_course(course, out);
        sq_buf_append_char(out, '}');
    }
    sq_buf_append_char(out, ']');
}
