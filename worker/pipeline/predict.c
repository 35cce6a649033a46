/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/predict.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/job_stack.h"
#include "worker/pipeline/predict_json.h"

struct request;

struct item {
    struct sq_job job; /* first */
    struct request *request;
};

/* From its POST until its last text is done, even when the caller is gone. */
struct request {
    struct request *next, *previous;
    struct sq_predict *predict;
    struct sq_http_call *call; /* NULL: answered */
    struct sq_predict_query query;
    float *vectors;            /* [texts, outputs_count], to embed */
    size_t items_left;
    struct item items[];       /* one a text */
};

struct sq_predict {
    struct sq_predict_options options;
    const struct sq_model_info *info;
    struct sq_pool *own_pool; /* NULL: lent */
    struct sq_wake *wake;     /* of the own pool */
    struct sq_job_stack done;
    struct request *requests;
    size_t texts_pending;
};

static void close_request(struct request *request)
{
    if (request->next) request->next->previous = request->previous;
    if (request->previous) request->previous->next = request->next;
    else request->predict->requests = request->next;
    request->predict->texts_pending -= request->query.texts_count;
    sq_predict_query_deinit(&request->query);
    free(request->vectors);
    free(request);
}

/* ---- answers ---- */

static void refuse(struct sq_http_call *call, const struct sq_predict_refusal *refusal)
{
    if (refusal->status == 429) sq_http_call_header(call, "Retry-After", "1");
    sq_http_call_refuse(call, refusal->status, refusal->type, refusal->message);
}

static void add_number_header(struct sq_http_call *call, const char *name, const char *format, double number)
{
    char value[32];
    snprintf(value, sizeof value, format[0] == 'd' ? "%.0f" : "%.3f", number);
    sq_http_call_header(call, name, value);
}

/* How long its texts waited at most, how long the engine had them, and their tokens. */
static void add_headers(const struct request *request)
{
    uint64_t queued_ns = 0, started_ns = UINT64_MAX, finished_ns = 0, tokens = 0;
    for (size_t i = 0; i < request->query.texts_count; i++) {
        const struct sq_job *job = &request->items[i].job;
        if (job->started_ns - job->submitted_ns > queued_ns) queued_ns = job->started_ns - job->submitted_ns;
        if (job->started_ns < started_ns) started_ns = job->started_ns;
        if (job->finished_ns > finished_ns) finished_ns = job->finished_ns;
        tokens += job->prediction.tokens;
    }
    add_number_header(request->call, "x-queue-ms", "ms", (double)queued_ns * 1e-6);
    add_number_header(request->call, "x-inference-ms", "ms", (double)(finished_ns - started_ns) * 1e-6);
    add_number_header(request->call, "x-tokens", "d", (double)tokens);
}

static void write_item(const struct request *request, size_t index, struct sq_buf *out)
{
    const struct sq_model_info *info = request->predict->info;
    const struct sq_prediction *prediction = &request->items[index].job.prediction;
    if (info->task == SQ_TASK_CLASSIFY) {
        sq_predict_write_labels(out, info, prediction, request->query.raw_scores);
        return;
    }
    if (request->query.normalize) sq_vector_normalise(prediction->vector, info->outputs_count);
    sq_predict_write_vector(out, prediction->vector, info->outputs_count);
}

static void answer(struct request *request)
{
    const struct sq_model_info *info = request->predict->info;
    struct sq_predict_refusal refusal;
    struct sq_buf body;
    for (size_t i = 0; i < request->query.texts_count; i++) {
        if (sq_predict_check(&request->query, info, &request->items[i].job.prediction, &refusal)) continue;
        refuse(request->call, &refusal);
        return;
    }
    bool is_flat = request->query.is_single && info->task == SQ_TASK_CLASSIFY;
    sq_buf_init(&body);
    if (!is_flat) sq_buf_append_char(&body, '[');
    for (size_t i = 0; i < request->query.texts_count; i++) {
        if (i) sq_buf_append_char(&body, ',');
        write_item(request, i, &body);
    }
    sq_buf_append_text(&body, is_flat ? "\n" : "]\n");
    add_headers(request);
    sq_http_call_answer(request->call, 200, "application/json", &body);
}

/* ---- jobs ---- */

void sq_predict_done(struct sq_job *job)
{
    struct request *request = ((struct item *)job)->request;
    if (--request->items_left > 0) return;
    if (request->call) answer(request);
    close_request(request);
}

/* On an engine thread of the own pool. */
static void on_pool_done(struct sq_job *jobs, void *ctx)
{
    struct sq_predict *predict = ctx;
    sq_job_stack_push(&predict->done, jobs);
    sq_wake_send(predict->wake);
}

static void on_wake(void *ctx)
{
    struct sq_predict *predict = ctx;
    struct sq_job *job = sq_job_stack_take(&predict->done);
    while (job) {
        struct sq_job *next = job->next;
        sq_predict_done(job);
        job = next;
    }
}

static struct request *open_request(struct sq_predict *predict, struct sq_http_call *call, const struct sq_predict_query *query)
{
    size_t count = query->texts_count, width = predict->info->outputs_count;
    bool embeds = predict->info->task == SQ_TASK_EMBED;
    struct request *request = calloc(1, sizeof *request + count * sizeof *request->items);
    float *vectors = embeds ? malloc(count * width * sizeof *vectors) : NULL;
    if (!request || (embeds && !vectors)) {
        free(request);
        free(vectors);
        return NULL;
    }
    *request = (struct request){.next = predict->requests, .predict = predict, .call = call, .query = *query, .vectors = vectors,
                                .items_left = count};
    if (predict->requests) predict->requests->previous = request;
    predict->requests = request;
    predict->texts_pending += count;
    for (size_t i = 0; i < count; i++) {
        request->items[i].request = request;
        request->items[i].job = (struct sq_job){.text = sq_predict_text(query, i), .class = SQ_JOB_INTERACTIVE,
                                                .prediction.vector = embeds ? vectors + i * width : NULL};
    }
    return request;
}

/* What the pool has no room for is done at once, with that as its answer. The last text keeps the request alive until all are handed over. */
static void submit(struct request *request)
{
    struct sq_pool *pool = request->predict->own_pool ? request->predict->own_pool : request->predict->options.pool;
    for (size_t i = 0, count = request->query.texts_count; i < count; i++) {
        struct sq_job *job = &request->items[i].job;
        int code = sq_pool_try_submit(pool, job);
        if (code == 0) continue;
        job->prediction.code = code;
        sq_predict_done(job);
    }
}

void sq_predict_post(struct sq_predict *predict, struct sq_http_call *call, struct sq_str body)
{
    struct sq_predict_query query;
    struct sq_predict_refusal refusal = {503, "Unhealthy", "this worker has no model for that"};
    if (!predict) {
        refuse(call, &refusal);
        return;
    }
    if (!sq_predict_parse(&query, body, predict->options.texts_max, &refusal)) {
        refuse(call, &refusal);
        return;
    }
    bool has_room = predict->texts_pending + query.texts_count <= predict->options.texts_max;
    bool has_logits = sq_engine_members_count(predict->options.engine) == 1;
    if (!has_room) refusal = (struct sq_predict_refusal){429, "Overloaded", "too many texts wait: http.max_pending"};
    else if (query.raw_scores && !has_logits) refusal = (struct sq_predict_refusal){400, "Validation", "raw_scores: an ensemble has none"};
    struct request *request = refusal.status ? NULL : open_request(predict, call, &query);
    if (request) {
        submit(request);
        return;
    }
    if (!refusal.status) refusal = (struct sq_predict_refusal){429, "Overloaded", "no memory for the request"};
    sq_predict_query_deinit(&query);
    refuse(call, &refusal);
}

/* ---- life ---- */

int sq_predict_open(struct sq_predict **out, const struct sq_predict_options *options, struct sq_err *err)
{
    struct sq_predict *predict = calloc(1, sizeof *predict);
    int status = 0;
    *out = NULL;
    if (!predict) return sq_err_set(err, SQ_E_NOMEM, "no memory to answer requests");
    predict->options = *options;
    predict->info = sq_engine_info(options->engine);
    if (!options->pool) {
        const struct sq_pool_options pool = {.threads = options->threads, .queue_jobs_max = options->texts_max, .done = on_pool_done,
                                             .done_ctx = predict};
        status = sq_wake_open(&predict->wake, options->loop, on_wake, predict, err);
        if (status == 0) status = sq_pool_open(&predict->own_pool, options->engine, &pool, err);
    }
    if (status < 0) sq_predict_close(predict);
    else *out = predict;
    return status;
}

void sq_predict_stop(struct sq_predict *predict)
{
    static const struct sq_predict_refusal stopping = {503, "Unhealthy", "the worker is stopping"};
    if (!predict) return;
    for (struct request *request = predict->requests; request; request = request->next) {
        if (request->call) refuse(request->call, &stopping);
        request->call = NULL;
    }
}

void sq_predict_close(struct sq_predict *predict)
{
    if (!predict) return;
    if (predict->own_pool) sq_pool_close(predict->own_pool);
    sq_wake_close(predict->wake);
    while (predict->requests) close_request(predict->requests);
    free(predict);
}

size_t sq_predict_pending(const struct sq_predict *predict) { return predict->texts_pending; }
