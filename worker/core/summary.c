/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/summary.h"

static void write_percent(struct sq_buf *out, double share) { sq_buf_printf(out, "%.0f%%", 100 * share); }

static void write_rule(struct sq_buf *out, const struct sq_alert *alert) { sq_buf_append_str(out, alert->rule); }
static void write_entity(struct sq_buf *out, const struct sq_alert *alert) { sq_buf_append_str(out, alert->entity); }
static void write_matched(struct sq_buf *out, const struct sq_alert *alert) { sq_buf_printf(out, "%u", alert->stats.matched); }
static void write_count(struct sq_buf *out, const struct sq_alert *alert) { sq_buf_printf(out, "%u", alert->stats.count); }
static void write_rate(struct sq_buf *out, const struct sq_alert *alert) { write_percent(out, alert->stats.rate); }
static void write_baseline(struct sq_buf *out, const struct sq_alert *alert) { write_percent(out, alert->stats.baseline_rate); }

static void write_severity(struct sq_buf *out, const struct sq_alert *alert)
{
    static const char *const words[] = {"info", "warning", "error", "critical"};
    sq_buf_append_text(out, words[alert->severity]);
}

static const struct placeholder {
    struct sq_str name;
    void (*write)(struct sq_buf *out, const struct sq_alert *alert);
} placeholders[] = {
    {{"rule", 4}, write_rule},       {{"entity", 6}, write_entity}, {{"severity", 8}, write_severity},
    {{"matched", 7}, write_matched}, {{"count", 5}, write_count},   {{"rate", 4}, write_rate},
    {{"baseline_rate", 13}, write_baseline},
};

/* The row of the placeholder that opens at `at`, and where it ends; NULL if there is none of that name. */
static const struct placeholder *placeholder_at(const char *at, const char **end)
{
    const char *close = strstr(at + 2, "}}");
    if (!close) return NULL;
    struct sq_str name = {at + 2, (size_t)(close - at - 2)};
    while (name.bytes && name.data[0] == ' ') name = (struct sq_str){name.data + 1, name.bytes - 1};
    while (name.bytes && name.data[name.bytes - 1] == ' ') name.bytes--;
    *end = close + 2;
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (sq_str_equal(placeholders[i].name, name)) return &placeholders[i];
    return NULL;
}

int sq_summary_check(const char *template, const char *where, struct sq_err *err)
{
    for (const char *at = template; (at = strstr(at, "{{"));) {
        const char *end;
        if (!placeholder_at(at, &end))
            return sq_err_set(err, SQ_E_CONFIG,
                              "%sannotations.summary: no such placeholder at '%.24s'; there are rule, entity, severity, matched, count, "
                              "rate and baseline_rate",
                              where, at);
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
    size_t start = out->bytes;
    const char *at = template, *open;
    while ((open = strstr(at, "{{"))) {
        sq_buf_append(out, at, (size_t)(open - at));
        const char *end = open + 2;
        const struct placeholder *found = placeholder_at(open, &end);
        if (found) found->write(out, alert);
        at = end;
    }
    sq_buf_append_text(out, at);
    cut(out, start + SQ_SUMMARY_BYTES_MAX);
}
