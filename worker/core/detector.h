/* SPDX-License-Identifier: Apache-2.0 */
/* The detector of one scores partition: score records in, alert transitions out.
 *
 * A pure function of the partition's records and the rules: no clock, no I/O, no threads, no hash-table order. So a replay, a restart
 * or another worker gives the same transitions with the same ids. Only sq_detector_tick lets the outside's clock in (a quiet topic must
 * still resolve). The method: ops/docs/DETECTION.md.
 *
 * A record first moves the watermark, which may close buckets; each closed bucket's end is a moment at which every active entity is
 * evaluated, in key-byte order. Then the record is counted in its own bucket. Work a record is constant but for the buckets it closes;
 * memory is bounded by entities_max and the rules' windows. One thread at a time owns a detector. After any failure but a POISON one it
 * can only be closed. */
#ifndef SQ_CORE_DETECTOR_H
#define SQ_CORE_DETECTOR_H

#include "engine/base/err.h"
#include "proto/records.h"
#include "worker/core/rule.h"
#include "worker/core/silence.h"

struct sq_detector_options {
    /* All pointers are borrowed for the detector's life. */
    const char *app;
    const char *mode;                    /* "live", "replay", "demo": stands in the alerts */
    const struct sq_rule *rules;
    unsigned rules_count;
    struct sq_time_rules time;
    int32_t scores_partition;
    uint32_t entities_max;               /* state is bounded; the longest unseen goes first. 0: 100000 */
    const char *model_name;              /* of the running worker, for the alert; may be "" */
};

/* Called for each transition, in order; the alert and its strings are valid during the call only. Non-zero stops and is passed on. */
typedef int (*sq_detector_emit_fn)(const struct sq_alert *alert, void *ctx);

/* What happened since open; the caller adds differences to its metrics. */
struct sq_detector_counts {
    uint64_t taken, late_included, late_dropped, collapsed_text, collapsed_author, evaluations, entities_evicted;
    uint64_t transitions[3]; /* by sq_alert_state */
    uint32_t entities, firing_warning, firing_critical; /* firing: of rules that are no shadows */
};

struct sq_detector;

int sq_detector_open(struct sq_detector **detector, const struct sq_detector_options *options, struct sq_err *err);
void sq_detector_close(struct sq_detector *detector);

/* Takes the next record of the partition. append_ms: the scores record's own Kafka timestamp (replay: its event time). May close buckets
 * and emit. POISON codes leave the detector as it was: SQ_E_WRONG_TYPE for an event time before 1970 or after 9999, SQ_E_MISSING_FIELD
 * without an entity, SQ_E_TOO_LARGE for a topic name that Kafka would not allow. */
int sq_detector_take(struct sq_detector *detector, const struct sq_score *score, int64_t append_ms, sq_detector_emit_fn emit, void *ctx,
                     struct sq_err *err);

/* The partition is read to its end and has been quiet for 60 s of wall time: event time may follow the clock, 90 s behind (sq_watermark_tick). */
int sq_detector_tick(struct sq_detector *detector, int64_t wall_ms, sq_detector_emit_fn emit, void *ctx, struct sq_err *err);

/* End of a replay's input: closes the last bucket; open alerts stay open. */
int sq_detector_finish(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err);

/* ---- What people say ----
 *
 * Between two records: part of the partition's state from there on, saved with it. */

/* Adds or replaces a silence. SQ_E_FULL: SQ_SILENCES_MAX are there. SQ_E_NOMEM. */
int sq_detector_silence(struct sq_detector *detector, const struct sq_silence *silence, struct sq_err *err);
bool sq_detector_unsilence(struct sq_detector *detector, uint64_t id); /* false: there is none of that id */
const struct sq_silences *sq_detector_silences(const struct sq_detector *detector);

/* Somebody takes an open alert: emits UPDATED acknowledged, no reminders after it. *found is false when no such alert is open here; nothing
 * happens when it is taken already. */
int sq_detector_acknowledge(struct sq_detector *detector, uint64_t alert_id, bool *found, sq_detector_emit_fn emit, void *ctx,
                            struct sq_err *err);

int64_t sq_detector_watermark_ms(const struct sq_detector *detector); /* INT64_MIN before the first record */
const struct sq_detector_counts *sq_detector_counts(const struct sq_detector *detector);

/* What the page and `top` show of an entity under a rule. */
struct sq_entity_view {
    struct sq_str rule, entity;
    uint32_t count, matched;             /* in the shortest window */
    uint32_t count_long, matched_long;   /* in the longest */
    double baseline_rate, baseline_low, baseline_high, strength, threshold;
    bool firing;
    enum sq_severity severity;
    uint64_t alert_id;
    int64_t starts_at_ms;
};
typedef void (*sq_entity_view_fn)(const struct sq_entity_view *view, void *ctx);

/* Entities with messages of late, as of the latest closed bucket, in key-byte order, at most `limit`; views are valid during the call
 * only. */
void sq_detector_view(const struct sq_detector *detector, unsigned limit, sq_entity_view_fn each, void *ctx);

#endif
