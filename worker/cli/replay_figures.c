/* SPDX-License-Identifier: Apache-2.0 */
/* Figures for people and for programs: the second half of replay_point.h. */
#include <stdio.h>

#include "engine/base/json.h"
#include "worker/cli/replay_point.h"

enum { CELL_BYTES = 48 };

typedef void (*sq_cell_fn)(const struct sq_replay_figures *figures, char cell[CELL_BYTES]);

static void alerts(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%u", f->alerts); }
static void a_day(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%.2f", f->alerts_a_day); }
static void entity_week(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%.2f", f->alerts_entity_week); }
static void delay(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%.0f min", f->delay_minutes); }
static void flaps(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%u", f->reopenings); }
static void open_for(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%.0f min", f->open_minutes); }
static void entities(const struct sq_replay_figures *f, char cell[CELL_BYTES])
{
    snprintf(cell, CELL_BYTES, "%u of %u", f->entities_alerted, f->entities);
}
static void recall(const struct sq_replay_figures *f, char cell[CELL_BYTES])
{
    snprintf(cell, CELL_BYTES, "%.2f (%u/%u)", f->recall, f->verdict.caught, f->verdict.events);
}
static void in_20_minutes(const struct sq_replay_figures *f, char cell[CELL_BYTES])
{
    snprintf(cell, CELL_BYTES, "%.2f", f->verdict.events ? (double)f->verdict.caught_early / f->verdict.events : 0);
}
static void false_alerts(const struct sq_replay_figures *f, char cell[CELL_BYTES]) { snprintf(cell, CELL_BYTES, "%.2f", f->false_entity_week); }

static const struct column {
    const char *title;
    sq_cell_fn write;
    bool needs_truth;
} columns[] = {
    {"alerts", alerts, false},       {"a day", a_day, false},           {"/entity-week", entity_week, false}, {"delay", delay, false},
    {"flaps", flaps, false},         {"median open", open_for, false},  {"entities", entities, false},        {"recall", recall, true},
    {"in 20 min", in_20_minutes, true}, {"false/entity-week", false_alerts, true},
};
enum { COLUMNS_COUNT = sizeof columns / sizeof *columns };

static void cell_of(const struct sq_replay_figures *figures, unsigned column, char cell[CELL_BYTES])
{
    columns[column].write(figures, cell);
}

static int width_of(const struct sq_replay_figures *figures, unsigned count, unsigned column)
{
    size_t width = strlen(columns[column].title);
    for (unsigned i = 0; i < count; i++) {
        char cell[CELL_BYTES];
        cell_of(&figures[i], column, cell);
        if (strlen(cell) > width) width = strlen(cell);
    }
    return (int)width;
}

void sq_replay_figures_table(const struct sq_replay_figures *figures, unsigned count, struct sq_str title, struct sq_buf *out)
{
    int widths[COLUMNS_COUNT], name_width = (int)title.bytes;
    bool has_truth = count > 0 && figures[0].has_truth;
    for (unsigned i = 0; i < count; i++)
        if ((int)strlen(figures[i].name) > name_width) name_width = (int)strlen(figures[i].name);
    sq_buf_printf(out, "%-*.*s", name_width, (int)title.bytes, title.data);
    for (unsigned c = 0; c < COLUMNS_COUNT; c++) {
        widths[c] = columns[c].needs_truth && !has_truth ? 0 : width_of(figures, count, c);
        if (widths[c]) sq_buf_printf(out, "  %*s", widths[c], columns[c].title);
    }
    sq_buf_append_char(out, '\n');
    for (unsigned i = 0; i < count; i++) {
        sq_buf_printf(out, "%-*s", name_width, figures[i].name);
        for (unsigned c = 0; c < COLUMNS_COUNT; c++) {
            char cell[CELL_BYTES];
            cell_of(&figures[i], c, cell);
            if (widths[c]) sq_buf_printf(out, "  %*s", widths[c], cell);
        }
        sq_buf_append_text(out, figures[i].is_current ? "   <- current\n" : "\n");
    }
}

/* ---- JSON ---- */

static void write_count(struct sq_buf *out, const char *key, unsigned number)
{
    sq_json_write_key(out, key);
    sq_buf_printf(out, "%u", number);
}

static void write_real(struct sq_buf *out, const char *key, double number)
{
    sq_json_write_key(out, key);
    sq_json_write_real(out, number);
}

static void write_figures(const struct sq_replay_figures *f, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    sq_json_write_key(out, "value");
    sq_json_write_str(out, sq_str_view(f->name));
    sq_json_write_key(out, "current");
    sq_buf_append_text(out, f->is_current ? "true" : "false");
    write_count(out, "alerts", f->alerts);
    write_real(out, "alerts_a_day", f->alerts_a_day);
    write_real(out, "alerts_entity_week", f->alerts_entity_week);
    write_real(out, "delay_minutes", f->delay_minutes);
    write_count(out, "flaps", f->reopenings);
    write_real(out, "open_minutes", f->open_minutes);
    write_count(out, "still_open", f->still_open);
    write_count(out, "entities_alerted", f->entities_alerted);
    write_count(out, "entities", f->entities);
    write_real(out, "days", f->days);
    if (f->has_truth) {
        write_count(out, "events", f->verdict.events);
        write_count(out, "caught", f->verdict.caught);
        write_count(out, "caught_early", f->verdict.caught_early);
        write_count(out, "false_alerts", f->verdict.false_alerts);
        write_real(out, "recall", f->recall);
        write_real(out, "false_entity_week", f->false_entity_week);
    }
    sq_buf_append_char(out, '}');
}

void sq_replay_figures_json(const struct sq_replay_figures *figures, unsigned count, struct sq_str path, struct sq_buf *out)
{
    sq_buf_append_text(out, "{\"path\":");
    sq_json_write_str(out, path);
    sq_buf_append_text(out, ",\"points\":[");
    for (unsigned i = 0; i < count; i++) {
        if (i) sq_buf_append_char(out, ',');
        write_figures(&figures[i], out);
    }
    sq_buf_append_text(out, "]}\n");
}

void sq_replay_figures_sentence(const struct sq_replay_figures *f, struct sq_buf *out)
{
    const struct sq_replay_verdict *verdict = &f->verdict;
    sq_buf_printf(out, "truth: %u of %u events caught (recall %.2f), %u within 20 minutes, median delay %.0f min; %u false alerts, %.2f an entity and week\n",
                  verdict->caught, verdict->events, f->recall, verdict->caught_early, f->delay_minutes, verdict->false_alerts, f->false_entity_week);
}
