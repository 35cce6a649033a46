/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/alerts_people.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/time_text.h"
#include "engine/base/unique.h"
#include "worker/cli/shown.h"

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
static int tell(const char *id, const struct sq_workers_answers *answers, const char *done, bool json, struct sq_err *err)
{
    struct sq_buf line;
    sq_buf_init(&line);
    if (json) sq_buf_append_char(&line, '{');
    if (json) put_text(&line, "id", id);
    else sq_buf_printf(&line, "%s %s", id, done);
    if (answers->partitions)
        sq_buf_printf(&line, json ? ",\"covered\":%" PRId64 ",\"partitions\":%" PRId64 : " in %" PRId64 " of %" PRId64 " partitions", answers->covered, answers->partitions);
    if (json) sq_buf_printf(&line, ",\"saved\":%s}", answers->unsaved ? "false" : "true");
    else if (answers->unsaved) sq_buf_append_text(&line, ", not saved yet: a worker that dies now forgets it");
    sq_buf_append_char(&line, '\n');
    int status = print_buf(&line, err);
    sq_buf_deinit(&line);
    return status;
}

/* Ends the answers. `done`: what to say where somebody agreed. */
static int conclude(const struct sq_workers *workers, const char *id, struct sq_workers_answers *answers, int status, const char *done, bool json,
                    struct sq_err *err)
{
    if (status == 0 && answers->agreed) status = tell(id, answers, done, json, err);
    else if (status == 0) status = sq_err_set(err, SQ_E_FAILED, "%s: %s", id, answers->why.data ? answers->why.data : "nobody was asked");
    if (status == SQ_E_FAILED) sq_workers_name(workers);
    sq_buf_deinit(&answers->why);
    return status;
}

int sq_workers_acknowledge(const struct sq_workers *workers, const char *id, const char *by, const char *comment, bool json, struct sq_err *err)
{
    struct sq_workers_answers answers;
    struct sq_buf body;
    char path[128];
    snprintf(path, sizeof path, "/api/v1/alerts/%.32s/ack", id);
    sq_buf_init(&body);
    sq_buf_append_char(&body, '{');
    put_text(&body, "by", by);
    put_text(&body, "comment", comment);
    sq_buf_append_char(&body, '}');
    const struct sq_workers_request request = {.method = "POST", .path = path, .json = sq_buf_view(&body), .is_done_by_one = true};
    int status = sq_workers_ask(workers, &request, &answers, err);
    sq_buf_deinit(&body);
    return conclude(workers, id, &answers, status, "acknowledged", json, err);
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
    struct sq_workers_answers answers;
    struct sq_buf body;
    char id[24];
    snprintf(id, sizeof id, "%016" PRIx64, sq_unique_number());
    sq_buf_init(&body);
    write_wish(&body, id, wish);
    const struct sq_workers_request request = {.method = "POST", .path = "/api/v1/silences", .json = sq_buf_view(&body)};
    int status = sq_workers_ask(workers, &request, &answers, err);
    sq_buf_deinit(&body);
    bool is_partial = answers.agreed && answers.covered < answers.partitions;
    status = conclude(workers, id, &answers, status, "silenced", json, err);
    if (status || !is_partial) return status;
    sq_workers_name(workers);
    return sq_err_set(err, SQ_E_FAILED, "the other partitions belong to workers that weren't asked, or refused: name each with --url");
}

int sq_workers_unsilence(const struct sq_workers *workers, const char *id, bool json, struct sq_err *err)
{
    struct sq_workers_answers answers;
    char path[128];
    snprintf(path, sizeof path, "/api/v1/silences/%.32s", id);
    const struct sq_workers_request request = {.method = "DELETE", .path = path, .json = SQ_STR("{}")};
    int status = sq_workers_ask(workers, &request, &answers, err);
    return conclude(workers, id, &answers, status, "ended", json, err);
}

/* ---- the list ---- */

/* Adds what another worker has of a silence to what is known of it. */
static int merge(const json_t *body, void *ctx, struct sq_err *err)
{
    json_t *silences = ctx, *silence;
    size_t i;
    json_array_foreach(json_object_get(body, "silences"), i, silence) {
        json_t *known = json_object_get(silences, sq_workers_text(silence, "id"));
        int failed = known ? json_object_set_new(known, "covered", json_integer(sq_workers_number(known, "covered") + sq_workers_number(silence, "covered")))
                           : json_object_set(silences, sq_workers_text(silence, "id"), silence);
        if (failed) return sq_err_set(err, SQ_E_NOMEM, "no memory for the silences");
    }
    return 0;
}

static void write_silence(struct sq_buf *line, const json_t *silence)
{
    static const struct { const char *before, *key; } texts[] = {{"  rule ", "rule"}, {"  entity ", "entity"}, {"  by ", "by"}, {"  ", "comment"}};
    char time[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(sq_workers_number(silence, "until"), time);
    sq_buf_printf(line, "%.16s  until %s", sq_workers_text(silence, "id"), time);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!sq_workers_text(silence, texts[i].key)[0]) continue;
        sq_buf_append_text(line, texts[i].before);
        sq_shown_append(line, sq_str_view(sq_workers_text(silence, texts[i].key)));
    }
    sq_buf_printf(line, "  in %" PRId64 " of %" PRId64 " partitions\n", sq_workers_number(silence, "covered"), sq_workers_number(silence, "partitions"));
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

/* What is known is printed even where not all answer. */
int sq_workers_silences(const struct sq_workers *workers, bool json, struct sq_err *err)
{
    struct sq_workers_answers answers;
    json_t *silences = json_object();
    if (!silences) return sq_err_set(err, SQ_E_NOMEM, "no memory for the silences");
    const struct sq_workers_request request = {.path = "/api/v1/silences", .each = merge, .ctx = silences};
    int status = sq_workers_ask(workers, &request, &answers, err);
    if (status == 0) status = write_silences(silences, json, err);
    if (status == 0 && answers.agreed < workers->urls_count) status = sq_err_set(err, SQ_E_FAILED, "silences: %s", answers.why.data);
    sq_buf_deinit(&answers.why);
    json_decref(silences);
    return status;
}
