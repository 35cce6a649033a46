/* SPDX-License-Identifier: Apache-2.0 */
/* The entities the page shows: the most urgent ones of all partitions, each with the course of its share over event time.
 *
 * The detector keeps no past for show, so the course is sampled here, in event time: a replayed day fills it in a minute as well as a real
 * one does. Everything is bounded and lives in one block. Thread: the loop's. */
#ifndef SQ_PIPELINE_API_ENTITIES_H
#define SQ_PIPELINE_API_ENTITIES_H

#include "engine/base/buf.h"
#include "proto/records.h"
#include "worker/pipeline/status.h"

enum {
    SQ_API_ENTITIES_MAX = 64,
    SQ_API_SCANNED_MAX = 5000,   /* entities looked at, so that a million of them don't hold up the loop */
    SQ_API_HISTORY_MAX = 240,    /* points an entity */
    SQ_API_HISTORY_STEP_MIN = 5, /* of event time between points: 20 h in all */
};

struct sq_api_point {
    int32_t minute; /* event time, since 1970 */
    uint32_t count, matched, count_long, matched_long; /* in the shortest and in the longest window */
};

struct sq_api_entity {
    struct sq_entity_view view; /* its strings point into this struct */
    char rule[SQ_RULE_TEXT_BYTES], entity[SQ_ENTITY_BYTES_MAX];
};

struct sq_api_course {
    char rule[SQ_RULE_TEXT_BYTES], entity[SQ_ENTITY_BYTES_MAX];
    size_t rule_bytes, entity_bytes;
    struct sq_api_point points[SQ_API_HISTORY_MAX]; /* ring; the oldest at [begin] */
    unsigned begin, count;
};

struct sq_api_entities {
    struct sq_api_entity items[SQ_API_ENTITIES_MAX]; /* most urgent first */
    unsigned count;
    struct sq_api_course courses[SQ_API_ENTITIES_MAX];
    unsigned courses_count;
};

/* Takes a new look at the pipeline. watermark_ms INT64_MIN: no event time yet, so no points. */
void sq_api_entities_refresh(struct sq_api_entities *entities, const struct sq_pipeline *pipeline, int64_t watermark_ms);

/* `[{...},...]` with the first `limit`; with_course adds
 * "course":[[minute,count,matched,count_long,matched_long],...]. */
void sq_api_entities_write(const struct sq_api_entities *entities, unsigned limit, bool with_course, struct sq_buf *out);

#endif
