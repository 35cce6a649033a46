/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: one table, lock-free cells, Prometheus text out.
 *
 * Every family with a closed set of label values stands in SQ_METRIC_TABLE and starts at 0. Families whose label sets come and go with
 * the assignment (topic, partition) are written by a collector at scrape time. No label ever holds user data. The table is also where
 * ops/docs/METRICS.md and the shipped dashboard come from. All calls are thread-safe and never block. */
#ifndef SQ_BASE_METRICS_H
#define SQ_BASE_METRICS_H

#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

/* Label values, in the order of the series index. */
#define SQ_OUTCOMES "scored", "dead_lettered", "skipped"
#define SQ_REASONS "decode", "missing_field", "wrong_type", "invalid_utf8", "empty", "too_large", "tokenize", "model", "unreadable", "crash_loop", \
    "produce"
#define SQ_STAGES "score", "alert"
#define SQ_STEPS "decode", "queue", "encode", "window", "commit"

/* X(ID, TYPE, "name without prefix", "label key or empty", "help", label values...); TYPE: COUNTER, GAUGE, HISTOGRAM (seconds),
 * HISTOGRAM_N (powers of two to 4096). No values: one series. */
#define SQ_METRIC_TABLE(X)                                                                                                       \
    X(RECORDS_CONSUMED, COUNTER, "kafka_records_consumed_total", "stage", "Records taken from Kafka.", SQ_STAGES)                \
    X(CONSUMED_BYTES, COUNTER, "kafka_consumed_bytes_total", "stage", "Bytes of keys and values taken from Kafka.", SQ_STAGES)   \
    X(ASSIGNED_PARTITIONS, GAUGE, "kafka_assigned_partitions", "stage", "Partitions this worker owns.", SQ_STAGES)               \
    X(PARTITIONS_STALLED, GAUGE, "kafka_partitions_stalled", "stage", "Owned partitions that have stood still for a minute though records wait.", SQ_STAGES) \
    X(REBALANCES, COUNTER, "kafka_rebalances_total", "event", "Assignment changes.", "assign", "revoke", "lost")                 \
    X(KAFKA_ERRORS, COUNTER, "kafka_errors_total", "class", "Client errors by class.", "retry", "poison", "fatal", "bug")        \
    X(RECORDS_PRODUCED, COUNTER, "kafka_records_produced_total", "topic", "Records acknowledged by the broker.", "scores",       \
      "dlq", "alerts", "alert-state")                                                                                            \
    X(COMMITS, COUNTER, "transactions_total", "result", "Commits of a stage's outputs and offsets.", "ok", "failed")             \
    X(COMMIT_SECONDS, HISTOGRAM, "transaction_duration_seconds", "stage", "From handing a batch over to its commit.", SQ_STAGES) \
    X(RECORDS, COUNTER, "records_total", "outcome", "Input records finished; the sum is the input.", SQ_OUTCOMES)                \
    X(DEAD_LETTERS, COUNTER, "dead_letters_total", "reason", "Records given up, by reason.", SQ_REASONS)                         \
    X(STEP_SECONDS, HISTOGRAM, "stage_duration_seconds", "stage", "Time a record spends in each step.", SQ_STEPS)                \
    X(END_TO_END_SECONDS, HISTOGRAM, "end_to_end_latency_seconds", "", "From taking a record to its committed score.")           \
    X(LOOP_DELAY_SECONDS, HISTOGRAM, "event_loop_delay_seconds", "", "How late a timer of the loop fires.")                      \
    X(RECORDS_IN_FLIGHT, GAUGE, "records_in_flight", "", "Records taken and not yet committed.")                                 \
    X(QUEUE_ITEMS, GAUGE, "queue_items", "queue", "Items waiting.", "engine", "commit")                                          \
    X(QUEUE_CAPACITY, GAUGE, "queue_capacity_items", "queue", "Bounds of the queues.", "engine", "commit")                       \
    X(ENGINE_THREADS, GAUGE, "engine_threads", "", "Threads that run the encoder.")                                              \
    X(ENGINE_THREADS_PARKED, GAUGE, "engine_threads_parked", "", "Engine threads that rest because there are fewer cores now.")   \
    X(ENGINE_THREADS_BUSY, GAUGE, "engine_threads_busy", "", "Threads in a forward pass now.")                                   \
    X(OLDEST_PASS_SECONDS, GAUGE, "engine_oldest_pass_seconds", "", "How long the forward pass that runs longest has been running; at 30 s the worker aborts.") \
    X(BATCH_TOKENS, HISTOGRAM_N, "inference_batch_tokens", "", "Tokens of a packed batch.")                                      \
    X(BATCH_TEXTS, HISTOGRAM_N, "inference_batch_texts", "", "Texts of a packed batch.")                                         \
    X(INFERENCE_TOKENS, COUNTER, "inference_tokens_total", "", "Tokens encoded.")                                                \
    X(INFERENCE_SECONDS, HISTOGRAM, "inference_duration_seconds", "", "Duration of a batch, tokenising included.")               \
    X(COLLAPSED_TEXTS, COUNTER, "inference_collapsed_texts_total", "", "Texts not encoded: their batch has a text of the same tokens.") \
    X(SCORE_CACHE_LOOKUPS, COUNTER, "score_cache_lookups_total", "result",                                                       \
      "Texts looked up in the score cache; hits over both is the hit rate.", "hit", "miss")                                      \
    X(SCORE_CACHE_TEXTS, GAUGE, "score_cache_texts", "", "Texts whose scores are kept.")                                         \
    X(SHADOW_TEXTS, COUNTER, "shadow_texts_total", "result", "Texts of the sample that model.shadow reads, by whether its label is the model's.", \
      "agreed", "differed", "skipped")                                                                                           \
    X(TEXTS_TRUNCATED, COUNTER, "texts_truncated_total", "", "Texts cut to model.max_tokens.")                                   \
    X(LATE_RECORDS, COUNTER, "late_records_total", "action", "Scores behind the watermark.", "included", "dropped")              \
    X(CLAMPED_TIMESTAMPS, COUNTER, "clamped_timestamps_total", "", "Event times absent, negative or too far ahead.")             \
    X(COLLAPSED_SCORES, COUNTER, "collapsed_scores_total", "reason", "Scores not counted again in a window.", "text", "author")  \
    X(ENTITIES_TRACKED, GAUGE, "entities_tracked", "", "Entities with state.")                                                   \
    X(ALERTS_FIRING, GAUGE, "alerts_firing", "severity", "Alerts firing now.", "warning", "critical")                            \
    X(ALERT_TRANSITIONS, COUNTER, "alert_transitions_total", "to", "Alert transitions.", "firing", "updated", "resolved")        \
    X(RESTORES_RUNNING, GAUGE, "state_restores_running", "", "Partitions of scores being replayed silently.")                    \
    X(ALERTS_SUPPRESSED, COUNTER, "alerts_suppressed_total", "reason", "Transitions that were decided but not told.", "shadow")      \
    X(RELOAD_SUCCESSFUL, GAUGE, "config_last_reload_successful", "", "1: the last reload of the configuration went well.")       \
    X(RELOAD_SUCCESS_TIME, GAUGE, "config_last_reload_success_timestamp_seconds", "", "When a reload last went well.")           \
    X(HTTP_REQUESTS, COUNTER, "http_requests_total", "code", "HTTP answers by class.", "2xx", "4xx", "5xx")                      \
    X(SSE_CLIENTS, GAUGE, "sse_clients", "", "Open event streams.")

enum sq_metric {
#define SQ_METRIC_ID(id, ...) SQ_M_##id,
    SQ_METRIC_TABLE(SQ_METRIC_ID)
#undef SQ_METRIC_ID
        SQ_METRIC_COUNT
};

enum { SQ_METRIC_SERIES_MAX = 16 };

/* Families whose series come and go: what the build and the model are, and what the assignment brings. A collector writes them.
 * X(ID, TYPE, "name without prefix", "help", label keys...) */
#define SQ_METRIC_DYNAMIC_TABLE(X)                                                                                               \
    X(BUILD_INFO, GAUGE, "build_info", "What this binary is made of; always 1.", "version", "librdkafka", "isa")                 \
    X(MODEL_INFO, GAUGE, "model_info", "The model in use, or the models of an ensemble; always 1.", "model", "digest", "dtype")                                \
    X(SHADOW_AGREEMENT, GAUGE, "shadow_agreement_ratio", "Share of the compared texts on which model.shadow has the label of the model in use.", "model") \
    X(SHADOW_DIFFERENCE, GAUGE, "shadow_difference_ratio", "Mean absolute difference of a label's probability between model.shadow and the model in use.", "model") \
    X(PREDICTIONS, COUNTER, "predictions_total", "Texts by the label the model found strongest.", "label")                       \
    X(CONSUMER_LAG, GAUGE, "kafka_consumer_lag_records", "Records behind the end of an owned partition; absent while unknown.",  \
      "topic", "partition")                                                                                                      \
    X(THROUGHPUT, GAUGE, "throughput_records_per_second", "Input records finished a second, over the last half minute.", "stage")      \
    X(CATCH_UP, GAUGE, "catch_up_seconds", "Until no input record waits, as things go now; +Inf: more come than are finished; absent while unknown.", \
      "stage")                                                                                                                   \
    X(SCORED_SHARE, GAUGE, "scored_share_ratio", "Of the input records, what share is to be scored now; under 1 only with overload: sample.", "stage") \
    X(ALERT_DELIVERIES, COUNTER, "alert_deliveries_total", "Tries to deliver a transition: delivered, retried, rejected for good, or skipped.", \
      "sink", "result")                                                                                                          \
    X(DELIVERY_QUEUE, GAUGE, "alert_delivery_queue_items", "Transitions in the log that are not delivered yet.", "sink")          \
    X(WATERMARK, GAUGE, "watermark_timestamp_seconds", "Event time up to which an owned scores partition is complete.", "topic", \
      "partition")

enum sq_metric_dynamic {
#define SQ_METRIC_DYNAMIC_ID(id, ...) SQ_MD_##id,
    SQ_METRIC_DYNAMIC_TABLE(SQ_METRIC_DYNAMIC_ID)
#undef SQ_METRIC_DYNAMIC_ID
        SQ_METRIC_DYNAMIC_COUNT
};

/* `series` is the index of the label value, 0 where there is no label. */
void sq_metric_add(enum sq_metric metric, unsigned series, uint64_t amount); /* counters */
void sq_metric_set(enum sq_metric metric, unsigned series, int64_t value);   /* gauges */
void sq_metric_move(enum sq_metric metric, unsigned series, int64_t delta);  /* gauges kept by several threads */
void sq_metric_observe(enum sq_metric metric, unsigned series, double value); /* histograms */

/* What a counter or gauge holds now, for the status API and tests. */
int64_t sq_metric_value(enum sq_metric metric, unsigned series);

/* The value below which a share `quantile` of a histogram's observations lie, interpolated within its bucket; NaN without any. */
double sq_metric_quantile(enum sq_metric metric, unsigned series, double quantile);

/* Dynamic families: `collect` appends whole families at each scrape, on the thread that scrapes. */
typedef void (*sq_metrics_collect_fn)(struct sq_buf *out, void *ctx);
int sq_metrics_collector_add(sq_metrics_collect_fn collect, void *ctx); /* at start; SQ_E_FULL past 8 */
void sq_metrics_collector_remove(void *ctx);

/* For collectors: the family's HELP and TYPE, then its samples, with as many label values as the table has keys. */
void sq_metrics_write_family(struct sq_buf *out, enum sq_metric_dynamic family);
void sq_metrics_write_sample(struct sq_buf *out, enum sq_metric_dynamic family, const struct sq_str *label_values, double value);

/* Prometheus text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
void sq_metrics_write(struct sq_buf *out);

/* What the process uses (CPU, memory, descriptors), as process_* families; sq_metrics_write ends with them. */
void sq_metrics_write_process(struct sq_buf *out);

/* One family as the docs show it, those of both tables in order. NULL past the end. */
struct sq_metric_row {
    const char *name, *type, *help;
    const char *const *label_keys;   /* NULL-terminated */
    const char *const *label_values; /* of the one key of a closed set, NULL-terminated; NULL for dynamic families */
};
const struct sq_metric_row *sq_metrics_row(unsigned index);

#endif
