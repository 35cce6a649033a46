/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/api_people_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/unique.h"
#include "worker/io/config_duration.h"

bool sq_api_parse_id(const char *text, uint64_t *id)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) return false;
    *id = strtoull(text, NULL, 16);
    return true;
}

/* ---- bodies ---- */

static int parse_object(json_t **object, struct sq_str body, struct sq_err *err)
{
    int status = sq_json_parse(object, "body", body, SQ_E_DECODE, err);
    if (status == 0 && !json_is_object(*object)) status = sq_err_set(err, SQ_E_DECODE, "body: expected an object");
    return status;
}

/* A member that fits a silence's text; absent is "". */
static int read_text(const json_t *object, const char *key, char out[SQ_RULE_TEXT_BYTES], struct sq_err *err)
{
    const char *text;
    int status = sq_json_get_text(object, key, "", &text, SQ_E_DECODE, err);
    if (status) return status;
    if (strlen(text) >= SQ_RULE_TEXT_BYTES) return sq_err_set(err, SQ_E_DECODE, "%s: over %d bytes", key, SQ_RULE_TEXT_BYTES - 1);
    snprintf(out, SQ_RULE_TEXT_BYTES, "%s", text);
    return 0;
}

static int read_by(const json_t *object, char by[SQ_RULE_TEXT_BYTES], struct sq_err *err)
{
    int status = read_text(object, "by", by, err);
    if (status) return status;
    return by[0] ? 0 : sq_err_set(err, SQ_E_DECODE, "by: missing: who says so");
}

/* `until`, or `duration` from now on. */
static int read_end(const json_t *object, int64_t *until_ms, struct sq_err *err)
{
    const char *duration;
    int64_t now_ms = sq_clock_wall_ms(), ms;
    int status = sq_json_get_text(object, "duration", "", &duration, SQ_E_DECODE, err);
    if (status == 0) status = sq_json_get_int(object, "until", now_ms, INT64_C(253402300799000), 0, until_ms, SQ_E_DECODE, err);
    if (status) return status;
    if ((*until_ms != 0) == (duration[0] != '\0')) return sq_err_set(err, SQ_E_DECODE, "until or duration: one of them is needed");
    if (*until_ms) return 0;
    if (!sq_config_duration_parse(sq_str_view(duration), &ms) || ms <= 0)
        return sq_err_set(err, SQ_E_DECODE, "duration: '%s' is none: write 30m, 2h, 7d", duration);
    *until_ms = now_ms + ms;
    return 0;
}

/* The caller's, so that several workers can be told of the same silence and any of them twice; else a new one. */
static int read_id(const json_t *object, uint64_t *id, struct sq_err *err)
{
    const char *text;
    int status = sq_json_get_text(object, "id", "", &text, SQ_E_DECODE, err);
    if (status) return status;
    *id = sq_unique_number();
    if (!text[0] || (sq_api_parse_id(text, id) && *id)) return 0;
    return sq_err_set(err, SQ_E_DECODE, "id: expected 16 hexadecimal digits, not all 0");
}

/* From the beginning of event time: whatever of a backlog is told after it was set is silenced too. */
static int read_silence(const json_t *object, struct sq_silence *silence, struct sq_err *err)
{
    *silence = (struct sq_silence){0};
    int status = read_id(object, &silence->id, err);
    if (status == 0) status = read_by(object, silence->by, err);
    if (status == 0) status = read_text(object, "rule", silence->rule, err);
    if (status == 0) status = read_text(object, "entity", silence->entity, err);
    if (status == 0) status = read_text(object, "comment", silence->why, err);
    if (status == 0) status = read_end(object, &silence->until_ms, err);
    if (status) return status;
    return silence->rule[0] || silence->entity[0] ? 0 : sq_err_set(err, SQ_E_DECODE, "rule or entity: one of them is needed; * is any");
}

int sq_api_read_acknowledgement(struct sq_str body, struct sq_acknowledgement *said, struct sq_err *err)
{
    json_t *object = NULL;
    int status = parse_object(&object, body, err);
    if (status == 0) status = read_by(object, said->by, err);
    if (status == 0) status = read_text(object, "comment", said->comment, err);
    json_decref(object);
    return status;
}

int sq_api_read_silence(struct sq_str body, struct sq_silence *silence, struct sq_err *err)
{
    json_t *object = NULL;
    int status = parse_object(&object, body, err);
    if (status == 0) status = read_silence(object, silence, err);
    json_decref(object);
    return status;
}

/* ---- answers ---- */

static void write_id(struct sq_buf *out, const char *key, uint64_t id) { sq_buf_printf(out, "\"%s\":\"%016" PRIx64 "\"", key, id); }

static void write_coverage(struct sq_buf *out, struct sq_alert_coverage coverage)
{
    sq_buf_printf(out, ",\"covered\":%u,\"partitions\":%u", coverage.covered, coverage.partitions);
}

void sq_api_write_outcome(uint64_t id, const struct sq_alert_coverage *coverage, bool is_saved, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    write_id(out, "id", id);
    if (coverage->partitions) write_coverage(out, *coverage);
    sq_buf_printf(out, ",\"saved\":%s}\n", is_saved ? "true" : "false");
}

void sq_api_write_covered(const struct sq_alert_stage *stage, struct sq_buf *out)
{
    struct sq_alert_coverage coverage = {0};
    if (stage) coverage = sq_alert_stage_coverage(stage);
    write_coverage(out, coverage);
}

static void write_text(struct sq_buf *out, const char *key, const char *text)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

static void write_silence(const struct sq_silence *silence, struct sq_alert_coverage coverage, void *ctx)
{
    struct sq_buf *out = ctx;
    if (sq_buf_failed(out)) return;
    sq_buf_append_text(out, out->data[out->bytes - 1] == '[' ? "{" : ",{");
    write_id(out, "id", silence->id);
    write_text(out, "rule", silence->rule);
    write_text(out, "entity", silence->entity);
    sq_buf_printf(out, ",\"until\":%" PRId64, silence->until_ms);
    write_text(out, "by", silence->by);
    write_text(out, "comment", silence->why);
    write_coverage(out, coverage);
    sq_buf_append_char(out, '}');
}

void sq_api_write_silences(const struct sq_alert_stage *stage, struct sq_buf *out)
{
    sq_buf_append_text(out, "{\"silences\":[");
    if (stage && !sq_buf_failed(out)) sq_alert_stage_silences(stage, write_silence, out);
    sq_buf_append_text(out, "]}\n");
}
