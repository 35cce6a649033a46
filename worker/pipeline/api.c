/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/base/metrics.h"
#include "worker/io/http.h"
#include "worker/io/kafka_version.h"
#include "worker/io/secret.h"
#include "worker/pipeline/api_entities.h"
#include "worker/pipeline/api_json.h"
#include "worker/pipeline/api_people.h"
#include "worker/pipeline/api_people_json.h"
#include "worker/pipeline/pipeline.h"
#include "worker/pipeline/predict.h"

enum {
    TICK_MS = SQ_HTTP_TICK_MS,
    ENTITIES_EVERY_TICKS = 2,
    QUERY_NUMBER_DIGITS = 18,
};

struct sq_api {
    struct sq_pipeline *pipeline;
    struct sq_http *http;
    int (*reload)(void *ctx, struct sq_buf *needs_a_restart, struct sq_err *err);
    void *reload_ctx;
    struct sq_timer *timer;
    struct sq_api_people *people;
    struct sq_buf event; /* reused for what the streams get */
    struct sq_api_entities entities;
    uint64_t tick;
    uint64_t alert_seq, dead_letter_seq; /* the last ones streamed */
    int64_t series_second;
    uint64_t labels[SQ_STATUS_LABELS_MAX]; /* texts by label, of the seconds before counted_until */
    int64_t counted_until, counting_until;
};

/* ?name=NUMBER; 0 when it is absent or no number. */
static uint64_t query_number(const struct sq_http_request *request, const char *name)
{
    const char *text = sq_http_query(request, name);
    size_t digits = text ? strspn(text, "0123456789") : 0;
    return digits > 0 && digits <= QUERY_NUMBER_DIGITS && text[digits] == '\0' ? strtoull(text, NULL, 10) : 0;
}

static void get_livez(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    struct sq_status status;
    sq_pipeline_status(((struct sq_api *)ctx)->pipeline, &status);
    reply->status = status.live ? 200 : 503;
    sq_api_write_probe(&status, &reply->body);
}

static void get_readyz(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    struct sq_status status;
    sq_pipeline_status(((struct sq_api *)ctx)->pipeline, &status);
    reply->status = status.ready ? 200 : 503;
    sq_api_write_probe(&status, &reply->body);
}

static void get_metrics(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    (void)ctx;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    sq_metrics_write(&reply->body);
}

static void get_info(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    struct sq_status status;
    sq_pipeline_status(((struct sq_api *)ctx)->pipeline, &status);
    sq_api_write_info(&status, &reply->body);
}

static void get_status(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    sq_api_write_status(((struct sq_api *)ctx)->pipeline, &reply->body);
}

static void get_alerts(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    struct sq_api *api = ctx;
    sq_buf_append_text(&reply->body, "{\"alerts\":");
    sq_api_write_alerts(api->pipeline, query_number(request, "after"), sq_http_shows_texts(api->http), NULL, &reply->body);
    sq_api_write_covered(sq_pipeline_alert(api->pipeline), &reply->body);
    sq_buf_append_char(&reply->body, '}');
}

static void get_dead_letters(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    sq_buf_append_text(&reply->body, "{\"dead_letters\":");
    sq_api_write_dead_letters(((struct sq_api *)ctx)->pipeline, query_number(request, "after"), NULL, &reply->body);
    sq_buf_append_char(&reply->body, '}');
}

static void get_entities(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    uint64_t limit = query_number(request, "limit");
    sq_buf_append_text(&reply->body, "{\"entities\":");
    sq_api_entities_write(&((struct sq_api *)ctx)->entities, limit && limit < SQ_API_ENTITIES_MAX ? (unsigned)limit : SQ_API_ENTITIES_MAX, true,
                          &reply->body);
    sq_buf_append_char(&reply->body, '}');
}

static void get_series(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    sq_buf_append_text(&reply->body, "{\"series\":");
    sq_api_write_series(((struct sq_api *)ctx)->pipeline, (int64_t)query_number(request, "since") - 1, NULL, &reply->body);
    sq_buf_append_char(&reply->body, '}');
}

/* All that a page needs to draw itself; what it gets later are differences. */
static void get_stream(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    struct sq_api *api = ctx;
    sq_buf_append_text(&reply->body, "{\"status\":");
    sq_api_write_status(api->pipeline, &reply->body);
    sq_buf_append_text(&reply->body, ",\"entities\":");
    sq_api_entities_write(&api->entities, SQ_API_ENTITIES_MAX, true, &reply->body);
    sq_buf_append_text(&reply->body, ",\"series\":");
    sq_api_write_series(api->pipeline, -1, NULL, &reply->body);
    sq_buf_append_text(&reply->body, ",\"alerts\":");
    sq_api_write_alerts(api->pipeline, 0, sq_http_shows_texts(api->http), NULL, &reply->body);
    sq_buf_append_text(&reply->body, ",\"dead_letters\":");
    sq_api_write_dead_letters(api->pipeline, 0, NULL, &reply->body);
    sq_buf_printf(&reply->body, ",\"texts\":%s}", sq_http_shows_texts(api->http) ? "true" : "false");
}

static void post_predict(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    sq_predict_post(sq_pipeline_predict(((struct sq_api *)ctx)->pipeline), call, body);
}

static void post_embed(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    sq_predict_post(sq_pipeline_embed(((struct sq_api *)ctx)->pipeline), call, body);
}

static void post_reload(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    const struct sq_api *api = ctx;
    struct sq_buf others, answer;
    struct sq_err err;
    (void)body;
    sq_buf_init(&others);
    sq_buf_init(&answer);
    if (api->reload && api->reload(api->reload_ctx, &others, &err) == 0) {
        sq_api_write_reloaded(sq_buf_view(&others), &answer);
        sq_buf_append_char(&answer, '\n');
        sq_http_call_answer(call, 200, "application/json", &answer);
    } else {
        sq_http_call_refuse(call, 409, "Conflict", api->reload ? err.message : "nothing to reload");
    }
    sq_buf_deinit(&others);
}

static void get_silences(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    sq_api_write_silences(sq_pipeline_alert(((struct sq_api *)ctx)->pipeline), &reply->body);
}

static void post_ack(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    sq_api_people_acknowledge(((struct sq_api *)ctx)->people, call, body);
}

static void post_silence(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    sq_api_people_silence(((struct sq_api *)ctx)->people, call, body);
}

static void delete_silence(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    (void)body;
    sq_api_people_unsilence(((struct sq_api *)ctx)->people, call);
}

static const struct sq_http_route routes[] = {
    {"/livez", get_livez, SQ_HTTP_PROBE, NULL},
    {"/readyz", get_readyz, SQ_HTTP_PROBE, NULL},
    {"/metrics", get_metrics, SQ_HTTP_PROBE, NULL},
    {"/info", get_info, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/status", get_status, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/alerts", get_alerts, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/alerts/*/ack", NULL, SQ_HTTP_PLAIN, post_ack},
    {"/api/v1/silences", get_silences, SQ_HTTP_PLAIN, post_silence},
    {"/api/v1/silences/*", NULL, SQ_HTTP_DELETE, delete_silence},
    {"/api/v1/dead-letters", get_dead_letters, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/entities", get_entities, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/series", get_series, SQ_HTTP_PLAIN, NULL},
    {"/api/v1/stream", get_stream, SQ_HTTP_STREAM, NULL},
    {"/-/reload", NULL, SQ_HTTP_PLAIN, post_reload},
    {"/predict", NULL, SQ_HTTP_PLAIN, post_predict},
    {"/embed", NULL, SQ_HTTP_PLAIN, post_embed},
};

/* Sends the event written into api->event, and empties it. */
static void stream_event(struct sq_api *api, const char *name)
{
    if (!sq_buf_failed(&api->event)) sq_http_stream_send(api->http, name, sq_buf_view(&api->event));
    sq_buf_clear(&api->event);
}

/* Lists that got nothing new are not sent. */
static void stream_list(struct sq_api *api, const char *name)
{
    if (api->event.bytes > 2) stream_event(api, name);
    sq_buf_clear(&api->event);
}

static void stream(struct sq_api *api)
{
    sq_api_write_status(api->pipeline, &api->event);
    stream_event(api, "status");
    sq_api_write_alerts(api->pipeline, api->alert_seq, sq_http_shows_texts(api->http), &api->alert_seq, &api->event);
    stream_list(api, "alerts");
    sq_api_write_dead_letters(api->pipeline, api->dead_letter_seq, &api->dead_letter_seq, &api->event);
    stream_list(api, "dead_letters");
    sq_api_write_series(api->pipeline, api->series_second, &api->series_second, &api->event);
    stream_list(api, "series");
    if (api->tick % ENTITIES_EVERY_TICKS) return;
    sq_api_entities_write(&api->entities, SQ_API_ENTITIES_MAX, false, &api->event);
    stream_event(api, "entities");
}

static void count_labels(const struct sq_series_point *point, void *ctx)
{
    struct sq_api *api = ctx;
    if (point->second >= api->counting_until) return; /* still running */
    for (unsigned i = 0; i < SQ_STATUS_LABELS_MAX; i++) api->labels[i] += point->labels[i];
    api->counted_until = point->second + 1;
}

static void on_tick(void *ctx)
{
    struct sq_api *api = ctx;
    struct sq_status status;
    sq_pipeline_status(api->pipeline, &status);
    api->tick++;
    sq_api_people_tick(api->people);
    sq_api_entities_refresh(&api->entities, api->pipeline, status.watermark_ms);
    api->counting_until = status.now_ms / 1000;
    sq_pipeline_series(api->pipeline, api->counted_until, count_labels, api);
    if (sq_http_streams_count(api->http)) stream(api);
}

/* A partition's number as a label value. */
struct partition_labels {
    char digits[16];
    struct sq_str values[2];
};

static const struct sq_str *labels_of(const struct sq_partition_view *view, struct partition_labels *labels)
{
    int bytes = snprintf(labels->digits, sizeof labels->digits, "%d", (int)view->partition);
    labels->values[0] = view->topic;
    labels->values[1] = (struct sq_str){labels->digits, (size_t)bytes};
    return labels->values;
}

static void collect_lag(const struct sq_partition_view *view, void *ctx)
{
    struct partition_labels labels;
    if (view->lag >= 0) sq_metrics_write_sample(ctx, SQ_MD_CONSUMER_LAG, labels_of(view, &labels), (double)view->lag);
}

static void collect_watermark(const struct sq_partition_view *view, void *ctx)
{
    struct partition_labels labels;
    if (view->watermark_ms == INT64_MIN) return;
    sq_metrics_write_sample(ctx, SQ_MD_WATERMARK, labels_of(view, &labels), (double)view->watermark_ms / 1000);
}

/* A series a member. */
static void collect_models(struct sq_buf *out, const struct sq_engine *engine)
{
    sq_metrics_write_family(out, SQ_MD_MODEL_INFO);
    for (unsigned i = 0; i < sq_engine_members_count(engine); i++) {
        const struct sq_model_info *model = sq_engine_info(sq_engine_member(engine, i));
        struct sq_str values[] = {sq_str_view(model->name), sq_str_view(model->xxh128), sq_str_view(model->precision_text)};
        sq_metrics_write_sample(out, SQ_MD_MODEL_INFO, values, 1);
    }
}

/* Absent before the first comparison. */
static void collect_shadow(struct sq_buf *out, const struct sq_status *status)
{
    bool is_known = status->shadow_model && status->shadow.agreed + status->shadow.differed > 0;
    struct sq_str name = sq_str_view(is_known ? status->shadow_model->name : "");
    sq_metrics_write_family(out, SQ_MD_SHADOW_AGREEMENT);
    if (is_known) sq_metrics_write_sample(out, SQ_MD_SHADOW_AGREEMENT, &name, sq_shadow_agreement(&status->shadow));
    sq_metrics_write_family(out, SQ_MD_SHADOW_DIFFERENCE);
    if (is_known) sq_metrics_write_sample(out, SQ_MD_SHADOW_DIFFERENCE, &name, sq_shadow_difference(&status->shadow));
}

static void collect_load(struct sq_buf *out, const struct sq_status *status)
{
    const struct {
        enum sq_metric_dynamic family;
        bool is_known;
        double value;
    } gauges[] = {
        {SQ_MD_THROUGHPUT, true, status->throughput},
        {SQ_MD_CATCH_UP, status->catch_up_seconds >= 0, status->catch_up_seconds},
        {SQ_MD_SCORED_SHARE, true, status->share},
    };
    const struct sq_str stage = SQ_STR("score");
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++) {
        sq_metrics_write_family(out, gauges[i].family);
        if (gauges[i].is_known && status->input_partitions) sq_metrics_write_sample(out, gauges[i].family, &stage, gauges[i].value);
    }
}

static void collect(struct sq_buf *out, void *ctx)
{
    const struct sq_api *api = ctx;
    struct sq_status status;
    sq_pipeline_status(api->pipeline, &status);
    const struct sq_model_info *model = status.model;
    sq_metrics_write_family(out, SQ_MD_BUILD_INFO);
    struct sq_str build[] = {sq_str_view(SQUALL_VERSION), sq_str_view(sq_kafka_version()), sq_str_view(model ? model->isa : "")};
    sq_metrics_write_sample(out, SQ_MD_BUILD_INFO, build, 1);
    if (model) {
        collect_models(out, status.engine);
        sq_metrics_write_family(out, SQ_MD_PREDICTIONS);
        for (unsigned i = 0; i < model->labels_count && i < SQ_STATUS_LABELS_MAX; i++) {
            struct sq_str label = sq_str_view(model->labels[i]);
            sq_metrics_write_sample(out, SQ_MD_PREDICTIONS, &label, (double)api->labels[i]);
        }
    }
    collect_shadow(out, &status);
    sq_metrics_write_family(out, SQ_MD_CONSUMER_LAG);
    sq_pipeline_partitions(api->pipeline, collect_lag, out);
    collect_load(out, &status);
    sq_metrics_write_family(out, SQ_MD_WATERMARK);
    sq_pipeline_partitions(api->pipeline, collect_watermark, out);
}

static int start(struct sq_api *api, struct sq_loop *loop, const struct sq_api_options *options, struct sq_err *err)
{
    struct sq_buf token;
    sq_buf_init(&token);
    bool has_token = options->token_file && options->token_file[0];
    int status = has_token ? sq_secret_read(&token, "http.token_file", options->token_file, err) : 0;
    struct sq_http_options http = {
        .listen = options->listen,
        .token = has_token ? token.data : NULL,
        .routes = routes,
        .routes_count = sizeof routes / sizeof *routes,
        .ctx = api,
    };
    if (status == 0 && !(api->people = sq_api_people_open(sq_pipeline_alert(api->pipeline))))
        status = sq_err_set(err, SQ_E_NOMEM, "no memory for the status API");
    if (status == 0) status = sq_http_open(&api->http, loop, &http, err);
    if (status == 0) status = sq_timer_open(&api->timer, loop, TICK_MS, on_tick, api, err);
    if (status == 0) status = sq_metrics_collector_add(collect, api);
    sq_buf_deinit(&token);
    return status;
}

int sq_api_open(struct sq_api **out, struct sq_loop *loop, struct sq_pipeline *pipeline, const struct sq_api_options *options,
                struct sq_err *err)
{
    *out = NULL;
    struct sq_api *api = calloc(1, sizeof *api);
    if (!api) return sq_err_set(err, SQ_E_NOMEM, "no memory for the status API");
    api->pipeline = pipeline;
    api->reload = options->reload;
    api->reload_ctx = options->reload_ctx;
    sq_buf_init(&api->event);
    int status = options->listen && options->listen[0] ? start(api, loop, options, err) : 0;
    if (status == 0) *out = api;
    else sq_api_close(api);
    return status;
}

void sq_api_close(struct sq_api *api)
{
    if (!api) return;
    sq_metrics_collector_remove(api);
    sq_timer_close(api->timer);
    sq_predict_stop(sq_pipeline_predict(api->pipeline));
    sq_predict_stop(sq_pipeline_embed(api->pipeline));
    sq_api_people_close(api->people);
    sq_http_close(api->http);
    sq_buf_deinit(&api->event);
    free(api);
}

const char *sq_api_url(const struct sq_api *api) { return api->http ? sq_http_url(api->http) : ""; }
