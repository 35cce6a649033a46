/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/alerts_people.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/time_text.h"
#include "engine/base/unique.h"
#include "worker/cli/shown.h"
#include "worker/io/http_client.h"

enum { TIMEOUT_MS = 10000, URL_BYTES = 640 }; /* a worker answers with its commit: SQ_API_SAVE_WAIT_MS */

/* ---- all workers ---- */

static int64_t whole(const json_t *object, const char *key) { return json_integer_value(json_object_get(object, key)); }

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int take_answer(unsigned status, const json_t *body, sq_workers_fn each, void *ctx, struct sq_workers_answer *answer, struct sq_err *err)
{
    if (status != 200 && status != 202) {
        snprintf(answer->why, sizeof answer->why, "%s", text_of(body, "error"));
        return 0;
    }
    answer->agreed++;
    answer->unsaved += json_is_false(json_object_get(body, "saved"));
    answer->covered += whole(body, "covered");
    if (whole(body, "partitions") > answer->partitions) answer->partitions = whole(body, "partitions");
    return each ? each(body, ctx, err) : 0;
}

static int ask_one(const struct sq_http_ask *ask, sq_workers_fn each, void *ctx, struct sq_workers_answer *answer, struct sq_err *err)
{
    struct sq_buf body;
    json_t *parsed = NULL;
    unsigned http_status = 0;
    sq_buf_init(&body);
    int status = sq_http_client_ask(ask, &http_status, &body, err);
    if (status == 0) status = sq_json_parse(&parsed, ask->url, sq_buf_view(&body), SQ_E_IO, err);
    if (status == 0) status = take_answer(http_status, parsed, each, ctx, answer, err);
    json_decref(parsed);
    sq_buf_deinit(&body);
    return status;
}

int sq_workers_ask(const struct sq_workers *workers, const char *method, const char *path, struct sq_str json, sq_workers_fn each, void *ctx,
                   struct sq_workers_answer *answer, struct sq_err *err)
{
    *answer = (struct sq_workers_answer){0};
    int status = 0;
    for (unsigned i = 0; i < workers->urls_count && status == 0; i++) {
        char url[URL_BYTES];
        size_t bytes = strlen(workers->urls[i]);
        while (bytes && workers->urls[i][bytes - 1] == '/') bytes--;
        int wanted = snprintf(url, sizeof url, "%.*s%s", (int)bytes, workers->urls[i], path);
        if (wanted < 0 || (size_t)wanted >= sizeof url) return sq_err_set(err, SQ_E_USAGE, "'%s' is no URL of a worker", workers->urls[i]);
        const struct sq_http_ask ask = {.url = url, .method = method, .token = workers->token, .json = json, .timeout_ms = TIMEOUT_MS};
        status = ask_one(&ask, each, ctx, answer, err);
    }
    return status;
}

/* ---- what is asked ---- */

static void put_text(struct sq_buf *out, const char *key, const char *text)
{
    if (!text) return;
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

static int print_buf(struct sq_buf *line, struct sq_err *err)
{
    bool is_written = !sq_buf_failed(line) && fwrite(line->data, 1, line->bytes, stdout) == line->bytes;
    sq_buf_clear(line);
    return is_written ? 0 : sq_err_set(err, SQ_E_IO, "can't write to stdout");
}

/* {"id":...} with what else is known, or a line for people. */
static int tell(const char *id, const struct sq_workers_answer *answer, const char *done, bool json, struct sq_err *err)
{
    struct sq_buf line;
    sq_buf_init(&line);
    if (json) sq_buf_append_char(&line, '{');
    if (json) put_text(&line, "id", id);
    else sq_buf_printf(&line, "%s %s", id, done);
    if (answer->partitions)
        sq_buf_printf(&line, json ? ",\"covered\":%" PRId64 ",\"partitions\":%" PRId64 : " in %" PRId64 " of %" PRId64 " partitions", answer->covered, answer->partitions);
    if (json) sq_buf_printf(&line, ",\"saved\":%s}", answer->unsaved ? "false" : "true");
    else if (answer->unsaved) sq_buf_append_text(&line, ", not saved yet: a worker that dies now forgets it");
    sq_buf_append_char(&line, '\n');
    int status = print_buf(&line, err);
    sq_buf_deinit(&line);
    return status;
}

static int refused(const char *what, const struct sq_workers_answer *answer, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_FAILED, "%s: %s", what, answer->why);
}

int sq_workers_acknowledge(const struct sq_workers *workers, const char *id, const char *by, const char *comment, bool json, struct sq_err *err)
{
    struct sq_workers_answer answer;
    struct sq_buf body;
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%.32s/ack", id);
    sq_buf_init(&body);
    sq_buf_append_char(&body, '{');
    put_text(&body, "by", by);
    put_text(&body, "comment", comment);
    sq_buf_append_char(&body, '}');
    int status = sq_workers_ask(workers, "POST", path, sq_buf_view(&body), NULL, NULL, &answer, err);
    sq_buf_deinit(&body);
    if (status) return status;
    return answer.agreed ? tell(id, &answer, "acknowledged", json, err) : refused(id, &answer, err);
}

/* The same number for all workers, so that it is one silence. */
static void write_wish(struct sq_buf *body, const char *id, const struct sq_silence_wish *wish)
{
    sq_buf_append_char(body, '{');
    put_text(body, "id", id);
    put_text(body, "rule", wish->rule);
    put_text(body, "entity", wish->entity);
    put_text(body, "duration", wish->duration);
    put_text(body, "by", wish->by);
    put_text(body, "comment", wish->comment);
    if (!wish->duration) sq_buf_printf(body, ",\"until\":%" PRId64, wish->until_ms);
    sq_buf_append_char(body, '}');
}

int sq_workers_silence(const struct sq_workers *workers, const struct sq_silence_wish *wish, bool json, struct sq_err *err)
{
    struct sq_workers_answer answer;
    struct sq_buf body;
    char id[24];
    snprintf(id, sizeof id, "%016" PRIx64, sq_unique_number());
    sq_buf_init(&body);
    write_wish(&body, id, wish);
    int status = sq_workers_ask(workers, "POST", "/api/v1/silences", sq_buf_view(&body), NULL, NULL, &answer, err);
    sq_buf_deinit(&body);
    if (status) return status;
    if (!answer.agreed) return refused("not silenced", &answer, err);
    status = tell(id, &answer, "silenced", json, err);
    if (status || answer.covered >= answer.partitions) return status;
    return sq_err_set(err, SQ_E_FAILED, "the other partitions belong to workers that weren't asked: name each with --url");
}

int sq_workers_unsilence(const struct sq_workers *workers, const char *id, bool json, struct sq_err *err)
{
    struct sq_workers_answer answer;
    char path[128];
    snprintf(path, sizeof path, "/api/v1/silences/%.32s", id);
    int status = sq_workers_ask(workers, "DELETE", path, SQ_STR("{}"), NULL, NULL, &answer, err);
    if (status) return status;
    return answer.agreed ? tell(id, &answer, "ended", json, err) : refused(id, &answer, err);
}

/* ---- the list ---- */

/* Adds what another worker has of a silence to what is known of it. */
static int merge(const json_t *body, void *ctx, struct sq_err *err)
{
    json_t *silences = ctx, *silence;
    size_t i;
    json_array_foreach(json_object_get(body, "silences"), i, silence) {
        json_t *known = json_object_get(silences, text_of(silence, "id"));
        int failed = known ? json_object_set_new(known, "covered", json_integer(whole(known, "covered") + whole(silence, "covered")))
                           : json_object_set(silences, text_of(silence, "id"), silence);
        if (failed) return sq_err_set(err, SQ_E_NOMEM, "no memory for the silences");
    }
    return 0;
}

static void write_silence(struct sq_buf *line, const json_t *silence)
{
    static const struct { const char *before, *key; } texts[] = {{"  rule ", "rule"}, {"  entity ", "entity"}, {"  by ", "by"}, {"  ", "comment"}};
    char time[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(whole(silence, "until"), time);
    sq_buf_printf(line, "%.16s  until %s", text_of(silence, "id"), time);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!text_of(silence, texts[i].key)[0]) continue;
        sq_buf_append_text(line, texts[i].before);
        sq_shown_append(line, sq_str_view(text_of(silence, texts[i].key)));
    }
    sq_buf_printf(line, "  in %" PRId64 " of %" PRId64 " partitions\n", whole(silence, "covered"), whole(silence, "partitions"));
}

static int write_silences(json_t *silences, bool json, struct sq_err *err)
{
    struct sq_buf line;
    const char *id;
    json_t *silence;
    int status = 0;
    sq_buf_init(&line);
    json_object_foreach(silences, id, silence) {
        char *text = json ? json_dumps(silence, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
        if (json) sq_buf_printf(&line, "%s\n", text ? text : "");
        else write_silence(&line, silence);
        free(text);
        if (status == 0) status = print_buf(&line, err);
    }
    sq_buf_deinit(&line);
    return status;
}

int sq_workers_silences(const struct sq_workers *workers, bool json, struct sq_err *err)
{
    struct sq_workers_answer answer;
    json_t *silences = json_object();
    if (!silences) return sq_err_set(err, SQ_E_NOMEM, "no memory for the silences");
    int status = sq_workers_ask(workers, NULL, "/api/v1/silences", (struct sq_str){0}, merge, silences, &answer, err);
    if (status == 0 && answer.agreed < workers->urls_count) status = refused("silences", &answer, err);
    if (status == 0) status = write_silences(silences, json, err);
    json_decref(silences);
    return status;
}
