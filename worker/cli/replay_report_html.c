/* SPDX-License-Identifier: Apache-2.0 */
/* The report as a person sees it, all but its plots: HTML in one file. All names and texts come from outside and are escaped. */
#include <inttypes.h>

#include "engine/base/time_text.h"
#include "proto/codec.h"
#include "worker/cli/replay_report_parts.h"
#include "worker/io/config_duration.h"

enum { ALERTS_SHOWN = 300, MINUTE_MS = 60000 };

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1c1e21;--soft:#5f6670;--line:#d8dce1;--paper:#fff;--band:#dfe4ea;--rate:#1f5fbf;--usual:#8a929c;--bar:#b9c0c9;--fire:#c62828;--event:#8a5a00}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a2a9b3;--line:#3a4048;--paper:#15181c;--band:#2b323a;--rate:#7db0ff;--usual:#7d8691;--bar:#4b535d;--fire:#ff7b72;--event:#e3b341}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1000px;margin:24px auto;padding:0 16px}\n"
    "h1{font-size:22px}h2{font-size:17px;margin-top:32px}h3{font-size:15px;margin:20px 0 2px;overflow-wrap:anywhere}\n"
    "svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}\n"
    ".key{color:var(--soft);font-size:13px}.fire{color:var(--fire);font-weight:600}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\n"
    "td,th{text-align:left;padding:4px 8px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}\n"
    "td.n,th.n{white-space:nowrap}q{color:var(--soft)}.event{color:var(--event);font-weight:600}\n"
    "</style>\n";


void sq_report_put_escaped(struct sq_buf *out, const char *text)
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

void sq_report_put_time(struct sq_buf *out, int64_t ms)
{
    char text[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(ms, text);
    sq_buf_printf(out, "%.10s %.5s", text, text + 11);
}

void sq_report_put_duration(struct sq_buf *out, int64_t ms)
{
    int64_t minutes = (ms + MINUTE_MS / 2) / MINUTE_MS;
    if (minutes < 60) sq_buf_printf(out, "%" PRId64 " min", minutes);
    else if (minutes < 48 * 60) sq_buf_printf(out, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
    else sq_buf_printf(out, "%.1f d", (double)minutes / (24 * 60));
}

/* ---- The head ---- */

static void put_figures(struct sq_buf *out, const struct sq_replay_figures *figures)
{
    sq_buf_printf(out, "<p>%u alerts of %u entities (%u watched) in %.1f days: %.2f a day, %.2f an entity and week; %u reopened, %u still open, open for ",
                  figures->alerts, figures->entities_alerted, figures->entities, figures->days, figures->alerts_a_day, figures->alerts_entity_week,
                  figures->reopenings, figures->still_open);
    sq_report_put_duration(out, (int64_t)(figures->open_minutes * MINUTE_MS));
    sq_buf_append_text(out, " in the median.</p>\n");
    if (!figures->has_truth) return;
    sq_buf_append_text(out, "<p>");
    sq_replay_figures_sentence(figures, out);
    sq_buf_append_text(out, "</p>\n");
}

static void put_period(struct sq_buf *out, const struct sq_replay_run *run)
{
    if (run->last_ms < run->first_ms) return;
    sq_buf_append_text(out, "<p class=\"key\">Event time from ");
    sq_report_put_time(out, run->first_ms);
    sq_buf_append_text(out, " to ");
    sq_report_put_time(out, run->last_ms);
    sq_buf_append_text(out, " UTC.</p>\n");
}

/* What decides when a rule fires: a share it stands above, a fixed strength, or the strength that a budget leads to. */
static void put_limit(struct sq_buf *out, const struct sq_rule *rule)
{
    if (rule->type == SQ_RULE_THRESHOLD) sq_buf_printf(out, "share above %.0f%%", 100 * rule->above);
    else if (rule->threshold > 0) sq_buf_printf(out, "strength from %g", rule->threshold);
    else sq_buf_printf(out, "strength by a budget of %g an entity and week", rule->budget_per_entity_week);
}

static void put_rules(struct sq_buf *out, const struct sq_config *config)
{
    static const char *const types[] = {[SQ_RULE_RATE] = "rate", [SQ_RULE_VOLUME] = "volume", [SQ_RULE_THRESHOLD] = "threshold"};
    sq_buf_append_text(out, "<table><thead><tr><th>rule</th><th>type</th><th>label</th><th>windows</th><th>fires at</th><th>messages, at least</th></tr></thead><tbody>\n");
    for (unsigned i = 0; i < config->rules_count; i++) {
        const struct sq_rule *rule = &config->rules[i];
        char windows[SQ_RULE_WINDOWS_MAX][32];
        for (unsigned j = 0; j < SQ_RULE_WINDOWS_MAX; j++) sq_config_duration_format(rule->windows_ms[j], windows[j]);
        sq_buf_append_text(out, "<tr><td>");
        sq_report_put_escaped(out, rule->name);
        sq_buf_printf(out, "%s</td><td>%s</td><td>", rule->is_shadow ? " (shadow)" : "", types[rule->type]);
        sq_report_put_escaped(out, rule->label);
        sq_buf_printf(out, "</td><td>%s, %s</td><td>", windows[0], windows[1]);
        put_limit(out, rule);
        sq_buf_printf(out, "</td><td>%" PRIu32 "</td></tr>\n", (uint32_t)rule->min_messages);
    }
    sq_buf_append_text(out, "</tbody></table>\n");
}

void sq_report_html_head(struct sq_buf *out, const struct sq_report_subject *subject)
{
    sq_buf_append_text(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>squall replay: ");
    sq_report_put_escaped(out, subject->input);
    sq_buf_append_text(out, "</title>\n");
    sq_buf_append_text(out, style);
    sq_buf_append_text(out, "</head><body>\n<h1>");
    sq_report_put_escaped(out, subject->input);
    sq_buf_append_text(out, "</h1>\n");
    put_figures(out, subject->figures);
    put_period(out, &subject->point->run);
    put_rules(out, subject->point->config);
    sq_buf_append_text(out, "<p class=\"key\">In each plot: the share that matches (line) over the range that is usual for such a window (shaded, its middle dashed); "
                            "alerts in <span class=\"fire\">red</span>; ");
    if (subject->truth) sq_buf_append_text(out, "above, what really happened in <span class=\"event\">yellow</span>; ");
    sq_buf_append_text(out, "below, messages in a window of the rule. Times are UTC.</p>\n");
}

/* ---- The lists ---- */

void sq_report_html_events(struct sq_buf *out, const struct sq_report_subject *subject)
{
    const struct sq_replay_truth *truth = subject->truth;
    sq_buf_append_text(out, "<h2>What really happened</h2>\n<table><thead><tr><th>began</th><th>for</th><th>entity</th><th>caught</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < truth->count && i < ALERTS_SHOWN; i++) {
        const struct sq_replay_event *event = &truth->events[i];
        int64_t delay_ms = sq_replay_truth_delay_ms(event, &subject->point->tally);
        sq_buf_append_text(out, "<tr><td>");
        sq_report_put_time(out, event->start_ms);
        sq_buf_append_text(out, "</td><td class=\"n\">");
        sq_report_put_duration(out, event->end_ms - event->start_ms);
        sq_buf_append_text(out, "</td><td>");
        sq_report_put_escaped(out, event->entity);
        sq_buf_append_text(out, "</td><td>");
        if (delay_ms < 0) {
            sq_buf_append_text(out, "<span class=\"fire\">missed</span>");
        } else {
            sq_buf_append_text(out, "after ");
            sq_report_put_duration(out, delay_ms);
        }
        sq_buf_append_text(out, "</td></tr>\n");
    }
    sq_buf_append_text(out, "</tbody></table>\n");
    if (truth->count > ALERTS_SHOWN) sq_buf_printf(out, "<p class=\"key\">and %u more.</p>\n", truth->count - ALERTS_SHOWN);
}

static void put_row(struct sq_buf *out, const struct sq_replay_episode *episode, const struct sq_replay_truth *truth)
{
    sq_buf_append_text(out, "<tr><td class=\"n\">");
    sq_report_put_time(out, episode->fired_ms);
    sq_buf_append_text(out, "</td><td>");
    sq_report_put_escaped(out, episode->entity);
    sq_buf_append_text(out, "</td><td>");
    sq_report_put_escaped(out, episode->rule);
    sq_buf_printf(out, "</td><td>%s</td><td class=\"n\">%.1f</td><td class=\"n\">", sq_severity_word(episode->severity), episode->strength);
    if (episode->ends_ms == INT64_MAX) sq_buf_append_text(out, "open");
    else sq_report_put_duration(out, episode->ends_ms - episode->fired_ms);
    sq_buf_append_text(out, "</td><td>");
    if (truth && sq_replay_truth_is_false(truth, episode)) sq_buf_append_text(out, "<span class=\"fire\">false</span> ");
    sq_report_put_escaped(out, episode->summary);
    if (episode->example[0]) {
        sq_buf_append_text(out, "<br><q>");
        sq_report_put_escaped(out, episode->example);
        sq_buf_append_text(out, "</q>");
    }
    sq_buf_append_text(out, "</td></tr>\n");
}

void sq_report_html_alerts(struct sq_buf *out, const struct sq_report_subject *subject)
{
    const struct sq_replay_tally *tally = &subject->point->tally;
    sq_buf_append_text(out, "<h2>Alerts</h2>\n<table><thead><tr><th>fired</th><th>entity</th><th>rule</th><th>severity</th><th>strength</th><th>for</th><th>what</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < tally->episodes_count && i < ALERTS_SHOWN; i++) put_row(out, &tally->episodes[i], subject->truth);
    sq_buf_append_text(out, "</tbody></table>\n");
    if (tally->episodes_count > ALERTS_SHOWN) sq_buf_printf(out, "<p class=\"key\">and %u more: --alerts-out has all.</p>\n", tally->episodes_count - ALERTS_SHOWN);
}

void sq_report_html_end(struct sq_buf *out, unsigned left_out)
{
    if (left_out) sq_buf_printf(out, "<p class=\"key\">%u more are not looked at: the first %d that were heard of are.</p>\n", left_out, SQ_REPORT_SERIES_MAX);
    sq_buf_append_text(out, "</body></html>\n");
}
