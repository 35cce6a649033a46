/* SPDX-License-Identifier: Apache-2.0 */
/* The plots of the report, as SVG. */
#include <inttypes.h>

#include "engine/base/time_text.h"
#include "worker/cli/replay_report_parts.h"

enum { WIDTH = 960, LEFT = 48, RIGHT = 12, TOP = 12, PLOT = 120, GAP = 8, BARS = 26, AXIS = 18, LABELS_MAX = 12, LABEL_ROOM = 16, EVENT = 5 };
enum { HEIGHT = TOP + PLOT + GAP + BARS + AXIS };
static const int64_t day_ms = 86400000, hour_ms = 3600000;

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
        double label_x = x_of(frame, ms) > WIDTH - LABEL_ROOM ? WIDTH - LABEL_ROOM : x_of(frame, ms); /* the last one stays in */
        sq_time_text_format(ms, text);
        sq_buf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"var(--line)\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.5s</text>\n", x_of(frame, ms),
                      x_of(frame, ms), TOP, HEIGHT - AXIS, label_x, HEIGHT - 4, step >= day_ms ? text + 5 : text + 11);
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
        sq_report_put_time(out, episode->fired_ms);
        sq_buf_append_char(out, ' ');
        sq_report_put_escaped(out, episode->summary);
        sq_buf_append_text(out, "</title></g>\n");
    }
}

/* What really happened stands above the plot, so that it hides nothing. */
static void put_events(struct sq_buf *out, const struct frame *frame, const struct sq_report_series *series, const struct sq_replay_truth *truth)
{
    for (uint32_t i = 0; truth && i < truth->count; i++) {
        const struct sq_replay_event *event = &truth->events[i];
        if (strcmp(event->entity, series->entity) != 0) continue;
        double from = x_of(frame, event->start_ms), to = x_of(frame, event->end_ms);
        sq_buf_printf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"var(--event)\"/>\n", from, TOP - EVENT - 2, to - from < 2 ? 2 : to - from,
                      EVENT);
    }
}

void sq_report_html_plot(struct sq_buf *out, const struct sq_report_series *series, const struct sq_report_subject *subject)
{
    if (series->count == 0) return;
    const struct frame frame = frame_of(series);
    sq_buf_append_text(out, "<h3>");
    sq_report_put_escaped(out, series->entity);
    sq_buf_append_text(out, " <span class=\"key\">");
    sq_report_put_escaped(out, series->rule);
    sq_buf_printf(out, "</span></h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"share and alerts of ", WIDTH, HEIGHT);
    sq_report_put_escaped(out, series->entity);
    sq_buf_append_text(out, "\">\n");
    put_band(out, &frame, series);
    put_grid(out, &frame);
    put_alerts(out, &frame, series, &subject->point->tally);
    put_events(out, &frame, series, subject->truth);
    put_rate(out, &frame, series);
    put_bars(out, &frame, series);
    sq_buf_append_text(out, "</svg>\n");
}
