/* SPDX-License-Identifier: Apache-2.0 */
/* The report as a person sees it: HTML and SVG in one file. All names and texts come from outside and are escaped. */
#include <inttypes.h>

#include "engine/base/time_text.h"
#include "proto/codec.h"
#include "worker/cli/replay_report_parts.h"

enum { WIDTH = 960, LEFT = 48, RIGHT = 12, TOP = 10, PLOT = 120, GAP = 8, BARS = 26, AXIS = 18, ALERTS_SHOWN = 300, LABELS_MAX = 12 };
enum { HEIGHT = TOP + PLOT + GAP + BARS + AXIS };
static const int64_t day_ms = 86400000, hour_ms = 3600000;

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1c1e21;--soft:#5f6670;--line:#d8dce1;--paper:#fff;--band:#dfe4ea;--rate:#1f5fbf;--usual:#8a929c;--bar:#b9c0c9;--fire:#c62828}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a2a9b3;--line:#3a4048;--paper:#15181c;--band:#2b323a;--rate:#7db0ff;--usual:#7d8691;--bar:#4b535d;--fire:#ff7b72}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1000px;margin:24px auto;padding:0 16px}\n"
    "h1{font-size:22px}h2{font-size:17px;margin-top:32px}h3{font-size:15px;margin:20px 0 2px;overflow-wrap:anywhere}\n"
    "svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}\n"
    ".key{color:var(--soft);font-size:13px}.fire{color:var(--fire);font-weight:600}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\n"
    "td,th{text-align:left;padding:4px 8px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}\n"
    "td.n{white-space:nowrap}q{color:var(--soft)}\n"
    "</style>\n";

static void escape(struct sq_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': sq_buf_append_text(out, "&amp;"); break;
        case '<': sq_buf_append_text(out, "&lt;"); break;
        case '>': sq_buf_append_text(out, "&gt;"); break;
        case '"': sq_buf_append_text(out, "&quot;"); break;
        default: sq_buf_append_char(out, *text);
        }
    }
}

/* "2026-01-03 04:05" */
static void put_time(struct sq_buf *out, int64_t ms)
{
    char text[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(ms, text);
    sq_buf_printf(out, "%.10s %.5s", text, text + 11);
}

void sq_report_html_head(struct sq_buf *out, const char *input, const struct sq_replay_figures *figures)
{
    sq_buf_append_text(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>squall replay: ");
    escape(out, input);
    sq_buf_append_text(out, "</title>\n");
    sq_buf_append_text(out, style);
    sq_buf_append_text(out, "</head><body>\n<h1>");
    escape(out, input);
    sq_buf_printf(out, "</h1>\n<p>%u alerts of %u entities (%u watched) in %.1f days: %.2f a day, %.2f an entity and week; %u reopened, %u still open, open for %.0f min in the median.</p>\n",
                  figures->alerts, figures->entities_alerted, figures->entities, figures->days, figures->alerts_a_day, figures->alerts_entity_week,
                  figures->reopenings, figures->still_open, figures->open_minutes);
    if (figures->has_truth) {
        sq_buf_append_text(out, "<p>");
        sq_replay_figures_sentence(figures, out);
        sq_buf_append_text(out, "</p>\n");
    }
    sq_buf_append_text(out, "<p class=\"key\">In each plot: the share that matches (line) over the range that is usual for such a window (shaded, its middle dashed); "
                            "alerts in <span class=\"fire\">red</span>; below, messages in a window of the rule. Times are UTC.</p>\n");
}

/* ---- One plot ---- */

struct frame {
    int64_t from_ms, to_ms;
    double rate_max;
    uint32_t count_max;
};

static double x_of(const struct frame *frame, int64_t ms)
{
    double share = (double)(ms - frame->from_ms) / (double)(frame->to_ms - frame->from_ms);
    return LEFT + (WIDTH - LEFT - RIGHT) * (share < 0 ? 0 : share > 1 ? 1 : share);
}

static double y_of(const struct frame *frame, float rate)
{
    double share = (double)rate / frame->rate_max;
    return TOP + PLOT * (1 - (share > 1 ? 1 : share));
}

/* The axis goes from 0 to what was seen, in steps people read. */
static struct frame frame_of(const struct sq_report_series *series)
{
    static const double tops[] = {0.1, 0.2, 0.4, 0.6, 0.8, 1};
    struct frame frame = {series->looks[0].at_ms, series->looks[series->count - 1].at_ms, 0, 1};
    double most = 0;
    for (unsigned i = 0; i < series->count; i++) {
        const struct sq_report_look *look = &series->looks[i];
        if (look->count && (double)look->rate > most) most = (double)look->rate;
        if (look->count && (double)look->usual > most) most = (double)look->usual;
        if (look->count > frame.count_max) frame.count_max = look->count;
    }
    unsigned top = 0;
    while (top < sizeof tops / sizeof *tops - 1 && tops[top] < most) top++;
    frame.rate_max = tops[top];
    if (frame.to_ms <= frame.from_ms) frame.to_ms = frame.from_ms + 1;
    return frame;
}

static void put_grid(struct sq_buf *out, const struct frame *frame)
{
    for (int i = 0; i <= 2; i++) {
        double rate = frame->rate_max * i / 2, y = y_of(frame, (float)rate);
        sq_buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--line)\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f%%</text>\n", LEFT,
                      WIDTH - RIGHT, y, y, LEFT - 6, y + 4, 100 * rate);
    }
    int64_t span = frame->to_ms - frame->from_ms, step = span > 3 * day_ms ? day_ms : span > day_ms ? 6 * hour_ms : hour_ms;
    while (span / step > LABELS_MAX) step *= 2;
    for (int64_t ms = (frame->from_ms / step + 1) * step; ms < frame->to_ms; ms += step) {
        char text[SQ_TIME_TEXT_BYTES];
        sq_time_text_format(ms, text);
        sq_buf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"var(--line)\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.5s</text>\n", x_of(frame, ms),
                      x_of(frame, ms), TOP, HEIGHT - AXIS, x_of(frame, ms), HEIGHT - 4, step >= day_ms ? text + 5 : text + 11);
    }
}

static void put_band(struct sq_buf *out, const struct frame *frame, const struct sq_report_series *series)
{
    sq_buf_append_text(out, "<polygon fill=\"var(--band)\" points=\"");
    for (unsigned i = 0; i < series->count; i++) sq_buf_printf(out, "%.1f,%.1f ", x_of(frame, series->looks[i].at_ms), y_of(frame, series->looks[i].high));
    for (unsigned i = series->count; i-- > 0;) sq_buf_printf(out, "%.1f,%.1f ", x_of(frame, series->looks[i].at_ms), y_of(frame, series->looks[i].low));
    sq_buf_append_text(out, "\"/>\n<polyline fill=\"none\" stroke=\"var(--usual)\" stroke-dasharray=\"4 3\" points=\"");
    for (unsigned i = 0; i < series->count; i++) sq_buf_printf(out, "%.1f,%.1f ", x_of(frame, series->looks[i].at_ms), y_of(frame, series->looks[i].usual));
    sq_buf_append_text(out, "\"/>\n");
}

/* A window without messages has no rate: the line has a gap there. */
static void put_rate(struct sq_buf *out, const struct frame *frame, const struct sq_report_series *series)
{
    bool is_open = false;
    for (unsigned i = 0; i < series->count; i++) {
        const struct sq_report_look *look = &series->looks[i];
        if (look->count && !is_open) sq_buf_append_text(out, "<polyline fill=\"none\" stroke=\"var(--rate)\" stroke-width=\"1.4\" points=\"");
        if (look->count) sq_buf_printf(out, "%.1f,%.1f ", x_of(frame, look->at_ms), y_of(frame, look->rate));
        if (!look->count && is_open) sq_buf_append_text(out, "\"/>\n");
        is_open = look->count > 0;
    }
    if (is_open) sq_buf_append_text(out, "\"/>\n");
}

static void put_bars(struct sq_buf *out, const struct frame *frame, const struct sq_report_series *series)
{
    double base = TOP + PLOT + GAP + BARS, width = (double)(WIDTH - LEFT - RIGHT) / series->count;
    sq_buf_append_text(out, "<path fill=\"none\" stroke=\"var(--bar)\" d=\"");
    for (unsigned i = 0; i < series->count; i++)
        if (series->looks[i].count)
            sq_buf_printf(out, "M%.1f %.1fv-%.1f", x_of(frame, series->looks[i].at_ms), base, BARS * (double)series->looks[i].count / frame->count_max);
    sq_buf_printf(out, "\" stroke-width=\"%.2f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u</text>\n", width > 6 ? 6 : width < 0.5 ? 0.5 : width, LEFT - 6,
                  base - BARS + 9, frame->count_max);
}

static void put_alerts(struct sq_buf *out, const struct frame *frame, const struct sq_report_series *series, const struct sq_replay_tally *tally)
{
    for (uint32_t i = 0; i < tally->episodes_count; i++) {
        const struct sq_replay_episode *episode = &tally->episodes[i];
        if (strcmp(episode->entity, series->entity) != 0 || strcmp(episode->rule, series->rule) != 0) continue;
        double from = x_of(frame, episode->fired_ms), to = x_of(frame, episode->ends_ms);
        sq_buf_printf(out, "<g><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"var(--fire)\" opacity=\".18\"/><path d=\"M%.1f %dv%d\" stroke=\"var(--fire)\" stroke-width=\"1.5\"/><title>",
                      from, TOP, to - from < 2 ? 2 : to - from, PLOT, from, TOP, PLOT);
        put_time(out, episode->fired_ms);
        sq_buf_append_char(out, ' ');
        escape(out, episode->summary);
        sq_buf_append_text(out, "</title></g>\n");
    }
}

void sq_report_html_plot(struct sq_buf *out, const struct sq_report_series *series, const struct sq_replay_tally *tally)
{
    if (series->count == 0) return;
    const struct frame frame = frame_of(series);
    sq_buf_append_text(out, "<h3>");
    escape(out, series->entity);
    sq_buf_append_text(out, " <span class=\"key\">");
    escape(out, series->rule);
    sq_buf_printf(out, "</span></h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"share and alerts of ", WIDTH, HEIGHT);
    escape(out, series->entity);
    sq_buf_append_text(out, "\">\n");
    put_band(out, &frame, series);
    put_grid(out, &frame);
    put_alerts(out, &frame, series, tally);
    put_rate(out, &frame, series);
    put_bars(out, &frame, series);
    sq_buf_append_text(out, "</svg>\n");
}

/* ---- The list ---- */

static void put_row(struct sq_buf *out, const struct sq_replay_episode *episode)
{
    sq_buf_append_text(out, "<tr><td class=\"n\">");
    put_time(out, episode->fired_ms);
    sq_buf_append_text(out, "</td><td>");
    escape(out, episode->entity);
    sq_buf_printf(out, "</td><td>%s</td><td class=\"n\">", sq_severity_word(episode->severity));
    if (episode->ends_ms == INT64_MAX) sq_buf_append_text(out, "open");
    else sq_buf_printf(out, "%.0f min", (double)(episode->ends_ms - episode->fired_ms) / 60000);
    sq_buf_append_text(out, "</td><td>");
    escape(out, episode->summary);
    if (episode->example[0]) {
        sq_buf_append_text(out, "<br><q>");
        escape(out, episode->example);
        sq_buf_append_text(out, "</q>");
    }
    sq_buf_append_text(out, "</td></tr>\n");
}

void sq_report_html_alerts(struct sq_buf *out, const struct sq_replay_tally *tally)
{
    sq_buf_append_text(out, "<h2>Alerts</h2>\n<table><thead><tr><th>fired</th><th>entity</th><th>severity</th><th>for</th><th>what</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < tally->episodes_count && i < ALERTS_SHOWN; i++) put_row(out, &tally->episodes[i]);
    sq_buf_append_text(out, "</tbody></table>\n");
    if (tally->episodes_count > ALERTS_SHOWN) sq_buf_printf(out, "<p class=\"key\">and %u more: --alerts-out has all.</p>\n", tally->episodes_count - ALERTS_SHOWN);
}

void sq_report_html_end(struct sq_buf *out, unsigned left_out)
{
    if (left_out) sq_buf_printf(out, "<p class=\"key\">%u more are not looked at: the first %d that were heard of are.</p>\n", left_out, SQ_REPORT_SERIES_MAX);
    sq_buf_append_text(out, "</body></html>\n");
}
