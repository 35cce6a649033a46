/* SPDX-License-Identifier: Apache-2.0 */
/* The real HTTP server, API and page over a worker that is made up, so that test_page.py can see every state of the page without a broker
 * or a stream. usage: page_server MODEL empty|calm|firing|resolved [LISTEN [TOKEN_FILE]]; prints its URL. `resolved` fires for six seconds
 * first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/loop.h"
#include "worker/pipeline/alert_stage.h"
#include "worker/pipeline/api.h"
#include "worker/pipeline/pipeline.h"

enum { PARTITIONS = 6, STEP_MIN = 30, FIRING_TICKS = 24, ALERT_ID = 0xabc };

struct sq_pipeline {
    enum { EMPTY, CALM, FIRING, RESOLVED } scene;
    struct sq_engine *engine;
    int64_t started_ms, event_ms;
    unsigned looks; /* at the status: the fake's clock */
};

/* ---- the pipeline as api.c sees it ---- */

struct sq_predict *sq_pipeline_predict(struct sq_pipeline *pipeline) { return (void)pipeline, NULL; }
struct sq_predict *sq_pipeline_embed(struct sq_pipeline *pipeline) { return (void)pipeline, NULL; }
struct sq_alert_stage *sq_pipeline_alert(struct sq_pipeline *pipeline) { return (struct sq_alert_stage *)pipeline; }

/* Everything can be said of the one alert. */
int sq_alert_stage_acknowledge(struct sq_alert_stage *stage, uint64_t alert_id, struct sq_receipt *receipt, bool *found, struct sq_err *err)
{
    (void)stage;
    (void)receipt;
    (void)err;
    *found = alert_id == ALERT_ID;
    return 0;
}

int sq_alert_stage_silence(struct sq_alert_stage *stage, const struct sq_silence *silence, struct sq_receipt *receipt,
                           struct sq_alert_coverage *coverage, struct sq_err *err)
{
    (void)stage;
    (void)receipt;
    (void)silence;
    (void)err;
    *coverage = (struct sq_alert_coverage){.partition = 0, .partitions = 1, .owned = 1, .covered = 1};
    return 0;
}

struct sq_alert_coverage sq_alert_stage_coverage(const struct sq_alert_stage *stage)
{
    (void)stage;
    return (struct sq_alert_coverage){.partition = -1, .partitions = 12, .owned = 12, .covered = 12};
}

struct sq_alert_coverage sq_alert_stage_unsilence(struct sq_alert_stage *stage, uint64_t id, struct sq_receipt *receipt)
{
    (void)stage;
    (void)receipt;
    (void)id;
    return (struct sq_alert_coverage){0};
}

void sq_alert_stage_silences(const struct sq_alert_stage *stage, sq_alert_silence_fn each, void *ctx)
{
    (void)stage;
    (void)each;
    (void)ctx;
}

const char *sq_worker_state_word(enum sq_worker_state state)
{
    static const char *const words[] = {"starting", "restoring", "running", "draining"};
    return words[state];
}

static bool fires(const struct sq_pipeline *p) { return p->scene == FIRING || (p->scene == RESOLVED && p->looks < FIRING_TICKS); }

void sq_pipeline_status(const struct sq_pipeline *pipeline, struct sq_status *status)
{
    bool empty = pipeline->scene == EMPTY;
    *status = (struct sq_status){
        .app = "demo", .instance = "worker-1", .mode = "demo", .state = empty ? SQ_WORKER_STARTING : SQ_WORKER_RUNNING, .ready = !empty,
        .live = true, .started_at_ms = pipeline->started_ms, .now_ms = sq_clock_wall_ms(), .watermark_ms = empty ? INT64_MIN : pipeline->event_ms,
        .engine = pipeline->engine, .model = empty ? NULL : sq_engine_info(pipeline->engine), .engine_threads = 2, .consumed = empty ? 0 : 5432, .scored = empty ? 0 : 5400,
        .dead_lettered = empty ? 0 : 2, .transitions = {fires(pipeline) || pipeline->scene == RESOLVED, 0, pipeline->scene == RESOLVED && !fires(pipeline)},
        .firing = fires(pipeline), .entities = empty ? 0 : 3, .input_partitions = empty ? 0 : PARTITIONS, .scores_partitions = empty ? 0 : 12,
        .lag = empty ? -1 : 30, .in_flight = 30, .in_flight_max = 512,
    };
    if (empty) snprintf(status->why, sizeof status->why, "no broker answers at 127.0.0.1:9092");
}

void sq_pipeline_partitions(const struct sq_pipeline *pipeline, sq_partition_view_fn each, void *ctx)
{
    for (int i = 0; pipeline->scene != EMPTY && i < PARTITIONS; i++) {
        struct sq_partition_view view = {.stage = 0, .topic = SQ_STR("demo.posts"), .partition = i, .next_offset = 100 * i, .state = "ok",
                                         .end_offset = 110 * i, .lag = 10 * i, .watermark_ms = INT64_MIN, .restored = 1};
        each(&view, ctx);
    }
}

void sq_pipeline_entities(const struct sq_pipeline *pipeline, unsigned limit, sq_entity_view_fn each, void *ctx)
{
    static const char *const names[] = {"acme", "<b>globex</b> & \"co\"", "initech"};
    for (unsigned i = 0; pipeline->scene != EMPTY && i < limit && i < 3; i++) {
        bool fire = fires(pipeline) && i == 0;
        uint32_t wave = (pipeline->looks * 7 + i * 5) % 9;
        struct sq_entity_view view = {
            .rule = SQ_STR("NegativeSpike"), .entity = sq_str_view(names[i]), .count = 40 + wave, .matched = fire ? 30 : 5 + wave / 3,
            .count_long = 160, .matched_long = fire ? 104 : 20, .baseline_rate = 0.14, .baseline_low = 0.06, .baseline_high = 0.24,
            .strength = fire ? 9.5 : 0.4, .threshold = 3.3, .firing = fire, .severity = SQ_SEVERITY_CRITICAL, .alert_id = ALERT_ID,
            .starts_at_ms = pipeline->event_ms - 1800000,
        };
        each(&view, ctx);
    }
}

static void give_alert(const struct sq_pipeline *pipeline, uint64_t seq, bool over, sq_recent_alert_fn each, void *ctx)
{
    static const char form[] =
        "{\"state\":\"%s\",\"reason\":\"%s\",\"fingerprint\":\"00000000000000aa\",\"alert_id\":\"0000000000000abc\",\"seq\":%d,"
        "\"app\":\"demo\",\"rule\":\"NegativeSpike\",\"entity\":\"acme\",\"severity\":\"critical\",\"summary\":\"acme: 30 of 44 negative\","
        "\"starts_at\":\"2026-01-31T12:00:00Z\",\"at\":\"2026-01-31T%s:00:00Z\",\"window\":{\"start\":\"2026-01-31T11:45:00Z\",\"end\":"
        "\"2026-01-31T12:00:00Z\"},\"stats\":{\"count\":44,\"matched\":30,\"rate\":0.68,\"baseline\":{\"rate\":0.14,\"low\":0.06,\"high\":0.24,"
        "\"messages\":900},\"strength\":9.5,\"threshold\":3.3,\"distinct_authors\":21},\"examples\":[{\"topic\":\"demo.posts\",\"partition\":2,"
        "\"offset\":\"77\",\"ts\":\"2026-01-31T11:58:00Z\",\"label\":\"negative\",\"score\":0.98,\"excerpt\":\"<img src=x onerror=alert(1)> it broke\"}]}";
    char json[2048];
    int bytes = snprintf(json, sizeof json, form, over ? "RESOLVED" : "FIRING", over ? "calm" : "threshold", over, over ? "14" : "12");
    struct sq_recent_alert alert = {.seq = seq, .alert_id = ALERT_ID, .state = over ? SQ_ALERT_RESOLVED : SQ_ALERT_FIRING, .rule = "NegativeSpike",
                                    .entity = "acme", .seen_ms = pipeline->started_ms, .json = {json, (size_t)bytes}};
    each(&alert, ctx);
}

void sq_pipeline_alerts(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_alert_fn each, void *ctx)
{
    if (pipeline->scene < FIRING) return;
    if (after_seq < 1) give_alert(pipeline, 1, false, each, ctx);
    if (after_seq < 2 && !fires(pipeline)) give_alert(pipeline, 2, true, each, ctx);
}

void sq_pipeline_dead_letters(const struct sq_pipeline *pipeline, uint64_t after_seq, sq_recent_dead_letter_fn each, void *ctx)
{
    for (uint64_t seq = after_seq + 1; pipeline->scene != EMPTY && seq <= 2; seq++) {
        struct sq_recent_dead_letter letter = {seq, "demo.posts", 3, (int64_t)seq, pipeline->started_ms, "missing_field", "text: absent"};
        each(&letter, ctx);
    }
}

void sq_pipeline_series(const struct sq_pipeline *pipeline, int64_t since_second, sq_series_fn each, void *ctx)
{
    int64_t now = sq_clock_wall_ms() / 1000, begin = now - 120 > since_second ? now - 120 : since_second;
    for (int64_t second = begin; pipeline->scene != EMPTY && second <= now; second++) {
        uint32_t wave = (uint32_t)(second * 37 % 23);
        struct sq_series_point point = {second, 130 + wave, 130 + wave, 0, {20 + wave / 2, 60, 50 + wave - wave / 2}};
        each(&point, ctx);
    }
}

static void pass_time(void *ctx)
{
    struct sq_pipeline *pipeline = ctx;
    pipeline->looks++;
    if (pipeline->event_ms < pipeline->started_ms) pipeline->event_ms += STEP_MIN * 60000;
}

int main(int argc, char **argv)
{
    static const char *const scenes[] = {"empty", "calm", "firing", "resolved"};
    struct sq_pipeline pipeline = {.started_ms = sq_clock_wall_ms()};
    pipeline.event_ms = pipeline.started_ms - 18 * 3600000;
    unsigned scene = 0;
    while (scene < 4 && (argc < 3 || strcmp(argv[2], scenes[scene]) != 0)) scene++;
    if (scene == 4) return 2;
    memcpy(&pipeline.scene, &scene, sizeof scene);

    struct sq_loop *loop;
    struct sq_api *api;
    struct sq_timer *timer;
    struct sq_err err;
    struct sq_api_options options = {.listen = argc > 3 ? argv[3] : "127.0.0.1:0", .token_file = argc > 4 ? argv[4] : ""};
    int status = sq_engine_open(&pipeline.engine, &(struct sq_engine_options){.model_path = argv[1]}, &err);
    if (status == 0) status = sq_loop_open(&loop, &err);
    if (status == 0) status = sq_timer_open(&timer, loop, 250, pass_time, &pipeline, &err);
    if (status == 0) status = sq_api_open(&api, loop, &pipeline, &options, &err);
    if (status != 0) {
        fprintf(stderr, "page_server: %s\n", err.message);
        return sq_err_exit_code(status);
    }
    for (int i = 0; i < 100; i++) sq_metric_observe(SQ_M_END_TO_END_SECONDS, 0, 0.02 * i);
    printf("%s\n", sq_api_url(api));
    fflush(stdout);
    sq_loop_run(loop);
    return 0;
}
