/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_out.h"

#include <errno.h>

#include "engine/base/time_text.h"
#include "worker/cli/replay_line.h"
#include "worker/cli/shown.h"

static int open_file(FILE **file, const char *path, struct sq_err *err)
{
    if (!path) return 0;
    *file = fopen(path, "we");
    return *file ? 0 : sq_err_set(err, SQ_E_IO, "%s: %s", path, strerror(errno));
}

bool sq_replay_out_is_compact(const char *scores_path)
{
    size_t bytes = strlen(scores_path), suffix_bytes = strlen(SQ_COMPACT_SUFFIX);
    return bytes > suffix_bytes && strcmp(scores_path + bytes - suffix_bytes, SQ_COMPACT_SUFFIX) == 0;
}

static int write_line(FILE *to, const struct sq_buf *line, const char *path, struct sq_err *err)
{
    if (sq_buf_failed(line)) return sq_err_set(err, SQ_E_NOMEM, "no memory for a line of output");
    if (fwrite(line->data, 1, line->bytes, to) == line->bytes) return 0;
    return sq_err_set(err, SQ_E_IO, "%s can't be written: %s", path, strerror(errno));
}

static int open_scores(struct sq_replay_out *out, struct sq_err *err)
{
    if (!out->scores_path) return 0;
    int status = open_file(&out->scores_out, out->scores_path, err);
    out->is_compact = sq_replay_out_is_compact(out->scores_path);
    if (status || !out->is_compact) return status;
    sq_compact_write_head(&out->line);
    status = sq_compact_open(&out->compact, err);
    return status ? status : write_line(out->scores_out, &out->line, out->scores_path, err);
}

int sq_replay_out_open(struct sq_replay_out *out, const char *scores_path, const char *alerts_path, enum sq_replay_stdout to_stdout,
                       struct sq_err *err)
{
    *out = (struct sq_replay_out){.scores_path = scores_path, .alerts_path = alerts_path, .to_stdout = to_stdout};
    sq_buf_init(&out->line);
    int status = open_scores(out, err);
    return status ? status : open_file(&out->alerts_out, alerts_path, err);
}

static int close_file(FILE *file, const char *path, struct sq_err *err)
{
    if (!file) return 0;
    int failed = ferror(file);
    if (fclose(file) == 0 && !failed) return 0;
    return sq_err_set(err, SQ_E_IO, "%s: it could not be written to its end", path);
}

int sq_replay_out_close(struct sq_replay_out *out, struct sq_err *err)
{
    int scores = close_file(out->scores_out, out->scores_path, err);
    int alerts = close_file(out->alerts_out, out->alerts_path, scores ? NULL : err);
    sq_compact_close(&out->compact);
    sq_buf_deinit(&out->line);
    return scores ? scores : alerts;
}

/* ---- Alerts ---- */

static void append_for_people(struct sq_buf *line, const struct sq_alert *alert)
{
    char time[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(alert->at_ms, time);
    sq_buf_printf(line, "%.10s %.8s %-8s ", time, time + 11, sq_alert_state_name(alert->state));
    sq_shown_append(line, alert->rule);
    sq_buf_append_char(line, ' ');
    sq_shown_append(line, alert->entity);
    sq_buf_printf(line, " %u/%u (%.0f%%) %s", alert->stats.matched, alert->stats.count, 100 * alert->stats.baseline_rate,
                  sq_severity_word(alert->severity));
    if (alert->reason != SQ_REASON_THRESHOLD) sq_buf_printf(line, " %s", sq_alert_reason_word(alert->reason));
}

int sq_replay_out_alert(struct sq_replay_out *out, const struct sq_alert *alert, struct sq_err *err)
{
    int status = 0;
    sq_buf_clear(&out->line);
    if (out->alerts_out || out->to_stdout == SQ_REPLAY_JSON)
        status = (out->is_published ? sq_alert_encode_json : sq_alert_encode_flat)(alert, &out->line, err);
    sq_buf_append_char(&out->line, '\n');
    if (status == 0 && out->alerts_out) status = write_line(out->alerts_out, &out->line, out->alerts_path, err);
    if (status == 0 && out->to_stdout == SQ_REPLAY_JSON) status = write_line(stdout, &out->line, "stdout", err);
    if (status || out->to_stdout != SQ_REPLAY_PEOPLE) return status;
    sq_buf_clear(&out->line);
    append_for_people(&out->line, alert);
    sq_buf_append_char(&out->line, '\n');
    return write_line(stdout, &out->line, "stdout", err);
}

/* ---- Scores ---- */

int sq_replay_out_score(struct sq_replay_out *out, const struct sq_replay_result *result, struct sq_err *err)
{
    if (!out->scores_out) return 0;
    sq_buf_clear(&out->line);
    int status = out->is_compact ? sq_compact_write(&out->compact, &out->line, result->score, result->labels, err) : 0;
    if (!out->is_compact) sq_replay_line_write(&out->line, result->score, result->author, result->labels);
    return status ? status : write_line(out->scores_out, &out->line, out->scores_path, err);
}
