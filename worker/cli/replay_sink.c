/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_sink.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/murmur2.h"
#include "engine/base/time_text.h"
#include "worker/cli/replay_line.h"

static int open_file(FILE **file, const char *path, struct sq_err *err)
{
    if (!path) return 0;
    *file = fopen(path, "we");
    return *file ? 0 : sq_err_set(err, SQ_E_IO, "%s: %s", path, strerror(errno));
}

int sq_replay_sink_open(struct sq_replay_sink *sink, const struct sq_config *config, const char *model_name, const char *scores_path,
                        const char *alerts_path, bool json, struct sq_err *err)
{
    *sink = (struct sq_replay_sink){
        .config = config, .scores_path = scores_path, .alerts_path = alerts_path, .json = json, .first_ms = INT64_MAX, .last_ms = INT64_MIN};
    sq_buf_init(&sink->line);
    sink->detectors = calloc(config->output.partitions, sizeof *sink->detectors);
    if (!sink->detectors) return sq_err_set(err, SQ_E_NOMEM, "no memory for %u detectors", config->output.partitions);
    int status = 0;
    for (unsigned i = 0; i < config->output.partitions && status == 0; i++) {
        const struct sq_detector_options options = {
            .app = config->app, .mode = "replay", .rules = config->rules, .rules_count = config->rules_count,
            .time = config->time, .scores_partition = (int32_t)i, .model_name = model_name};
        status = sq_detector_open(&sink->detectors[i], &options, err);
    }
    if (status == 0) status = open_file(&sink->scores_out, scores_path, err);
    if (status == 0) status = open_file(&sink->alerts_out, alerts_path, err);
    return status;
}

static int close_file(FILE *file, const char *path, struct sq_err *err)
{
    if (!file) return 0;
    int failed = ferror(file);
    if (fclose(file) == 0 && !failed) return 0;
    return sq_err_set(err, SQ_E_IO, "%s: it could not be written to its end", path);
}

int sq_replay_sink_close(struct sq_replay_sink *sink, struct sq_err *err)
{
    int scores = close_file(sink->scores_out, sink->scores_path, err);
    int alerts = close_file(sink->alerts_out, sink->alerts_path, err);
    for (unsigned i = 0; sink->detectors && i < sink->config->output.partitions; i++) sq_detector_close(sink->detectors[i]);
    free(sink->detectors);
    sq_buf_deinit(&sink->line);
    return scores ? scores : alerts;
}

/* ---- Alerts ---- */

/* What an entity is called comes from outside: control characters stay out of the terminal. */
static void append_name(struct sq_buf *line, struct sq_str name)
{
    for (size_t i = 0; i < name.bytes; i++) {
        unsigned char c = (unsigned char)name.data[i];
        sq_buf_append_char(line, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}

static void append_for_people(struct sq_buf *line, const struct sq_alert *alert)
{
    char time[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(alert->at_ms, time);
    sq_buf_printf(line, "%.10s %.8s %-8s ", time, time + 11, sq_alert_state_name(alert->state));
    append_name(line, alert->rule);
    sq_buf_append_char(line, ' ');
    append_name(line, alert->entity);
    sq_buf_printf(line, " %u/%u (%.0f%%) %s", alert->stats.matched, alert->stats.count, 100 * alert->stats.baseline_rate,
                  sq_severity_word(alert->severity));
    if (alert->reason != SQ_REASON_THRESHOLD) sq_buf_printf(line, " %s", sq_alert_reason_word(alert->reason));
}

static int write_line(FILE *to, struct sq_buf *line, struct sq_err *err)
{
    sq_buf_append_char(line, '\n');
    if (sq_buf_failed(line)) return sq_err_set(err, SQ_E_NOMEM, "no memory for a line of output");
    if (fwrite(line->data, 1, line->bytes, to) == line->bytes) return 0;
    return sq_err_set(err, SQ_E_IO, "the output can't be written: %s", strerror(errno));
}

static int write_alert(FILE *to, struct sq_buf *line, const struct sq_alert *alert, bool json, struct sq_err *err)
{
    sq_buf_clear(line);
    int status = json ? sq_alert_encode_flat(alert, line, err) : 0;
    if (!json) append_for_people(line, alert);
    return status ? status : write_line(to, line, err);
}

struct telling {
    struct sq_replay_sink *sink;
    struct sq_err *err;
};

static int on_alert(const struct sq_alert *alert, void *ctx)
{
    const struct telling *telling = ctx;
    struct sq_replay_sink *sink = telling->sink;
    int status = sink->alerts_out ? write_alert(sink->alerts_out, &sink->line, alert, true, telling->err) : 0;
    return status ? status : write_alert(stdout, &sink->line, alert, sink->json, telling->err);
}

/* ---- Records ---- */

static int write_score(struct sq_replay_sink *sink, const struct sq_score *score, struct sq_str author, const char *const *labels,
                       struct sq_err *err)
{
    sq_buf_clear(&sink->line);
    sq_replay_line_write(&sink->line, score, author, labels);
    if (sq_buf_failed(&sink->line)) return sq_err_set(err, SQ_E_NOMEM, "no memory for a score line");
    if (fwrite(sink->line.data, 1, sink->line.bytes, sink->scores_out) == sink->line.bytes) return 0;
    return sq_err_set(err, SQ_E_IO, "%s: %s", sink->scores_path, strerror(errno));
}

int sq_replay_sink_take(struct sq_replay_sink *sink, const struct sq_score *score, struct sq_str author, const char *const *labels,
                        struct sq_err *err)
{
    int32_t partition = sq_partition_of(score->entity, (int32_t)sink->config->output.partitions);
    struct telling telling = {sink, err};
    int status = sq_detector_take(sink->detectors[partition], score, score->event_time_ms, on_alert, &telling, err);
    if (status) return status;
    if (score->event_time_ms < sink->first_ms) sink->first_ms = score->event_time_ms;
    if (score->event_time_ms > sink->last_ms) sink->last_ms = score->event_time_ms;
    return sink->scores_out ? write_score(sink, score, author, labels, err) : 0;
}

int sq_replay_sink_finish(struct sq_replay_sink *sink, struct sq_err *err)
{
    struct telling telling = {sink, err};
    int status = 0;
    for (unsigned i = 0; i < sink->config->output.partitions && status == 0; i++)
        status = sq_detector_finish(sink->detectors[i], on_alert, &telling, err);
    if (status == 0 && fflush(stdout) != 0) status = sq_err_set(err, SQ_E_IO, "stdout can't be written: %s", strerror(errno));
    return status;
}

struct sq_detector_counts sq_replay_sink_counts(const struct sq_replay_sink *sink)
{
    struct sq_detector_counts sum = {0};
    for (unsigned i = 0; i < sink->config->output.partitions; i++) {
        const struct sq_detector_counts *counts = sq_detector_counts(sink->detectors[i]);
        sum.taken += counts->taken;
        sum.late_included += counts->late_included;
        sum.late_dropped += counts->late_dropped;
        sum.collapsed_text += counts->collapsed_text;
        sum.collapsed_author += counts->collapsed_author;
        sum.evaluations += counts->evaluations;
        sum.entities_evicted += counts->entities_evicted;
        for (int state = 0; state < 3; state++) sum.transitions[state] += counts->transitions[state];
        sum.entities += counts->entities;
        sum.firing_warning += counts->firing_warning;
        sum.firing_critical += counts->firing_critical;
    }
    return sum;
}
