/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/status.h"

#include <stdio.h>

#include "engine/base/clock.h"
#include "worker/io/kafka_trouble.h"
#include "worker/pipeline/pipeline_parts.h"

enum { LIVE_SECONDS = 5 }; /* a forward pass may take so long and still count as alive */

const char *sq_worker_state_word(enum sq_worker_state state)
{
    static const char *const words[] = {"starting", "restoring", "running", "draining"};
    return words[state];
}

static const struct sq_stage *score_of(const struct sq_pipeline *pipeline)
{
    return pipeline->score ? sq_score_stage_base(pipeline->score) : NULL;
}

static const struct sq_stage *alert_of(const struct sq_pipeline *pipeline)
{
    return pipeline->alert ? sq_alert_stage_base(pipeline->alert) : NULL;
}

static bool is_live(const struct sq_pipeline *pipeline)
{
    uint64_t started_ns = pipeline->score ? sq_pool_oldest_started_ns(sq_score_stage_pool(pipeline->score)) : 0;
    return !started_ns || sq_clock_monotonic_ns() - started_ns < LIVE_SECONDS * UINT64_C(1000000000);
}

static const char *trouble_of(const struct sq_stage *stage) { return stage ? sq_outbox_trouble(stage->outbox) : ""; }

static void fill_state(const struct sq_pipeline *pipeline, struct sq_status *status)
{
    const struct sq_stage *score = score_of(pipeline), *alert = alert_of(pipeline);
    const char *trouble = trouble_of(score)[0] ? trouble_of(score) : trouble_of(alert);
    const char *why = "";
    char of_client[sizeof status->why];
    bool is_assigned = (!score || score->has_assignment) && (!alert || alert->has_assignment);
    if (pipeline->is_stopping) {
        status->state = SQ_WORKER_DRAINING;
        why = "told to stop: finishing what was taken";
    } else if (pipeline->is_ready) {
        status->state = SQ_WORKER_RUNNING;
        why = trouble[0] || !sq_kafka_trouble_tell(of_client, sizeof of_client, sq_clock_monotonic_ns()) ? trouble : of_client;
    } else if (is_assigned) {
        status->state = SQ_WORKER_RESTORING;
        why = "restoring the state of the alert partitions";
    } else {
        status->state = SQ_WORKER_STARTING;
        why = trouble[0] ? trouble : "waiting for the first assignment";
    }
    status->ready = status->state == SQ_WORKER_RUNNING;
    snprintf(status->why, sizeof status->why, "%s", why);
}

static const char *state_of(const struct sq_stage *stage, const struct sq_owned *owned)
{
    if (owned->source_partition->is_revoking) return "revoking";
    if (stage->name == SQ_STAGE_ALERT && sq_alert_stage_is_restoring(owned)) return "restoring";
    if (owned->is_stalled) return "stalled";
    return sq_breaker_is_careful(&owned->breaker) ? "careful" : "ok";
}

static void fill_view(const struct sq_stage *stage, const struct sq_owned *owned, struct sq_partition_view *view)
{
    int64_t low, high;
    *view = (struct sq_partition_view){
        .stage = stage->name, .topic = sq_str_view(owned->topic), .partition = owned->partition,
        .next_offset = sq_ledger_next_offset(&owned->ledger), .end_offset = owned->end_offset, .lag = -1,
        .last_processed_ms = owned->last_processed_ms, .watermark_ms = INT64_MIN,
        .state = state_of(stage, owned), .restored = 1,
    };
    if (stage->source->ops->watermarks(stage->source, owned->source_partition, &low, &high) && high > view->end_offset) view->end_offset = high;
    if (view->next_offset >= 0 && view->end_offset >= 0) view->lag = view->end_offset - view->next_offset;
    if (view->lag < 0) view->lag = view->next_offset < 0 ? -1 : 0;
    if (stage->name == SQ_STAGE_ALERT) {
        view->watermark_ms = sq_alert_stage_watermark_ms(owned);
        view->restored = sq_alert_stage_restored(owned);
    }
}

static void each_partition(const struct sq_stage *stage, sq_partition_view_fn each, void *ctx)
{
    for (const struct sq_owned *owned = stage ? stage->owned.head : NULL; owned; owned = owned->next) {
        struct sq_partition_view view;
        fill_view(stage, owned, &view);
        each(&view, ctx);
    }
}

void sq_pipeline_partitions(const struct sq_pipeline *pipeline, sq_partition_view_fn each, void *ctx)
{
    each_partition(score_of(pipeline), each, ctx);
    each_partition(alert_of(pipeline), each, ctx);
}

/* One unknown partition makes the sum unknown. */
static void add_lag(const struct sq_partition_view *view, void *ctx)
{
    int64_t *lag = ctx;
    if (view->lag < 0) *lag = -1;
    else if (*lag >= 0) *lag += view->lag;
}

static void fill_score(const struct sq_pipeline *pipeline, struct sq_status *status)
{
    struct sq_score_counts counts;
    if (!pipeline->score) return;
    sq_score_stage_counts(pipeline->score, &counts);
    status->engine_threads = sq_pool_threads(sq_score_stage_pool(pipeline->score));
    status->consumed = counts.consumed;
    status->scored = counts.scored;
    status->dead_lettered = counts.dead_lettered;
    status->skipped = counts.skipped;
    status->throughput = pipeline->load.done_rate;
    status->catch_up_seconds = sq_load_catch_up_seconds(&pipeline->load);
    status->share = sq_load_share(&pipeline->load);
    status->is_behind = pipeline->load.is_behind;
    status->in_flight = counts.in_flight;
    status->in_flight_max = counts.in_flight_max;
    status->input_partitions = score_of(pipeline)->owned.count;
    if (pipeline->host.shadow) {
        status->shadow_model = sq_shadow_model(pipeline->host.shadow);
        sq_shadow_counts(pipeline->host.shadow, &status->shadow);
    }
    status->lag = status->input_partitions ? 0 : -1;
    each_partition(score_of(pipeline), add_lag, &status->lag);
}

static void fill_alert(const struct sq_pipeline *pipeline, struct sq_status *status)
{
    struct sq_alert_counts counts;
    if (!pipeline->alert) return;
    sq_alert_stage_counts(pipeline->alert, &counts);
    memcpy(status->transitions, counts.transitions, sizeof status->transitions);
    status->firing = counts.firing;
    status->entities = counts.entities;
    status->watermark_ms = counts.watermark_ms;
    status->scores_partitions = alert_of(pipeline)->owned.count;
}

void sq_pipeline_status(const struct sq_pipeline *pipeline, struct sq_status *status)
{
    *status = (struct sq_status){
        .app = pipeline->options.config->app, .instance = pipeline->options.config->instance, .mode = pipeline->options.mode,
        .live = is_live(pipeline), .started_at_ms = pipeline->started_at_ms, .now_ms = sq_clock_wall_ms(), .watermark_ms = INT64_MIN,
        .catch_up_seconds = -1, .share = 1, .engine = pipeline->options.engine,
        .model = pipeline->options.engine ? sq_engine_info(pipeline->options.engine) : NULL,
    };
    fill_state(pipeline, status);
    fill_score(pipeline, status);
    fill_alert(pipeline, status);
}

void sq_pipeline_entities(const struct sq_pipeline *pipeline, unsigned limit, sq_entity_view_fn each, void *ctx)
{
    const struct sq_stage *alert = alert_of(pipeline);
    if (!alert || !alert->owned.count) return;
    unsigned share = limit / alert->owned.count ? limit / alert->owned.count : 1;
    for (const struct sq_owned *owned = alert->owned.head; owned; owned = owned->next)
        sq_detector_view(sq_alert_stage_detector(owned), share, each, ctx);
}

void sq_pipeline_alerts(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_alert_fn each, void *ctx)
{
    sq_recent_alerts(pipeline->host.recent, after_seq, each, ctx);
}

void sq_pipeline_dead_letters(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_dead_letter_fn each, void *ctx)
{
    sq_recent_dead_letters(pipeline->host.recent, after_seq, each, ctx);
}

void sq_pipeline_series(const struct sq_pipeline *pipeline, int64_t since_second, sq_series_fn each, void *ctx)
{
    sq_recent_series(pipeline->host.recent, since_second, each, ctx);
}
