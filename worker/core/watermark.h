/* SPDX-License-Identifier: Apache-2.0 */
/* How far event time has come in one scores partition: W = the smallest, over the active sources, of the latest event time seen, less a
 * delay; never back.
 *
 * A source is an input partition, named in each score record. It is idle, and holds nobody back, once it added nothing for a while *of
 * the scores records' own timestamps*: these are in the log, so that a replay finds the same sources idle at the same records. A source
 * that lags the leading one by more than SQ_SKEW_MS_MAX holds nobody back either, which bounds what must be kept ahead of W. At the very
 * start W stands still for a moment: when a backlog is read, sources are heard of one after the other.
 *
 * Constant work a record, but for a walk over the sources when the one that holds W moves. One thread owns it. */
#ifndef SQ_CORE_WATERMARK_H
#define SQ_CORE_WATERMARK_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "worker/core/bytes.h"
#include "worker/core/rule.h"

enum {
    SQ_SOURCES_MAX = 16384,
    SQ_TOPIC_BYTES_MAX = 249,
    SQ_START_GRACE_MS = 1000,     /* of append time, for all sources to be heard of, ... */
    SQ_START_GRACE_RECORDS = 256, /* ... but no longer than so many records */
};

struct sq_source; /* opaque: an input partition */

struct sq_watermark {
    int64_t delay_ms, idle_after_ms;
    int64_t watermark_ms;  /* INT64_MIN before the first record */
    int64_t latest_ms;     /* latest event time of any source */
    int64_t start_ms;      /* append time of the first record */
    uint32_t start_records; /* taken while W stands still for the start */
    int64_t append_ms;     /* latest append time: the clock by which sources fall idle */
    int64_t holding_ms;    /* smallest latest event time among the active sources */
    int64_t next_idle_ms;  /* append time at which the next active source would fall idle */
    struct sq_source *sources; /* hash table by topic and partition; owned */
    struct sq_source *last;    /* source of the latest record */
};

void sq_watermark_init(struct sq_watermark *watermark, const struct sq_time_rules *time);
void sq_watermark_deinit(struct sq_watermark *watermark);

/* Notes a record of a source and moves W. SQ_E_NOMEM; SQ_E_TOO_LARGE for a topic name Kafka would not allow. */
int sq_watermark_take(struct sq_watermark *watermark, struct sq_str topic, int32_t partition, int64_t event_ms, int64_t append_ms,
                      struct sq_err *err);

/* As saved state. Reading goes into a watermark just initialised; false: no memory. */
void sq_watermark_put(struct sq_buf *out, const struct sq_watermark *watermark);
bool sq_watermark_take_saved(struct sq_bytes *bytes, struct sq_watermark *watermark);

/* Moves W from outside, forward only. */
void sq_watermark_advance(struct sq_watermark *watermark, int64_t watermark_ms);

/* Nothing has come for a while, until wall_ms: event time is taken to have gone on as the clock did since the latest record, and W follows,
 * delay_ms behind. Of a stream that tells of days ago, the clock alone would make late what it has still to tell. */
void sq_watermark_tick(struct sq_watermark *watermark, int64_t wall_ms, int64_t delay_ms);

#endif
