/* SPDX-License-Identifier: Apache-2.0 */
/* Where the scored records of a replay go, in input order: to --scores-out, and to a detector a scores partition, as in a running app. What
 * the detectors tell goes to --alerts-out and to stdout. One thread. */
#ifndef SQ_CLI_REPLAY_SINK_H
#define SQ_CLI_REPLAY_SINK_H

#include <stdio.h>

#include "worker/core/detector.h"
#include "worker/io/config.h"

struct sq_replay_sink {
    const struct sq_config *config;
    struct sq_detector **detectors; /* by scores partition; owned */
    FILE *scores_out, *alerts_out;  /* owned; NULL: not asked for */
    const char *scores_path, *alerts_path;
    bool json;                      /* stdout: the alerts-out form instead of lines for people */
    struct sq_buf line;
    int64_t first_ms, last_ms;      /* event times seen; first INT64_MAX before any */
};

int sq_replay_sink_open(struct sq_replay_sink *sink, const struct sq_config *config, const char *model_name, const char *scores_path,
                        const char *alerts_path, bool json, struct sq_err *err);

/* Writes what is still to come and closes the files. Returns SQ_E_IO if a file could not be written to its end. */
int sq_replay_sink_close(struct sq_replay_sink *sink, struct sq_err *err);

/* labels: of the model, for --scores-out; author: as given. POISON codes mean this record only. */
int sq_replay_sink_take(struct sq_replay_sink *sink, const struct sq_score *score, struct sq_str author, const char *const *labels,
                        struct sq_err *err);

/* The end of the input. */
int sq_replay_sink_finish(struct sq_replay_sink *sink, struct sq_err *err);

/* The sums over the detectors. */
struct sq_detector_counts sq_replay_sink_counts(const struct sq_replay_sink *sink);

#endif
