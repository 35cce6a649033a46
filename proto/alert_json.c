/* SPDX-License-Identifier: Apache-2.0 */
/* An alert as JSON, in two dresses over one list of fields: the proto3 JSON mapping (https://protobuf.dev/programming-guides/json/), and
 * the flat form of `squall replay`, in which nothing nests but lists, and times are numbers. */
#include <inttypes.h>
#include <math.h>

#include "engine/base/json.h"
#include "engine/base/time_text.h"
#include "proto/codec.h"

struct writer {
    struct sq_buf *out;
    bool flat;
};

static void put_text(const struct writer *writer, const char *key, struct sq_str text)
{
    sq_json_write_key(writer->out, key);
    sq_json_write_str(writer->out, text);
}

static void put_word(const struct writer *writer, const char *key, const char *word) { put_text(writer, key, sq_str_view(word)); }

static void put_hex(const struct writer *writer, const char *key, uint64_t number)
{
    sq_json_write_key(writer->out, key);
    sq_buf_printf(writer->out, "\"%016" PRIx64 "\"", number);
}

/* 32 bits: a number in both forms. */
static void put_count(const struct writer *writer, const char *key, int64_t count)
{
    sq_json_write_key(writer->out, key);
    sq_buf_printf(writer->out, "%" PRId64, count);
}

/* 64 bits: a string in the mapping, since not every reader's numbers have them. */
static void put_long(const struct writer *writer, const char *key, int64_t number)
{
    sq_json_write_key(writer->out, key);
    sq_buf_printf(writer->out, writer->flat ? "%" PRId64 : "\"%" PRId64 "\"", number);
}

static void put_bool(const struct writer *writer, const char *key, bool value)
{
    sq_json_write_key(writer->out, key);
    sq_buf_append_text(writer->out, value ? "true" : "false");
}

static void put_real(const struct writer *writer, const char *key, double value)
{
    sq_json_write_key(writer->out, key);
    if (isfinite(value) || writer->flat) sq_json_write_real(writer->out, value);
    else sq_buf_append_text(writer->out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

static void put_time(const struct writer *writer, const char *key, int64_t ms)
{
    sq_json_write_key(writer->out, key);
    char text[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(ms, text);
    if (writer->flat) sq_buf_printf(writer->out, "%" PRId64, ms);
    else sq_buf_printf(writer->out, "\"%s\"", text);
}

/* A message field: braces in the mapping, nothing in the flat form, where the members' own names carry the prefix. */
static void open_message(const struct writer *writer, const char *key)
{
    if (writer->flat) return;
    sq_json_write_key(writer->out, key);
    sq_buf_append_char(writer->out, '{');
}

static void close_message(const struct writer *writer)
{
    if (!writer->flat) sq_buf_append_char(writer->out, '}');
}

static void open_list(const struct writer *writer, const char *key)
{
    sq_json_write_key(writer->out, key);
    sq_buf_append_char(writer->out, '[');
}

static void open_item(const struct writer *writer, unsigned index) { sq_buf_append_text(writer->out, index ? ",{" : "{"); }

static void put_stats(const struct writer *writer, const struct sq_alert *alert)
{
    const bool flat = writer->flat;
    open_message(writer, "stats");
    put_count(writer, "count", alert->stats.count);
    put_count(writer, "matched", alert->stats.matched);
    put_real(writer, "rate", alert->stats.rate);
    open_message(writer, "baseline");
    put_real(writer, flat ? "baseline_rate" : "rate", alert->stats.baseline_rate);
    put_real(writer, flat ? "baseline_low" : "low", alert->stats.baseline_low);
    put_real(writer, flat ? "baseline_high" : "high", alert->stats.baseline_high);
    put_real(writer, flat ? "baseline_messages" : "messages", alert->stats.baseline_messages);
    close_message(writer);
    put_real(writer, "lift_pp", alert->stats.lift_pp);
    put_real(writer, "lift_ratio", alert->stats.lift_ratio);
    put_real(writer, "strength", alert->stats.strength);
    put_real(writer, "threshold", alert->stats.threshold);
    put_real(writer, "p_value", alert->stats.p_value);
    open_list(writer, "label_counts");
    for (unsigned i = 0; i < alert->stats.labels_count; i++) {
        open_item(writer, i);
        put_text(writer, "label", alert->stats.labels[i].label);
        put_count(writer, "count", alert->stats.labels[i].count);
        sq_buf_append_char(writer->out, '}');
    }
    sq_buf_append_char(writer->out, ']');
    put_count(writer, "distinct_authors", alert->stats.distinct_authors);
    put_count(writer, "collapsed", alert->stats.collapsed);
    put_count(writer, "late", alert->stats.late);
    put_bool(writer, "flapping", alert->stats.flapping);
    put_count(writer, "skipped", alert->stats.skipped);
    close_message(writer);
}

static void put_examples(const struct writer *writer, const struct sq_alert *alert)
{
    open_list(writer, "examples");
    for (unsigned i = 0; i < alert->examples_count; i++) {
        const struct sq_alert_example *example = &alert->examples[i];
        open_item(writer, i);
        put_text(writer, "topic", example->source.topic);
        put_count(writer, "partition", example->source.partition);
        put_long(writer, "offset", example->source.offset);
        put_time(writer, "ts", example->ts_ms);
        put_text(writer, "id", example->id);
        put_text(writer, "label", example->label);
        put_real(writer, "score", (double)example->score);
        put_text(writer, "excerpt", example->excerpt);
        sq_buf_append_char(writer->out, '}');
    }
    sq_buf_append_char(writer->out, ']');
}

static void put_terms(const struct writer *writer, const struct sq_alert *alert)
{
    open_list(writer, "terms");
    for (unsigned i = 0; i < alert->terms_count; i++) {
        open_item(writer, i);
        put_text(writer, "term", alert->terms[i].term);
        put_count(writer, "texts", alert->terms[i].texts);
        put_real(writer, "weight", alert->terms[i].weight);
        sq_buf_append_char(writer->out, '}');
    }
    sq_buf_append_char(writer->out, ']');
}

/* In the order of the message's fields. */
static void put_identity(const struct writer *writer, const struct sq_alert *alert)
{
    put_word(writer, "state", sq_alert_state_name(alert->state));
    put_word(writer, "reason", sq_alert_reason_word(alert->reason));
    put_hex(writer, "fingerprint", alert->fingerprint);
    put_hex(writer, "alert_id", alert->alert_id);
    put_count(writer, "seq", alert->seq);
    put_count(writer, "reopen_count", alert->reopen_count);
    put_text(writer, "app", alert->app);
    put_text(writer, "rule", alert->rule);
    put_text(writer, "entity", alert->entity);
    put_word(writer, "severity", sq_severity_word(alert->severity));
    put_text(writer, "summary", alert->summary);
    put_time(writer, "starts_at", alert->starts_at_ms);
    put_time(writer, "at", alert->at_ms);
}

/* What somebody who looks at a line wants first. */
static void put_identity_flat(const struct writer *writer, const struct sq_alert *alert)
{
    static const char *const states[] = {"firing", "updated", "resolved"};
    put_text(writer, "rule", alert->rule);
    put_text(writer, "entity", alert->entity);
    put_word(writer, "state", states[alert->state]);
    put_hex(writer, "alert_id", alert->alert_id);
    put_time(writer, "starts_at", alert->starts_at_ms);
    put_time(writer, "at", alert->at_ms);
    put_word(writer, "severity", sq_severity_word(alert->severity));
    put_word(writer, "reason", sq_alert_reason_word(alert->reason));
    put_count(writer, "seq", alert->seq);
    put_count(writer, "reopen_count", alert->reopen_count);
    put_text(writer, "summary", alert->summary);
    put_hex(writer, "fingerprint", alert->fingerprint);
    put_text(writer, "app", alert->app);
}

static int encode(const struct sq_alert *alert, bool flat, struct sq_buf *out, struct sq_err *err)
{
    const struct writer writer = {out, flat};
    sq_buf_append_char(out, '{');
    if (flat) put_identity_flat(&writer, alert);
    else put_identity(&writer, alert);
    if (alert->state == SQ_ALERT_RESOLVED) put_time(&writer, "ends_at", alert->ends_at_ms);
    open_message(&writer, "window");
    put_time(&writer, flat ? "window_start" : "start", alert->window_start_ms);
    put_time(&writer, flat ? "window_end" : "end", alert->window_end_ms);
    close_message(&writer);
    put_stats(&writer, alert);
    open_message(&writer, "completeness");
    put_count(&writer, "scores_partition", alert->scores_partition);
    put_time(&writer, "watermark", alert->watermark_ms);
    close_message(&writer);
    put_examples(&writer, alert);
    open_list(&writer, "models");
    open_item(&writer, 0);
    put_text(&writer, "name", alert->model_name);
    put_hex(&writer, "digest", alert->model_digest);
    sq_buf_append_text(out, "}]");
    put_hex(&writer, "rules_digest", alert->rules_digest);
    put_text(&writer, "mode", alert->mode);
    put_word(&writer, "kind", sq_alert_kind_word(alert->kind));
    put_bool(&writer, "silenced", alert->silenced);
    put_bool(&writer, "acknowledged", alert->acknowledged);
    put_text(&writer, "runbook_url", alert->runbook_url);
    put_terms(&writer, alert);
    sq_buf_append_char(out, '}');
    return sq_buf_failed(out) ? sq_err_set(err, SQ_E_NOMEM, "no memory to encode an alert") : 0;
}

int sq_alert_encode_json(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err) { return encode(alert, false, out, err); }
int sq_alert_encode_flat(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err) { return encode(alert, true, out, err); }
