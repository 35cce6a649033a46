/* SPDX-License-Identifier: Apache-2.0 */
/* The input of `--scores-in`, score after score, in whichever form it is: lines or compact. */
#ifndef SQ_CLI_REPLAY_READER_H
#define SQ_CLI_REPLAY_READER_H

#include "worker/cli/replay_compact.h"
#include "worker/cli/replay_line.h"
#include "worker/cli/replay_scorer.h"

struct sq_replay_reader {
    struct sq_lines *lines; /* borrowed */
    bool is_compact;
    struct sq_compact compact;
    struct sq_replay_line line;
    uint64_t taken;         /* lines or scores */
    char message[160];      /* of a refused line */
};

int sq_replay_reader_open(struct sq_replay_reader *reader, struct sq_lines *lines, struct sq_err *err);
void sq_replay_reader_close(struct sq_replay_reader *reader);

/* 1 with a result, a refused line too; 0 at the end; else SQ_E_IO or SQ_E_NOMEM. The result is valid until the next call. */
int sq_replay_reader_next(struct sq_replay_reader *reader, struct sq_replay_result *result, struct sq_err *err);

#endif
