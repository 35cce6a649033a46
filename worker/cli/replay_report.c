/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/cli/replay_report_parts.h"

enum { STEP_MS = 15 * 60 * 1000, PLOTS_MAX = 40, QUIET_PLOTS_MAX = 6, VIEWS_MAX = 10000 };

void sq_replay_report_init(struct sq_replay_report *report) { *report = (struct sq_replay_report){.step_ms = STEP_MS, .next_ms = INT64_MIN}; }

void sq_replay_report_deinit(struct sq_replay_report *report)
{
    struct sq_report_series *series, *next;
    HASH_ITER(hh, report->series, series, next)
    {
        HASH_DEL(report->series, series);
        free(series->looks);
        free(series);
    }
    sq_replay_report_init(report);
}

/* ---- Gathering ---- */

static struct sq_report_series *find_or_add(struct sq_replay_report *report, const struct sq_entity_view *view)
{
    char key[SQ_RULE_TEXT_BYTES + SQ_ENTITY_BYTES_MAX + 2];
    size_t bytes = (size_t)snprintf(key, sizeof key, "%.*s", (int)view->rule.bytes, view->rule.data) + 1;
    memcpy(key + bytes, view->entity.data, view->entity.bytes);
    key[bytes + view->entity.bytes] = '\0';
    size_t key_bytes = bytes + view->entity.bytes + 1;
    struct sq_report_series *series;
    HASH_FIND(hh, report->series, key, key_bytes, series);
    if (series || report->count == SQ_REPORT_SERIES_MAX) return series;
    series = calloc(1, sizeof *series + key_bytes);
    if (!series) return NULL;
    memcpy(series->key, key, key_bytes);
    series->rule = series->key;
    series->entity = series->key + bytes;
    series->key_bytes = key_bytes;
    HASH_ADD_KEYPTR(hh, report->series, series->key, key_bytes, series);
    if (!SQ_HASH_ADDED(series)) {
        free(series);
        return NULL;
    }
    report->count++;
    return series;
}

/* Of each two looks the one with more to see stays. */
static void thin_out(struct sq_report_series *series)
{
    unsigned kept = 0;
    for (unsigned i = 0; i + 1 < series->count; i += 2)
        series->looks[kept++] = series->looks[i].rate > series->looks[i + 1].rate ? series->looks[i] : series->looks[i + 1];
    series->count = kept;
}

struct noting {
    struct sq_replay_report *report;
    int64_t at_ms;
    bool failed, is_full;
};

static void note_view(const struct sq_entity_view *view, void *ctx)
{
    struct noting *noting = ctx;
    struct sq_report_series *series = find_or_add(noting->report, view);
    if (!series) {
        noting->failed |= noting->report->count < SQ_REPORT_SERIES_MAX;
        noting->report->left_out++;
        return;
    }
    if (series->count == series->capacity) {
        unsigned capacity = series->capacity ? 2 * series->capacity : 64;
        struct sq_report_look *looks = realloc(series->looks, capacity * sizeof *looks);
        if (!looks) {
            noting->failed = true;
            return;
        }
        series->looks = looks;
        series->capacity = capacity;
    }
    series->messages += view->count;
    series->looks[series->count++] = (struct sq_report_look){
        noting->at_ms, view->count ? (float)view->matched / (float)view->count : 0, (float)view->baseline_rate, (float)view->baseline_low,
        (float)view->baseline_high, view->count};
    noting->is_full |= series->count == SQ_REPORT_POINTS_MAX;
}

bool sq_replay_report_note(struct sq_replay_report *report, const struct sq_replay_run *run, int64_t event_ms)
{
    if (event_ms < report->next_ms) return true;
    struct noting noting = {.report = report, .at_ms = event_ms};
    report->next_ms = (event_ms / report->step_ms + 1) * report->step_ms;
    report->left_out = 0;
    for (unsigned i = 0; i < run->config->output.partitions; i++) sq_detector_view(run->detectors[i], VIEWS_MAX, note_view, &noting);
    if (noting.is_full) {
        report->step_ms *= 2;
        for (struct sq_report_series *series = report->series; series; series = series->hh.next) thin_out(series);
    }
    return !noting.failed;
}

/* ---- The file ---- */

static unsigned alerts_of(const struct sq_replay_tally *tally, const struct sq_report_series *series)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < tally->episodes_count; i++)
        count += strcmp(tally->episodes[i].entity, series->entity) == 0 && strcmp(tally->episodes[i].rule, series->rule) == 0;
    return count;
}

static bool has_event(const struct sq_replay_truth *truth, const struct sq_report_series *series)
{
    for (uint32_t i = 0; truth && i < truth->count; i++)
        if (strcmp(truth->events[i].entity, series->entity) == 0) return true;
    return false;
}

static bool has_news(const struct sq_report_subject *subject, const struct sq_report_series *series)
{
    return alerts_of(&subject->point->tally, series) > 0 || has_event(subject->truth, series);
}

static void write_plots(const struct sq_replay_report *report, const struct sq_report_subject *subject, struct sq_buf *out)
{
    unsigned plots = 0, quiet = 0;
    sq_buf_append_text(out, subject->truth ? "<h2>Entities with alerts or events</h2>\n" : "<h2>Entities with alerts</h2>\n");
    for (const struct sq_report_series *series = report->series; series && plots < PLOTS_MAX; series = series->hh.next) {
        if (!has_news(subject, series)) continue;
        sq_report_html_plot(out, series, subject);
        plots++;
    }
    if (plots == 0) sq_buf_append_text(out, "<p>None: no rule fired.</p>\n");
    sq_buf_append_text(out, "<h2>Busiest without</h2>\n");
    for (const struct sq_report_series *series = report->series; series && quiet < QUIET_PLOTS_MAX; series = series->hh.next) {
        if (has_news(subject, series)) continue;
        sq_report_html_plot(out, series, subject);
        quiet++;
    }
    if (quiet == 0) sq_buf_append_text(out, "<p>None.</p>\n");
}

static int by_messages(const struct sq_report_series *a, const struct sq_report_series *b)
{
    return (a->messages < b->messages) - (a->messages > b->messages);
}

int sq_replay_report_write(struct sq_replay_report *report, const struct sq_report_subject *subject, const char *path, struct sq_err *err)
{
    struct sq_buf out;
    sq_buf_init(&out);
    HASH_SORT(report->series, by_messages);
    sq_report_html_head(&out, subject);
    if (subject->truth) sq_report_html_events(&out, subject);
    write_plots(report, subject, &out);
    sq_report_html_alerts(&out, subject);
    sq_report_html_end(&out, report->left_out);
    int status = sq_buf_failed(&out) ? sq_err_set(err, SQ_E_NOMEM, "no memory for the report") : 0;
    FILE *file = status ? NULL : fopen(path, "we");
    if (status == 0 && !file) status = sq_err_set(err, SQ_E_IO, "%s: %s", path, strerror(errno));
    bool is_written = file && fwrite(out.data, 1, out.bytes, file) == out.bytes;
    if (file && (fclose(file) != 0 || !is_written)) status = sq_err_set(err, SQ_E_IO, "%s: it could not be written to its end", path);
    sq_buf_deinit(&out);
    return status;
}
