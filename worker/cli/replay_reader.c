/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_reader.h"

#include <stdio.h>

int sq_replay_reader_open(struct sq_replay_reader *reader, struct sq_lines *lines, struct sq_err *err)
{
    *reader = (struct sq_replay_reader){.lines = lines};
    int status = sq_compact_open(&reader->compact, err);
    if (status) return status;
    status = sq_compact_detect(&reader->compact, lines, err);
    reader->is_compact = status == 1;
    reader->line.score.source.topic = sq_str_view(lines->name);
    return status < 0 ? status : 0;
}

void sq_replay_reader_close(struct sq_replay_reader *reader)
{
    sq_compact_close(&reader->compact);
    sq_replay_line_deinit(&reader->line);
}

static int next_line(struct sq_replay_reader *reader, struct sq_replay_result *result, struct sq_err *err)
{
    struct sq_str text;
    int kind = sq_lines_next(reader->lines, &text, err);
    if (kind <= SQ_LINE_END) return kind;
    struct sq_err problem;
    if (kind == SQ_LINE_TOO_LONG) result->code = sq_err_set(&problem, SQ_E_TOO_LARGE, "the line is over input.max_bytes");
    else result->code = sq_replay_line_read(&reader->line, text, &problem);
    if (result->code) snprintf(reader->message, sizeof reader->message, "%.*s", (int)sizeof reader->message - 1, problem.message);
    return 1;
}

int sq_replay_reader_next(struct sq_replay_reader *reader, struct sq_replay_result *result, struct sq_err *err)
{
    *result = (struct sq_replay_result){
        .line = reader->taken + 1, .partition = -1, .score = &reader->line.score, .labels = reader->line.labels, .message = reader->message};
    int status = reader->is_compact ? sq_compact_read(&reader->compact, reader->lines, &reader->line.score, reader->line.labels, err)
                                    : next_line(reader, result, err);
    reader->line.score.source.offset = (int64_t)reader->taken;
    result->append_ms = reader->line.score.event_time_ms;
    if (status == 1) reader->taken++;
    return status;
}
