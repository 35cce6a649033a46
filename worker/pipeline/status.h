/* SPDX-License-Identifier: Apache-2.0 */
/* What the outside may see of a running worker: plain snapshots for the status API, the page, probes and the smoke test of the demo.
 *
 * Thread: the loop's, all of it. Nothing blocks or allocates. Every pointer and sq_str handed out is borrowed until the next call into
 * the pipeline; take what you need and return. The log of a worker never holds message texts; an alert's JSON holds the excerpts that
 * `privacy` allows, because that is what goes to <app>.alerts as well. */
#ifndef SQ_PIPELINE_STATUS_H
#define SQ_PIPELINE_STATUS_H

#include "engine/engine.h"
#include "worker/pipeline/shadow.h"
#include "worker/core/detector.h"

enum {
    SQ_STATUS_ALERTS_MAX = 200,       /* transitions kept, newest last */
    SQ_STATUS_DEAD_LETTERS_MAX = 200,
    SQ_STATUS_SERIES_MAX = 900,       /* seconds kept: 15 min */
    SQ_STATUS_LABELS_MAX = 8,         /* labels counted a second; the rest in none */
    SQ_STATUS_REASON_BYTES = 160,
};

struct sq_pipeline;

enum sq_worker_state {
    SQ_WORKER_STARTING,  /* no assignment yet, or the broker is away */
    SQ_WORKER_RESTORING, /* the first assignment's scores are being replayed silently */
    SQ_WORKER_RUNNING,   /* and never back to STARTING or RESTORING, whatever rebalances do */
    SQ_WORKER_DRAINING,  /* told to stop */
};
const char *sq_worker_state_word(enum sq_worker_state state); /* "starting", ... */

struct sq_status {
    const char *app, *instance, *mode;      /* mode: "live" or "demo" */
    enum sq_worker_state state;
    char why[SQ_STATUS_REASON_BYTES];       /* a sentence for people: what it waits for; "" when all is well */
    bool ready;                             /* /readyz: RUNNING */
    bool live;                              /* /livez: loop and engine moved within 5 s; blind to Kafka */
    int64_t started_at_ms, now_ms;          /* wall clock */
    int64_t watermark_ms;                   /* lowest of the owned scores partitions; INT64_MIN: none yet */
    const struct sq_engine *engine;    /* NULL: no score stage */
    const struct sq_model_info *model; /* of the engine */
    const struct sq_model_info *shadow_model; /* NULL: none */
    struct sq_shadow_counts shadow;
    unsigned engine_threads;
    uint64_t consumed, scored, dead_lettered, skipped; /* input records since start; all but consumed are committed */
    uint64_t transitions[3];                /* by sq_alert_state, live ones only */
    uint32_t firing;                        /* alerts open now on this worker */
    uint32_t entities;
    uint32_t input_partitions, scores_partitions; /* owned now */
    int64_t lag;                            /* of the owned input partitions; -1: unknown */
    size_t in_flight, in_flight_max;        /* records */
    double throughput;                      /* input records finished a second, over the last half minute */
    double catch_up_seconds;                /* until none waits, as things go; INFINITY: more come than are finished; -1: unknown */
    double share;                           /* of the records, that is to be scored now; under 1 only with overload: sample */
    bool is_behind;                         /* core/load.h */
};
void sq_pipeline_status(const struct sq_pipeline *pipeline, struct sq_status *status);

/* One owned partition. */
struct sq_partition_view {
    unsigned stage;              /* index into SQ_STAGES: 0 score, 1 alert */
    struct sq_str topic;
    int32_t partition;
    int64_t next_offset;         /* first not finished; -1: unknown */
    int64_t end_offset;          /* of the log, as last seen; -1: unknown */
    int64_t lag;                 /* their difference; -1: unknown */
    int64_t last_processed_ms;   /* wall clock; 0: nothing yet */
    int64_t watermark_ms;        /* event time, alert stage only; INT64_MIN: none */
    const char *state;           /* "ok", "careful" (core/breaker.h), "stalled" (watchdog.h), "restoring", "revoking" */
    double restored;             /* 0 to 1 while restoring, else 1 */
};
typedef void (*sq_partition_view_fn)(const struct sq_partition_view *view, void *ctx);
void sq_pipeline_partitions(const struct sq_pipeline *pipeline, sq_partition_view_fn each, void *ctx);

/* What the page shows of entities: sq_detector_view of each owned scores partition, `limit` in all. */
void sq_pipeline_entities(const struct sq_pipeline *pipeline, unsigned limit, sq_entity_view_fn each, void *ctx);

/* Transitions as they happened, those found while restoring included (marked). `seq` counts from 1 for the life of the process, so an
 * event stream sends what is above the last one it sent. */
struct sq_recent_alert {
    uint64_t seq;
    bool restored;               /* found in the silent replay: published earlier, perhaps by another worker */
    uint64_t alert_id, fingerprint;
    enum sq_alert_state state;
    enum sq_severity severity;
    int64_t starts_at_ms, at_ms; /* event time */
    int64_t seen_ms;             /* wall clock */
    const char *rule, *entity;
    struct sq_str json;          /* squall.v1.Alert as proto3 JSON, as published */
};
typedef void (*sq_recent_alert_fn)(const struct sq_recent_alert *alert, void *ctx);
void sq_pipeline_alerts(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_alert_fn each, void *ctx); /* oldest first */

struct sq_recent_dead_letter {
    uint64_t seq;
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t seen_ms;
    const char *reason;          /* a word of SQ_REASONS */
    const char *message;         /* never holds record text */
};
typedef void (*sq_recent_dead_letter_fn)(const struct sq_recent_dead_letter *letter, void *ctx);
void sq_pipeline_dead_letters(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_dead_letter_fn each, void *ctx);

/* What happened in each second, oldest first; seconds without a record are there, with zeros. */
struct sq_series_point {
    int64_t second;              /* wall clock, since 1970 */
    uint32_t consumed, scored, dead_lettered;
    uint32_t labels[SQ_STATUS_LABELS_MAX]; /* scored, by label id */
};
typedef void (*sq_series_fn)(const struct sq_series_point *point, void *ctx);
void sq_pipeline_series(const struct sq_pipeline *pipeline, int64_t since_second, sq_series_fn each, void *ctx);

#endif
