/* SPDX-License-Identifier: Apache-2.0 */
/* The files a replay writes: scores to --scores-out, alerts to --alerts-out and to stdout. One thread. */
#ifndef SQ_CLI_REPLAY_OUT_H
#define SQ_CLI_REPLAY_OUT_H

#include <stdio.h>

#include "worker/cli/replay_compact.h"
#include "worker/cli/replay_scorer.h"

enum sq_replay_stdout {
    SQ_REPLAY_PEOPLE,  /* a transition is a line for people */
    SQ_REPLAY_JSON,    /* as in --alerts-out */
    SQ_REPLAY_SILENT,  /* something else goes to stdout */
};

struct sq_replay_out {
    FILE *scores_out, *alerts_out; /* owned; NULL: not asked for */
    const char *scores_path, *alerts_path;
    enum sq_replay_stdout to_stdout;
    bool is_compact;               /* the form of scores_out, by the end of its name */
    bool is_published;             /* alerts as <app>.alerts has them; set after the opening */
    struct sq_compact compact;
    struct sq_buf line;
};

/* The paths are borrowed; NULL: not asked for. */
int sq_replay_out_open(struct sq_replay_out *out, const char *scores_path, const char *alerts_path, enum sq_replay_stdout to_stdout,
                       struct sq_err *err);

/* Writes what is still to come and closes the files. Returns SQ_E_IO if one could not be written to its end. */
int sq_replay_out_close(struct sq_replay_out *out, struct sq_err *err);

int sq_replay_out_score(struct sq_replay_out *out, const struct sq_replay_result *result, struct sq_err *err);
int sq_replay_out_alert(struct sq_replay_out *out, const struct sq_alert *alert, struct sq_err *err);

/* Whether a name asks for the compact form. */
bool sq_replay_out_is_compact(const char *scores_path);

#endif
