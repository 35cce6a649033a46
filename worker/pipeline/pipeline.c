/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/pipeline.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/log.h"
#include "worker/pipeline/overload.h"
#include "worker/pipeline/pipeline_parts.h"
#include "worker/pipeline/watchdog.h"

enum { TICK_MS = 20, SECOND_MS = 1000 };

/* The stages that are on. */
static unsigned stages_of(struct sq_pipeline *pipeline, struct sq_stage *stages[2])
{
    unsigned count = 0;
    if (pipeline->score) stages[count++] = sq_score_stage_base(pipeline->score);
    if (pipeline->alert) stages[count++] = sq_alert_stage_base(pipeline->alert);
    return count;
}

static void end(struct sq_pipeline *pipeline, int exit_code)
{
    pipeline->exit_code = exit_code;
    sq_loop_stop(pipeline->options.loop);
}

static void on_failed(const struct sq_err *err, void *ctx)
{
    struct sq_pipeline *pipeline = ctx;
    sq_log(SQ_LOG_ERROR, SQ_L("the worker can't go on"), SQ_LS("error", sq_err_word(err->code)), SQ_LS("reason", err->message));
    int exit_code = sq_err_exit_code(err->code);
    end(pipeline, exit_code ? exit_code : 1);
}

/* ---- timers ---- */

static void check_stopped(struct sq_pipeline *pipeline)
{
    struct sq_stage *stages[2];
    unsigned count = stages_of(pipeline, stages);
    bool has_left = true;
    for (unsigned i = 0; i < count; i++) has_left &= stages[i]->has_left;
    if (has_left) {
        end(pipeline, pipeline->exit_code);
    } else if (sq_clock_monotonic_ns() >= pipeline->stop_deadline_ns) {
        sq_log(SQ_LOG_ERROR, SQ_L("not drained within shutdown_timeout; what is not committed will be read again"),
               SQ_LI("timeout_ms", pipeline->options.config->shutdown_timeout_ms));
        end(pipeline, 1);
    }
}

/* Once ready, ready for good: a rebalance must not make supervisors restart the worker. */
static void check_ready(struct sq_pipeline *pipeline)
{
    if (pipeline->is_ready) return;
    bool score = !pipeline->score || sq_score_stage_base(pipeline->score)->has_assignment;
    bool alert = !pipeline->alert || sq_alert_stage_is_ready(pipeline->alert);
    pipeline->is_ready = score && alert;
    if (pipeline->is_ready)
        sq_log(SQ_LOG_INFO, SQ_L("ready"), SQ_LR("seconds", (double)(sq_clock_wall_ms() - pipeline->started_at_ms) * 1e-3));
}

static void on_tick(void *ctx)
{
    struct sq_pipeline *pipeline = ctx;
    struct sq_stage *stages[2];
    unsigned count = stages_of(pipeline, stages);
    uint64_t now_ns = sq_clock_monotonic_ns();
    double late = (double)(now_ns - pipeline->tick_ns) * 1e-9 - TICK_MS * 1e-3;
    pipeline->tick_ns = now_ns;
    sq_metric_observe(SQ_M_LOOP_DELAY_SECONDS, 0, late > 0 ? late : 0);
    for (unsigned i = 0; i < count; i++) sq_stage_tick(stages[i]);
    check_ready(pipeline);
    if (pipeline->is_stopping) check_stopped(pipeline);
}

/* What waits to be scored happened a while ago: until it is, the clock doesn't tell how far event time has come. */
static bool is_behind(const struct sq_pipeline *pipeline)
{
    if (!pipeline->score) return false;
    bool is_behind = pipeline->load.is_behind;
    for (const struct sq_owned *owned = sq_score_stage_base(pipeline->score)->owned.head; owned; owned = owned->next) is_behind |= owned->is_stalled;
    return is_behind;
}

static void on_second(void *ctx)
{
    struct sq_pipeline *pipeline = ctx;
    sq_watchdog_second(pipeline);
    sq_recent_second(pipeline->host.recent, sq_clock_wall_ms());
    if (pipeline->score) sq_overload_second(pipeline);
    if (pipeline->alert) sq_alert_stage_second(pipeline->alert, is_behind(pipeline));
}

/* ---- open, run, stop ---- */

/* What it may come to use, so that whoever sets a limit knows. librdkafka's part is not a hard bound, so a cgroup should be one. */
static void log_budget(const struct sq_pipeline *pipeline, unsigned threads)
{
    const struct sq_model_info *model = pipeline->options.engine ? sq_engine_info(pipeline->options.engine) : NULL;
    const size_t mib = 1 << 20;
    size_t stages = (pipeline->score ? 1u : 0) + (pipeline->alert ? 1u : 0);
    const struct sq_model_info *embedder = pipeline->options.embedder ? sq_engine_info(pipeline->options.embedder) : NULL;
    const struct sq_model_info *shadow = pipeline->options.shadow ? sq_engine_info(pipeline->options.shadow) : NULL;
    size_t weights = (model ? model->weights_bytes : 0) + (embedder ? embedder->weights_bytes : 0);
    size_t arenas = ((model ? model->session_bytes : 0) + (embedder ? embedder->session_bytes : 0)) * threads;
    size_t shadowed = shadow ? shadow->weights_bytes + shadow->session_bytes + SQ_SHADOW_QUEUE_TEXTS * pipeline->options.config->input.format.bytes_max : 0;
    size_t slots = pipeline->score ? sq_slots_bytes(sq_score_stage_slots(threads)) + SQ_SLOT_EXTRA_BYTES_MAX : 0;
    size_t cache = pipeline->score ? sq_pool_cache_bytes(pipeline->options.engine, pipeline->options.config->model.score_cache_texts) : 0;
    size_t queued = stages * (16 * mib + 8 * mib), outputs = stages * 4 * mib;
    sq_log(SQ_LOG_INFO, SQ_L("memory budget"), SQ_LI("weights_mib", weights / mib), SQ_LI("engine_arenas_mib", arenas / mib),
           SQ_LI("score_cache_mib", cache / mib), SQ_LI("shadow_model_mib", shadowed / mib),
           SQ_LI("in_flight_records", pipeline->score ? sq_score_stage_slots(threads) : 0), SQ_LI("in_flight_mib", slots / mib),
           SQ_LI("kafka_queues_mib", queued / mib), SQ_LI("outputs_mib", outputs / mib),
           SQ_LI("sum_mib", (weights + arenas + cache + shadowed + slots + queued + outputs) / mib));
}

/* Vectors have threads of their own; both kinds together may want more than there are cores, which the kernel shares out. */
static int open_predict(struct sq_pipeline *pipeline, unsigned threads, struct sq_err *err)
{
    const struct sq_pipeline_options *options = &pipeline->options;
    struct sq_predict_options predict = {.loop = options->loop, .engine = options->engine, .threads = threads,
                                         .texts_max = options->config->http.pending_max};
    int status = 0;
    if (pipeline->score) {
        predict.pool = sq_score_stage_pool(pipeline->score);
        status = sq_predict_open(&pipeline->predict, &predict, err);
    }
    if (status < 0 || !options->embedder) return status;
    predict.engine = options->embedder;
    predict.pool = NULL;
    return sq_predict_open(&pipeline->embed, &predict, err);
}

static int open_shadow(struct sq_pipeline *pipeline, struct sq_err *err)
{
    const struct sq_pipeline_options *options = &pipeline->options;
    if (!options->shadow || !options->score_source) return 0;
    return sq_shadow_open(&pipeline->host.shadow, options->shadow, options->engine, options->config->model.shadow_sample, err);
}

static int open_stages(struct sq_pipeline *pipeline, struct sq_err *err)
{
    const struct sq_pipeline_options *options = &pipeline->options;
    unsigned threads = options->config->model.threads ? options->config->model.threads : sq_pool_threads_default();
    int status = open_shadow(pipeline, err);
    if (status == 0 && options->score_source)
        status = sq_score_stage_open(&pipeline->score, &pipeline->host, options->score_source, options->score_sink, threads, err);
    if (status == 0 && options->alert_source)
        status = sq_alert_stage_open(&pipeline->alert, &pipeline->host, options->alert_source, options->alert_sink,
                                     options->state_reader, err);
    if (status == 0) status = open_predict(pipeline, threads, err);
    if (status == 0) log_budget(pipeline, threads);
    return status;
}

struct sq_predict *sq_pipeline_predict(struct sq_pipeline *pipeline) { return pipeline->predict; }
struct sq_alert_stage *sq_pipeline_alert(struct sq_pipeline *pipeline) { return pipeline->alert; }
struct sq_predict *sq_pipeline_embed(struct sq_pipeline *pipeline) { return pipeline->embed; }

int sq_pipeline_open(struct sq_pipeline **out, const struct sq_pipeline_options *options, struct sq_err *err)
{
    *out = NULL;
    struct sq_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) return sq_err_set(err, SQ_E_NOMEM, "no memory for the pipeline");
    pipeline->options = *options;
    pipeline->started_at_ms = sq_clock_wall_ms();
    pipeline->tick_ns = sq_clock_monotonic_ns();
    pipeline->host = (struct sq_stage_host){.loop = options->loop, .config = options->config, .engine = options->engine,
                                            .mode = options->mode, .failed = on_failed, .ctx = pipeline};
    sq_dead_letters_init(&pipeline->host.letters, options->config);
    sq_overload_init(pipeline);
    int status = sq_recent_open(&pipeline->host.recent, err);
    if (status == 0) status = open_stages(pipeline, err);
    if (status == 0) status = sq_timer_open(&pipeline->tick_timer, options->loop, TICK_MS, on_tick, pipeline, err);
    if (status == 0) status = sq_timer_open(&pipeline->second_timer, options->loop, SECOND_MS, on_second, pipeline, err);
    if (status) sq_pipeline_close(pipeline);
    else *out = pipeline;
    return status;
}

int sq_pipeline_run(struct sq_pipeline *pipeline)
{
    struct sq_stage *stages[2];
    unsigned count = stages_of(pipeline, stages);
    for (unsigned i = 0; i < count; i++) sq_stage_start(stages[i]);
    sq_loop_run(pipeline->options.loop);
    return pipeline->exit_code;
}

void sq_pipeline_stop(struct sq_pipeline *pipeline)
{
    struct sq_stage *stages[2];
    if (pipeline->is_stopping) return;
    unsigned count = stages_of(pipeline, stages);
    pipeline->is_stopping = true;
    pipeline->stop_deadline_ns = sq_clock_monotonic_ns() + (uint64_t)pipeline->options.config->shutdown_timeout_ms * UINT64_C(1000000);
    for (unsigned i = 0; i < count; i++) sq_stage_stop(stages[i]);
}

int sq_pipeline_reload(struct sq_pipeline *pipeline, const struct sq_config *config, struct sq_err *err)
{
    return pipeline->alert ? sq_alert_stage_reload(pipeline->alert, config, err) : 0;
}

void sq_pipeline_close(struct sq_pipeline *pipeline)
{
    if (!pipeline) return;
    sq_timer_close(pipeline->tick_timer);
    sq_timer_close(pipeline->second_timer);
    sq_score_stage_close(pipeline->score);
    sq_alert_stage_close(pipeline->alert);
    sq_predict_close(pipeline->predict);
    sq_predict_close(pipeline->embed);
    sq_shadow_close(pipeline->host.shadow);
    sq_recent_close(pipeline->host.recent);
    free(pipeline);
}
