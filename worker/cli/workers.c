/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/workers.h"

#include <stdio.h>

#include "worker/cli/shown.h"
#include "worker/io/http_client.h"
#include "worker/io/kafka_owners.h"

enum { TIMEOUT_MS = 10000, OWNERS_TIMEOUT_MS = 5000, URL_BYTES = 640 }; /* a worker answers with its commit: SQ_API_SAVE_WAIT_MS */

int64_t sq_workers_number(const json_t *object, const char *key) { return json_integer_value(json_object_get(object, key)); }

const char *sq_workers_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void note_refusal(struct sq_workers_answers *answers, const struct sq_workers *workers, unsigned index, const char *why)
{
    if (answers->why.bytes) sq_buf_append_text(&answers->why, "; ");
    if (workers->urls_count > 1) sq_buf_printf(&answers->why, "%s: ", workers->urls[index]);
    sq_buf_append_text(&answers->why, why);
}

static int take_agreement(const struct sq_workers_request *request, const json_t *body, struct sq_workers_answers *answers, struct sq_err *err)
{
    answers->agreed++;
    answers->unsaved += json_is_false(json_object_get(body, "saved"));
    answers->covered += sq_workers_number(body, "covered");
    if (sq_workers_number(body, "partitions") > answers->partitions) answers->partitions = sq_workers_number(body, "partitions");
    return request->each ? request->each(body, request->ctx, err) : 0;
}

/* *err and SQ_E_IO: no answer that can be read. */
static int ask_one(const struct sq_http_ask *ask, unsigned *http_status, json_t **body, struct sq_err *err)
{
    struct sq_buf text;
    sq_buf_init(&text);
    int status = sq_http_client_ask(ask, http_status, &text, err);
    if (status == 0) status = sq_json_parse(body, ask->url, sq_buf_view(&text), SQ_E_IO, err);
    sq_buf_deinit(&text);
    return status;
}

static int ask_worker(const struct sq_workers *workers, unsigned index, const struct sq_workers_request *request,
                      struct sq_workers_answers *answers, struct sq_err *err)
{
    char url[URL_BYTES];
    json_t *body = NULL;
    unsigned http_status = 0;
    size_t bytes = strlen(workers->urls[index]);
    while (bytes && workers->urls[index][bytes - 1] == '/') bytes--;
    int wanted = snprintf(url, sizeof url, "%.*s%s", (int)bytes, workers->urls[index], request->path);
    if (wanted < 0 || (size_t)wanted >= sizeof url) return sq_err_set(err, SQ_E_USAGE, "'%s' is no URL of a worker", workers->urls[index]);
    const struct sq_http_ask ask = {.url = url, .method = request->method, .token = workers->token, .json = request->json, .timeout_ms = TIMEOUT_MS};
    int status = ask_one(&ask, &http_status, &body, err);
    if (status == SQ_E_IO) note_refusal(answers, workers, index, err->message);
    else if (status == 0 && http_status != 200 && http_status != 202) note_refusal(answers, workers, index, sq_workers_text(body, "error"));
    else if (status == 0) status = take_agreement(request, body, answers, err);
    json_decref(body);
    return status == SQ_E_IO ? 0 : status;
}

int sq_workers_ask(const struct sq_workers *workers, const struct sq_workers_request *request, struct sq_workers_answers *answers,
                   struct sq_err *err)
{
    int status = 0;
    *answers = (struct sq_workers_answers){0};
    sq_buf_init(&answers->why);
    for (unsigned i = 0; i < workers->urls_count && status == 0; i++) {
        status = ask_worker(workers, i, request, answers, err);
        if (request->is_done_by_one && answers->agreed) break;
    }
    return status;
}

/* ---- who else there is ---- */

/* What a member calls itself is from outside. */
static void name_owner(const struct sq_kafka_owner *owner, void *ctx)
{
    struct sq_buf *out = ctx;
    sq_buf_append_text(out, "  ");
    sq_shown_append(out, sq_str_view(owner->instance));
    sq_buf_append_text(out, " at ");
    sq_shown_append(out, sq_str_view(owner->host));
    sq_buf_append_text(out, owner->partitions_count ? ", partitions" : ", none");
    for (unsigned i = 0; i < owner->partitions_count; i++) sq_buf_printf(out, " %d", (int)owner->partitions[i]);
    sq_buf_append_char(out, '\n');
}

void sq_workers_name(const struct sq_workers *workers)
{
    struct sq_buf out;
    struct sq_err err;
    if (!workers->config->kafka.brokers[0]) return;
    sq_buf_init(&out);
    sq_buf_printf(&out, "the workers of group %s-alert, and the partitions of %s.scores that they own:\n", workers->config->app, workers->config->app);
    if (sq_kafka_owners(workers->config, SQ_STAGE_ALERT, OWNERS_TIMEOUT_MS, name_owner, &out, &err)) sq_buf_printf(&out, "  unknown: %s\n", err.message);
    if (!sq_buf_failed(&out)) fputs(out.data, stderr);
    sq_buf_deinit(&out);
}
