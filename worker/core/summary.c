/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/summary.h"

struct place {
    struct sq_buf *out;
    const struct sq_alert *alert;
};

/* In the unit of the alert's kind: a share as per cent, a volume as messages an hour. */
static void write_level(const struct place *place, double level)
{
    if (place->alert->kind == SQ_ALERT_VOLUME) sq_buf_printf(place->out, "%.0f an hour", level);
    else sq_buf_printf(place->out, "%.0f%%", 100 * level);
}

static void write_rule(const struct place *p) { sq_buf_append_str(p->out, p->alert->rule); }
static void write_entity(const struct place *p) { sq_buf_append_str(p->out, p->alert->entity); }
static void write_label(const struct place *p)
{
    if (p->alert->stats.labels_count > 0) sq_buf_append_str(p->out, p->alert->stats.labels[0].label);
}
static void write_matched(const struct place *p) { sq_buf_printf(p->out, "%u", p->alert->stats.matched); }
static void write_count(const struct place *p) { sq_buf_printf(p->out, "%u", p->alert->stats.count); }
static void write_rate(const struct place *p) { write_level(p, p->alert->stats.rate); }
static void write_baseline(const struct place *p) { write_level(p, p->alert->stats.baseline_rate); }
static void write_low(const struct place *p) { write_level(p, p->alert->stats.baseline_low); }
static void write_high(const struct place *p) { write_level(p, p->alert->stats.baseline_high); }
static void write_lift(const struct place *p) { sq_buf_printf(p->out, "%.1f", p->alert->stats.lift_ratio); }
static void write_strength(const struct place *p) { sq_buf_printf(p->out, "%.1f", p->alert->stats.strength); }
static void write_threshold(const struct place *p) { sq_buf_printf(p->out, "%.1f", p->alert->stats.threshold); }
static void write_authors(const struct place *p) { sq_buf_printf(p->out, "%u", p->alert->stats.distinct_authors); }
static void write_collapsed(const struct place *p) { sq_buf_printf(p->out, "%u", p->alert->stats.collapsed); }

/* Nothing where all were scored. */
static void write_sample(const struct place *p)
{
    if (p->alert->stats.skipped > 0) sq_buf_printf(p->out, " (of a sample: %u more were not scored)", p->alert->stats.skipped);
}

static void write_severity(const struct place *p)
{
    static const char *const words[] = {"info", "warning", "error", "critical"};
    sq_buf_append_text(p->out, words[p->alert->severity]);
}

#define PLACEHOLDER(name, write) {{name, sizeof name - 1}, write}

static const struct placeholder {
    struct sq_str name;
    void (*write)(const struct place *place);
} placeholders[] = {
    PLACEHOLDER("rule", write_rule),          PLACEHOLDER("entity", write_entity),         PLACEHOLDER("label", write_label),
    PLACEHOLDER("severity", write_severity),  PLACEHOLDER("matched", write_matched),       PLACEHOLDER("count", write_count),
    PLACEHOLDER("rate", write_rate),          PLACEHOLDER("baseline_rate", write_baseline), PLACEHOLDER("baseline_low", write_low),
    PLACEHOLDER("baseline_high", write_high), PLACEHOLDER("lift_ratio", write_lift),       PLACEHOLDER("strength", write_strength),
    PLACEHOLDER("threshold", write_threshold), PLACEHOLDER("authors", write_authors),      PLACEHOLDER("collapsed", write_collapsed),
    PLACEHOLDER("sample", write_sample),
};

enum { PLACEHOLDERS = sizeof placeholders / sizeof *placeholders };

const char *sq_summary_default(enum sq_alert_kind kind)
{
    static const char *const templates[] = {
        [SQ_ALERT_RATE] = "{{entity}}: {{matched}} of {{count}} {{label}}, usual {{baseline_rate}}{{sample}}",
        [SQ_ALERT_VOLUME] = "{{entity}}: {{rate}}, usual {{baseline_rate}}",
        [SQ_ALERT_THRESHOLD] = "{{entity}}: {{matched}} of {{count}} {{label}}, the limit is {{baseline_rate}}{{sample}}",
        [SQ_ALERT_STORM] = "{{rule}}: {{matched}} of {{count}} entities are up at once; their own alerts wait",
    };
    return templates[kind];
}

/* The row of the placeholder that opens at `at`, and where it ends; NULL if there is none of that name. */
static const struct placeholder *placeholder_at(const char *at, const char **end)
{
    const char *close = strstr(at + 2, "}}");
    if (!close) return NULL;
    struct sq_str name = {at + 2, (size_t)(close - at - 2)};
    while (name.bytes && name.data[0] == ' ') name = (struct sq_str){name.data + 1, name.bytes - 1};
    while (name.bytes && name.data[name.bytes - 1] == ' ') name.bytes--;
    *end = close + 2;
    for (size_t i = 0; i < PLACEHOLDERS; i++)
        if (sq_str_equal(placeholders[i].name, name)) return &placeholders[i];
    return NULL;
}

static int refuse(const char *at, const char *where, const char *key, struct sq_err *err)
{
    char names[256] = "";
    for (size_t i = 0; i < PLACEHOLDERS; i++) {
        if (i > 0) strcat(names, ", ");
        strcat(names, placeholders[i].name.data);
    }
    return sq_err_set(err, SQ_E_CONFIG, "%sannotations.%s: no such placeholder at '%.24s'; there are %s", where, key, at, names);
}

int sq_summary_check(const char *template, const char *where, const char *key, struct sq_err *err)
{
    for (const char *at = template; (at = strstr(at, "{{"));) {
        const char *end;
        if (!placeholder_at(at, &end)) return refuse(at, where, key, err);
        at = end;
    }
    return 0;
}

static void cut(struct sq_buf *out, size_t bytes_max)
{
    if (sq_buf_failed(out) || out->bytes <= bytes_max) return;
    while (bytes_max && ((unsigned char)out->data[bytes_max] & 0xc0) == 0x80) bytes_max--;
    out->bytes = bytes_max;
}

void sq_summary_write(const char *template, const struct sq_alert *alert, struct sq_buf *out)
{
    const struct place place = {out, alert};
    size_t start = out->bytes;
    const char *at = template, *open;
    while ((open = strstr(at, "{{"))) {
        sq_buf_append(out, at, (size_t)(open - at));
        const char *end = open + 2;
        const struct placeholder *found = placeholder_at(open, &end);
        if (found) found->write(&place);
        at = end;
    }
    sq_buf_append_text(out, at);
    cut(out, start + SQ_SUMMARY_BYTES_MAX);
}
