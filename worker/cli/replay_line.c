/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_line.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/time_text.h"
#include "engine/texthash.h"
#include "worker/cli/replay_scan.h"

void sq_replay_line_write(struct sq_buf *out, const struct sq_score *score, struct sq_str author, const struct sq_str *labels)
{
    sq_buf_append_text(out, "{\"entity\":");
    sq_json_write_str(out, score->entity);
    sq_buf_printf(out, ",\"ts\":%" PRId64 ",\"label\":", score->event_time_ms);
    sq_json_write_str(out, score->label);
    sq_json_write_key(out, "score");
    sq_json_write_real(out, (double)score->score);
    sq_buf_append_text(out, ",\"scores\":{");
    for (unsigned i = 0; i < score->probabilities_count; i++) {
        if (i) sq_buf_append_char(out, ',');
        sq_json_write_str(out, labels[i]);
        sq_buf_append_char(out, ':');
        sq_json_write_real(out, (double)score->probabilities[i]);
    }
    sq_buf_append_char(out, '}');
    if (author.bytes) {
        sq_json_write_key(out, "author");
        sq_json_write_str(out, author);
    }
    if (score->text_hash) sq_buf_printf(out, ",\"text_hash\":\"%016" PRIx64 "\"", score->text_hash);
    if (score->text_simhash) sq_buf_printf(out, ",\"text_simhash\":\"%016" PRIx64 "\"", score->text_simhash);
    sq_buf_append_text(out, "}\n");
}

/* ---- Reading: each reader judges one member; NULL is an absent one ---- */

static int wrong(const char *name, const char *expected, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_WRONG_TYPE, "%s: expected %s", name, expected);
}

static struct sq_str text_of(const json_t *value) { return (struct sq_str){json_string_value(value), json_string_length(value)}; }

static int read_entity(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return sq_err_set(err, SQ_E_MISSING_FIELD, "entity: absent");
    if (!json_is_string(value)) return wrong("entity", "a string", err);
    into->score.entity = text_of(value);
    if (into->score.entity.bytes == 0) return sq_err_set(err, SQ_E_MISSING_FIELD, "entity: empty");
    if (into->score.entity.bytes > SQ_ENTITY_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "entity: over %d bytes", SQ_ENTITY_BYTES_MAX);
    return 0;
}

/* As ts_unit auto: RFC 3339, or a number: milliseconds from 1e11 up, seconds below. */
static int read_ts(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return sq_err_set(err, SQ_E_MISSING_FIELD, "ts: absent");
    if (json_is_string(value)) {
        if (!sq_time_text_parse(text_of(value), &into->score.event_time_ms)) return wrong("ts", "milliseconds or an RFC 3339 time", err);
    } else if (json_is_number(value)) {
        double number = json_number_value(value);
        double ms = number >= 1e11 ? number : number * 1e3;
        if (!(ms >= 0) || ms > (double)SQ_TIME_MS_MAX) return wrong("ts", "a time in the years 1970 to 9999", err);
        into->score.event_time_ms = (int64_t)ms;
    } else {
        return wrong("ts", "milliseconds or an RFC 3339 time", err);
    }
    return into->score.event_time_ms < 0 ? wrong("ts", "a time in the years 1970 to 9999", err) : 0;
}

static int read_label(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    if (!json_is_string(value)) return wrong("label", "a string", err);
    into->score.label = text_of(value);
    return 0;
}

static int read_score(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number <= 1)) return wrong("score", "a number from 0 to 1", err);
    into->score.score = (float)number;
    return 0;
}

/* The largest stands for what the line does not say itself. */
static int read_scores(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    if (!json_is_object(value) || json_object_size(value) > SQ_SCORE_LABELS_MAX) return wrong("scores", "an object of up to 64 labels", err);
    struct sq_str best_label = {0};
    float best = -1;
    const char *key;
    json_t *item;
    json_object_foreach(value, key, item)
    {
        double number = json_number_value(item);
        if (!json_is_number(item) || !(number >= 0 && number <= 1)) return wrong("scores", "numbers from 0 to 1", err);
        into->labels[into->score.probabilities_count] = sq_str_view(key);
        into->score.probabilities[into->score.probabilities_count++] = (float)number;
        if ((float)number <= best) continue;
        best = (float)number;
        best_label = sq_str_view(key);
    }
    if (!into->score.label.data && best >= 0) into->score.label = best_label;
    if (into->score.score <= 0 && best >= 0) into->score.score = best;
    return 0;
}

static int read_author(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    char digits[24];
    struct sq_str author = text_of(value);
    if (json_is_integer(value)) {
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        author = sq_str_view(digits);
    } else if (!json_is_string(value)) {
        return wrong("author", "a string or a whole number", err);
    }
    into->score.author_hash = sq_author_hash(author);
    return 0;
}

static int read_hash(json_t *value, const char *name, uint64_t *hash, struct sq_err *err)
{
    if (!value || (json_is_integer(value) && json_integer_value(value) == 0)) return 0;
    struct sq_str text = text_of(value);
    if (!json_is_string(value) || text.bytes != 16 || strspn(text.data, "0123456789abcdefABCDEF") != 16)
        return wrong(name, "16 hexadecimal digits", err);
    *hash = strtoull(text.data, NULL, 16);
    return 0;
}

static int read_text_hash(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    return read_hash(value, "text_hash", &into->score.text_hash, err);
}

static int read_text_simhash(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    return read_hash(value, "text_simhash", &into->score.text_simhash, err);
}

static int read_id(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    if (!json_is_string(value) || json_string_length(value) > SQ_ID_BYTES_MAX) return wrong("id", "a string of up to 256 bytes", err);
    into->score.id = text_of(value);
    return 0;
}

static int read_excerpt(json_t *value, struct sq_replay_line *into, struct sq_err *err)
{
    if (!value) return 0;
    if (!json_is_string(value)) return wrong("excerpt", "a string", err);
    into->score.excerpt = text_of(value);
    return 0;
}

static const struct {
    const char *name;
    int (*read)(json_t *value, struct sq_replay_line *into, struct sq_err *err);
} members[] = {
    {"entity", read_entity}, {"ts", read_ts},         {"label", read_label},         {"score", read_score},
    {"scores", read_scores}, {"author", read_author}, {"text_hash", read_text_hash}, {"id", read_id},
    {"excerpt", read_excerpt}, {"text_simhash", read_text_simhash},
};

void sq_replay_line_deinit(struct sq_replay_line *into)
{
    json_decref(into->root);
    into->root = NULL;
}

int sq_replay_line_read(struct sq_replay_line *into, struct sq_str line, struct sq_err *err)
{
    sq_replay_line_deinit(into);
    if (sq_replay_scan(into, line)) return 0;
    json_error_t problem;
    into->root = json_loadb(line.data ? line.data : "", line.bytes, JSON_ALLOW_NUL, &problem);
    if (!into->root || !json_is_object(into->root)) return sq_err_set(err, SQ_E_DECODE, "not a JSON object on one line");
    into->score.label = into->score.id = into->score.excerpt = (struct sq_str){0};
    into->score.score = 0;
    into->score.probabilities_count = 0;
    into->score.author_hash = into->score.text_hash = into->score.text_simhash = 0;
    int status = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members && status == 0; i++) {
        json_t *value = json_object_get(into->root, members[i].name);
        status = members[i].read(json_is_null(value) ? NULL : value, into, err);
    }
    return status;
}
