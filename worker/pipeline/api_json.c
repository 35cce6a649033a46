/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/api_json.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/base/metrics.h"

static const char *const stage_words[] = {SQ_STAGES};

static void write_text(struct sq_buf *out, const char *key, const char *value)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(value));
}

static void write_whole(struct sq_buf *out, const char *key, int64_t value)
{
    sq_json_write_key(out, key);
    sq_buf_printf(out, "%lld", (long long)value);
}

/* A number that `unknown` stands for the lack of. */
static void write_known(struct sq_buf *out, const char *key, int64_t value, int64_t unknown)
{
    sq_json_write_key(out, key);
    if (value == unknown) sq_buf_append_text(out, "null");
    else sq_buf_printf(out, "%lld", (long long)value);
}

static void write_bool(struct sq_buf *out, const char *key, bool value)
{
    sq_json_write_key(out, key);
    sq_buf_append_text(out, value ? "true" : "false");
}

void sq_api_write_precisions(const struct sq_model_info *model, struct sq_buf *out)
{
    static const char *const products[SQ_PRODUCTS] = {
        [SQ_PRODUCT_QKV] = "qkv", [SQ_PRODUCT_OUTPUT] = "output", [SQ_PRODUCT_UP] = "up", [SQ_PRODUCT_DOWN] = "down"};
    sq_json_write_key(out, "precisions");
    sq_buf_append_char(out, '[');
    for (unsigned layer = 0; layer < model->layers; layer++) {
        sq_buf_append_text(out, layer ? ",{" : "{");
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) write_text(out, products[product], model->precisions[layer][product]);
        sq_buf_append_char(out, '}');
    }
    sq_buf_append_char(out, ']');
}

static void write_model(const struct sq_model_info *model, struct sq_buf *out)
{
    sq_json_write_key(out, "model");
    if (!model) {
        sq_buf_append_text(out, "null");
        return;
    }
    sq_buf_append_char(out, '{');
    write_text(out, "name", model->name);
    write_text(out, "architecture", model->architecture);
    write_text(out, "digest", model->xxh128);
    write_text(out, "dtype", model->dtype);
    write_text(out, "kernels", model->isa);
    write_text(out, "precision", model->precision_text);
    sq_api_write_precisions(model, out);
    write_whole(out, "layers", model->layers);
    write_whole(out, "hidden", model->hidden);
    write_whole(out, "tokens_max", model->tokens_max);
    sq_json_write_key(out, "labels");
    for (unsigned i = 0; i < model->labels_count; i++) {
        sq_buf_append_char(out, i ? ',' : '[');
        sq_json_write_str(out, sq_str_view(model->labels[i]));
    }
    sq_buf_append_text(out, "]}");
}

static void write_partition(const struct sq_partition_view *view, void *ctx)
{
    struct sq_buf *out = ctx;
    sq_buf_append_text(out, out->data[out->bytes - 1] == '[' ? "{" : ",{");
    write_text(out, "stage", stage_words[view->stage]);
    sq_json_write_key(out, "topic");
    sq_json_write_str(out, view->topic);
    write_whole(out, "partition", view->partition);
    write_known(out, "next_offset", view->next_offset, -1);
    write_known(out, "end_offset", view->end_offset, -1);
    write_known(out, "lag", view->lag, -1);
    write_known(out, "last_processed_at", view->last_processed_ms, 0);
    write_known(out, "watermark", view->watermark_ms, INT64_MIN);
    write_text(out, "state", view->state);
    sq_json_write_key(out, "restored");
    sq_json_write_real(out, view->restored);
    sq_buf_append_char(out, '}');
}

static void write_latency(struct sq_buf *out)
{
    static const struct {
        const char *key;
        double quantile;
    } quantiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    sq_json_write_key(out, "latency_seconds");
    sq_buf_append_char(out, '{');
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        sq_json_write_key(out, quantiles[i].key);
        sq_json_write_real(out, sq_metric_quantile(SQ_M_END_TO_END_SECONDS, 0, quantiles[i].quantile));
    }
    sq_buf_append_char(out, '}');
}

/* No number for what is unknown or never. */
static void write_load(const struct sq_status *status, struct sq_buf *out)
{
    bool is_finite = status->catch_up_seconds >= 0 && isfinite(status->catch_up_seconds);
    sq_json_write_key(out, "throughput");
    sq_json_write_real(out, status->throughput);
    sq_json_write_key(out, "catch_up_seconds");
    if (is_finite) sq_json_write_real(out, status->catch_up_seconds);
    else sq_buf_append_text(out, "null");
    sq_json_write_key(out, "share");
    sq_json_write_real(out, status->share);
    write_bool(out, "behind", status->is_behind);
}

static void write_counts(const struct sq_status *status, struct sq_buf *out)
{
    write_whole(out, "consumed", (int64_t)status->consumed);
    write_whole(out, "scored", (int64_t)status->scored);
    write_whole(out, "dead_lettered", (int64_t)status->dead_lettered);
    write_whole(out, "in_flight", (int64_t)status->in_flight);
    write_whole(out, "in_flight_max", (int64_t)status->in_flight_max);
    write_whole(out, "skipped", (int64_t)status->skipped);
    write_known(out, "lag", status->lag, -1);
    write_load(status, out);
    write_whole(out, "entities", status->entities);
    write_whole(out, "firing", status->firing);
    sq_json_write_key(out, "transitions");
    sq_buf_append_char(out, '{');
    write_whole(out, "firing", (int64_t)status->transitions[SQ_ALERT_FIRING]);
    write_whole(out, "updated", (int64_t)status->transitions[SQ_ALERT_UPDATED]);
    write_whole(out, "resolved", (int64_t)status->transitions[SQ_ALERT_RESOLVED]);
    sq_buf_append_char(out, '}');
    write_whole(out, "input_partitions", status->input_partitions);
    write_whole(out, "scores_partitions", status->scores_partitions);
}

static void write_share(struct sq_buf *out, const char *key, double share)
{
    sq_json_write_key(out, key);
    sq_json_write_real(out, share);
}

/* null without one. */
static void write_shadow(const struct sq_status *status, struct sq_buf *out)
{
    sq_json_write_key(out, "shadow");
    if (!status->shadow_model) {
        sq_buf_append_text(out, "null");
        return;
    }
    sq_buf_append_char(out, '{');
    write_text(out, "model", status->shadow_model->name);
    write_whole(out, "agreed", (int64_t)status->shadow.agreed);
    write_whole(out, "differed", (int64_t)status->shadow.differed);
    write_whole(out, "skipped", (int64_t)status->shadow.skipped);
    write_share(out, "agreement", sq_shadow_agreement(&status->shadow));
    write_share(out, "mean_difference", sq_shadow_difference(&status->shadow));
    sq_buf_append_char(out, '}');
}

void sq_api_write_status(const struct sq_pipeline *pipeline, struct sq_buf *out)
{
    struct sq_status status;
    sq_pipeline_status(pipeline, &status);
    sq_buf_append_char(out, '{');
    write_text(out, "app", status.app);
    write_text(out, "instance", status.instance);
    write_text(out, "mode", status.mode);
    write_text(out, "version", SQUALL_VERSION);
    write_text(out, "state", sq_worker_state_word(status.state));
    write_text(out, "why", status.why);
    write_bool(out, "ready", status.ready);
    write_bool(out, "live", status.live);
    write_whole(out, "started_at", status.started_at_ms);
    write_whole(out, "now", status.now_ms);
    write_known(out, "watermark", status.watermark_ms, INT64_MIN);
    write_model(status.model, out);
    write_shadow(&status, out);
    write_whole(out, "engine_threads", status.engine_threads);
    write_counts(&status, out);
    write_latency(out);
    sq_json_write_key(out, "partitions");
    sq_buf_append_char(out, '[');
    sq_pipeline_partitions(pipeline, write_partition, out);
    sq_buf_append_text(out, "]}");
}

void sq_api_write_info(const struct sq_status *status, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    write_text(out, "name", "squall");
    write_text(out, "version", SQUALL_VERSION);
    write_text(out, "app", status->app);
    write_text(out, "instance", status->instance);
    write_text(out, "mode", status->mode);
    write_whole(out, "engine_threads", status->engine_threads);
    write_whole(out, "in_flight_max", (int64_t)status->in_flight_max);
    write_model(status->model, out);
    sq_buf_append_char(out, '}');
}

void sq_api_write_probe(const struct sq_status *status, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    write_bool(out, "live", status->live);
    write_bool(out, "ready", status->ready);
    write_text(out, "state", sq_worker_state_word(status->state));
    write_text(out, "why", status->why);
    sq_buf_append_char(out, '}');
}

void sq_api_write_reloaded(struct sq_str others, struct sq_buf *out)
{
    static const char between[] = ", ";
    sq_buf_append_text(out, "{\"ok\":true,\"needs_a_restart\":[");
    for (bool is_first = true; others.bytes; is_first = false) {
        size_t bytes = 0;
        while (bytes < others.bytes && others.data[bytes] != between[0]) bytes++;
        if (!is_first) sq_buf_append_char(out, ',');
        sq_json_write_str(out, (struct sq_str){others.data, bytes});
        if (bytes < others.bytes) bytes += sizeof between - 1;
        others = (struct sq_str){others.data + bytes, others.bytes - bytes};
    }
    sq_buf_append_text(out, "]}");
}

/* The alert without what was said in it. */
static void write_without_texts(struct sq_str json, struct sq_buf *out)
{
    json_t *alert = json_loadb(json.data, json.bytes, 0, NULL);
    json_object_del(alert, "examples");
    char *text = alert ? json_dumps(alert, JSON_COMPACT) : NULL;
    sq_buf_append_text(out, text ? text : "null");
    free(text);
    json_decref(alert);
}

void sq_api_write_alert(const struct sq_recent_alert *alert, bool with_texts, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    write_whole(out, "seq", (int64_t)alert->seq);
    write_bool(out, "restored", alert->restored);
    write_whole(out, "seen_at", alert->seen_ms);
    sq_json_write_key(out, "alert");
    if (with_texts) sq_buf_append_str(out, alert->json);
    else write_without_texts(alert->json, out);
    sq_buf_append_char(out, '}');
}

/* Where the items of an array go, and the number of the newest. */
struct list {
    struct sq_buf *out;
    int64_t last;
    bool with_texts, started;
    unsigned labels_count;
    int64_t end; /* series: the running second, left out */
};

static void list_comma(struct list *list)
{
    if (list->started) sq_buf_append_char(list->out, ',');
    list->started = true;
}

static void list_alert(const struct sq_recent_alert *alert, void *ctx)
{
    struct list *list = ctx;
    list_comma(list);
    sq_api_write_alert(alert, list->with_texts, list->out);
    list->last = (int64_t)alert->seq;
}

void sq_api_write_alerts(const struct sq_pipeline *pipeline, uint64_t after_seq, bool with_texts, uint64_t *last_seq, struct sq_buf *out)
{
    struct list list = {.out = out, .last = (int64_t)after_seq, .with_texts = with_texts};
    sq_buf_append_char(out, '[');
    sq_pipeline_alerts(pipeline, after_seq, list_alert, &list);
    sq_buf_append_char(out, ']');
    if (last_seq) *last_seq = (uint64_t)list.last;
}

static void list_dead_letter(const struct sq_recent_dead_letter *letter, void *ctx)
{
    struct list *list = ctx;
    list_comma(list);
    sq_buf_append_char(list->out, '{');
    write_whole(list->out, "seq", (int64_t)letter->seq);
    write_text(list->out, "topic", letter->topic);
    write_whole(list->out, "partition", letter->partition);
    write_whole(list->out, "offset", letter->offset);
    write_whole(list->out, "seen_at", letter->seen_ms);
    write_text(list->out, "reason", letter->reason);
    write_text(list->out, "message", letter->message);
    sq_buf_append_char(list->out, '}');
    list->last = (int64_t)letter->seq;
}

void sq_api_write_dead_letters(const struct sq_pipeline *pipeline, uint64_t after_seq, uint64_t *last_seq, struct sq_buf *out)
{
    struct list list = {.out = out, .last = (int64_t)after_seq};
    sq_buf_append_char(out, '[');
    sq_pipeline_dead_letters(pipeline, after_seq, list_dead_letter, &list);
    sq_buf_append_char(out, ']');
    if (last_seq) *last_seq = (uint64_t)list.last;
}

static void list_point(const struct sq_series_point *point, void *ctx)
{
    struct list *list = ctx;
    if (point->second >= list->end) return;
    list_comma(list);
    sq_buf_printf(list->out, "[%lld,%u,%u,%u", (long long)point->second, (unsigned)point->consumed, (unsigned)point->scored,
                  (unsigned)point->dead_lettered);
    for (unsigned i = 0; i < list->labels_count; i++) sq_buf_printf(list->out, ",%u", (unsigned)point->labels[i]);
    sq_buf_append_char(list->out, ']');
    list->last = point->second;
}

void sq_api_write_series(const struct sq_pipeline *pipeline, int64_t after_second, int64_t *last_second, struct sq_buf *out)
{
    struct sq_status status;
    sq_pipeline_status(pipeline, &status);
    unsigned labels = status.model ? status.model->labels_count : 0;
    struct list list = {.out = out, .last = after_second, .end = status.now_ms / 1000};
    list.labels_count = labels < SQ_STATUS_LABELS_MAX ? labels : SQ_STATUS_LABELS_MAX;
    sq_buf_append_char(out, '[');
    sq_pipeline_series(pipeline, after_second + 1, list_point, &list);
    sq_buf_append_char(out, ']');
    if (last_second) *last_second = list.last;
}
