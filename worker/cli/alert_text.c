/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/alert_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/time_text.h"
#include "worker/cli/shown.h"
#include "worker/core/copies.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double real_of(const json_t *object, const char *key) { return json_number_value(json_object_get(object, key)); }

/* 64-bit integers are strings in proto3 JSON. */
static int64_t whole_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

static void put_shown(struct sq_buf *out, const char *text) { sq_shown_append(out, sq_str_view(text)); }

static void put_also(struct sq_buf *out, const char *text)
{
    sq_buf_append_char(out, ' ');
    put_shown(out, text);
}

/* "2026-11-23 04:00:00"; "?" where the record has no such time. */
static void put_time(struct sq_buf *out, const json_t *object, const char *key)
{
    int64_t ms;
    char time[SQ_TIME_TEXT_BYTES];
    if (!sq_time_text_parse(sq_str_view(text_of(object, key)), &ms)) {
        sq_buf_append_char(out, '?');
        return;
    }
    sq_time_text_format(ms, time);
    sq_buf_printf(out, "%.10s %.8s", time, time + 11);
}

void sq_alert_text_write_line(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    const json_t *stats = json_object_get(alert->root, "stats");
    put_time(out, alert->root, "at");
    sq_buf_printf(out, "  %.16s  %-8s", alert->alert_id, alert->state);
    put_also(out, alert->rule);
    put_also(out, alert->entity);
    bool is_volume = strcmp(text_of(alert->root, "kind"), "volume") == 0;
    double usual = real_of(json_object_get(stats, "baseline"), "rate");
    sq_buf_printf(out, " %" PRId64 "/%" PRId64, whole_of(stats, "matched"), whole_of(stats, "count"));
    sq_buf_printf(out, is_volume ? " (%.0f an hour)" : " (%.0f%%)", is_volume ? usual : 100 * usual);
    put_also(out, alert->severity);
    if (strcmp(alert->reason, "threshold") != 0) put_also(out, alert->reason);
    if (alert->is_silenced) put_also(out, "silenced");
    if (json_is_true(json_object_get(alert->root, "acknowledged")) && strcmp(alert->reason, "acknowledged") != 0) put_also(out, "acknowledged");
}

/* ---- What was counted, and against what: in the words of the alert's kind ---- */

static const char *label_of(const json_t *stats)
{
    const char *label = text_of(json_array_get(json_object_get(stats, "label_counts"), 0), "label");
    return label[0] ? label : "with the label";
}

/* Of the authors no more than the latest few are told apart, so there may be more. */
static void put_share_counts(struct sq_buf *out, const json_t *stats)
{
    sq_buf_printf(out, "%" PRId64 " messages, %" PRId64 " of them ", whole_of(stats, "count"), whole_of(stats, "matched"));
    put_shown(out, label_of(stats));
    sq_buf_printf(out, " (%.0f%%)", 100 * real_of(stats, "rate"));
    int64_t authors = whole_of(stats, "distinct_authors");
    if (authors) sq_buf_printf(out, ", by %" PRId64 "%s author%s", authors, authors >= SQ_COPIES_ENTRIES ? " or more" : "", authors == 1 ? "" : "s");
}

static void put_volume_counts(struct sq_buf *out, const json_t *stats)
{
    sq_buf_printf(out, "%" PRId64 " messages (%.0f an hour)", whole_of(stats, "count"), real_of(stats, "rate"));
}

static void put_storm_counts(struct sq_buf *out, const json_t *stats)
{
    sq_buf_printf(out, "%" PRId64 " entities, %" PRId64 " of them well above their usual share (%.0f%%); their own alerts wait", whole_of(stats, "count"),
                  whole_of(stats, "matched"), 100 * real_of(stats, "rate"));
}

static void put_usual_share(struct sq_buf *out, const json_t *stats)
{
    const json_t *usual = json_object_get(stats, "baseline");
    sq_buf_printf(out, "%.0f%%, and between %.0f%% and %.0f%% in 95 of 100 such windows; learnt from %.0f messages", 100 * real_of(usual, "rate"),
                  100 * real_of(usual, "low"), 100 * real_of(usual, "high"), real_of(usual, "messages"));
}

static void put_usual_volume(struct sq_buf *out, const json_t *stats)
{
    sq_buf_printf(out, "%.0f an hour", real_of(json_object_get(stats, "baseline"), "rate"));
}

static void put_limit(struct sq_buf *out, const json_t *stats)
{
    sq_buf_printf(out, "a fixed limit of %.0f%%: nothing is learnt", 100 * real_of(json_object_get(stats, "baseline"), "rate"));
}

/* The chance as "once in", too, since people read that better than 4.9e-06; beyond what numbers say to them, alone. */
static void put_chance(struct sq_buf *out, const json_t *stats)
{
    double p = real_of(stats, "p_value");
    sq_buf_printf(out, "strength %.1f, fires at %.1f; p %.2g", real_of(stats, "strength"), real_of(stats, "threshold"), p);
    if (p > 1e-9 && p < 1) sq_buf_printf(out, ": by chance as many or more once in %.0f such windows", 1 / p);
}

static const struct wording {
    const char *kind;
    void (*counts)(struct sq_buf *out, const json_t *stats);
    void (*usual)(struct sq_buf *out, const json_t *stats); /* NULL: there is none */
    void (*sure)(struct sq_buf *out, const json_t *stats);  /* NULL: no chance was reckoned */
} wordings[] = {
    {"rate", put_share_counts, put_usual_share, put_chance}, /* of an unknown kind, too */
    {"volume", put_volume_counts, put_usual_volume, put_chance},
    {"threshold", put_share_counts, put_limit, NULL},
    {"storm", put_storm_counts, NULL, NULL},
};

static const struct wording *wording_of(const char *kind)
{
    for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++)
        if (strcmp(wordings[i].kind, kind) == 0) return &wordings[i];
    return &wordings[0];
}

/* ---- The page ---- */

static void begin(struct sq_buf *out, const char *name) { sq_buf_printf(out, "  %-11s ", name); }
static void end(struct sq_buf *out) { sq_buf_append_char(out, '\n'); }

static void put_head(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    sq_buf_printf(out, "%.16s  %s", alert->alert_id, alert->state);
    put_also(out, alert->rule);
    put_also(out, alert->entity);
    put_also(out, alert->severity);
    sq_buf_append_text(out, "\n  ");
    put_shown(out, alert->summary);
    end(out);
}

static void put_when(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    const json_t *window = json_object_get(alert->root, "window");
    bool is_over = sq_notify_is_state(alert, "RESOLVED");
    begin(out, "when");
    put_time(out, alert->root, "starts_at");
    sq_buf_append_text(out, is_over ? " to " : ", still open; told ");
    put_time(out, alert->root, is_over ? "ends_at" : "at");
    sq_buf_append_text(out, " (");
    put_shown(out, alert->reason);
    sq_buf_append_text(out, "), event time in UTC\n");
    begin(out, "window");
    put_time(out, window, "start");
    sq_buf_append_text(out, " to ");
    put_time(out, window, "end");
    end(out);
}

/* What the counts leave out; always there, so that nothing left out is told, too. */
static void put_left_out(struct sq_buf *out, const json_t *stats)
{
    begin(out, "left out");
    sq_buf_printf(out, "%" PRId64 " not scored (overload: sample), %" PRId64 " copies; %" PRId64 " came late and are counted\n", whole_of(stats, "skipped"),
                  whole_of(stats, "collapsed"), whole_of(stats, "late"));
}

static void put_marks(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    const struct {
        bool is_set;
        const char *text;
    } marks[] = {
        {alert->is_silenced, "silenced: nobody is notified"},
        {json_is_true(json_object_get(alert->root, "acknowledged")), "acknowledged: no reminders"},
        {json_is_true(json_object_get(json_object_get(alert->root, "stats"), "flapping")), "flapping: it came back more than once"},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!marks[i].is_set) continue;
        begin(out, "marked");
        sq_buf_append_text(out, marks[i].text);
        end(out);
    }
}

static void put_words(struct sq_buf *out, const json_t *terms)
{
    const json_t *term;
    size_t i;
    if (json_array_size(terms) == 0) return;
    begin(out, "words");
    json_array_foreach(terms, i, term) {
        if (i) sq_buf_append_text(out, ", ");
        put_shown(out, text_of(term, "term"));
        sq_buf_printf(out, " (%" PRId64 ")", whole_of(term, "texts"));
    }
    end(out);
}

static void put_examples(struct sq_buf *out, const json_t *examples)
{
    const json_t *example;
    size_t i;
    json_array_foreach(examples, i, example) {
        begin(out, i ? "" : "examples");
        put_shown(out, text_of(example, "topic"));
        sq_buf_printf(out, "/%" PRId64 "/%" PRId64 "  ", whole_of(example, "partition"), whole_of(example, "offset"));
        put_time(out, example, "ts");
        sq_buf_append_text(out, "  ");
        put_shown(out, text_of(example, "label"));
        sq_buf_printf(out, " %.2f  ", real_of(example, "score"));
        put_shown(out, text_of(example, "excerpt"));
        end(out);
    }
}

static void put_origin(struct sq_buf *out, const json_t *root)
{
    const json_t *model;
    size_t i;
    begin(out, "model");
    json_array_foreach(json_object_get(root, "models"), i, model) {
        if (i) sq_buf_append_text(out, ", ");
        put_shown(out, text_of(model, "name"));
        put_also(out, text_of(model, "digest"));
    }
    sq_buf_append_text(out, "; rules ");
    put_shown(out, text_of(root, "rules_digest"));
    sq_buf_append_text(out, "; mode ");
    put_shown(out, text_of(root, "mode"));
    end(out);
    if (!text_of(root, "runbook_url")[0]) return;
    begin(out, "runbook");
    put_shown(out, text_of(root, "runbook_url"));
    end(out);
}

void sq_alert_text_write(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    const json_t *stats = json_object_get(alert->root, "stats");
    const struct wording *wording = wording_of(text_of(alert->root, "kind"));
    const struct {
        const char *name;
        void (*put)(struct sq_buf *out, const json_t *stats);
    } lines[] = {{"counted", wording->counts}, {"usual", wording->usual}, {"how sure", wording->sure}};
    put_head(out, alert);
    put_when(out, alert);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!lines[i].put) continue;
        begin(out, lines[i].name);
        lines[i].put(out, stats);
        end(out);
    }
    put_left_out(out, stats);
    put_marks(out, alert);
    put_words(out, json_object_get(alert->root, "terms"));
    put_examples(out, json_object_get(alert->root, "examples"));
    put_origin(out, alert->root);
}
