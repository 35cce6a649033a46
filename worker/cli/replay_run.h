/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration's detectors, a scores partition each, as in a running app. A sweep has one such run a point. One thread. */
#ifndef SQ_CLI_REPLAY_RUN_H
#define SQ_CLI_REPLAY_RUN_H

#include "worker/core/detector.h"
#include "worker/io/config.h"

struct sq_replay_run {
    const struct sq_config *config; /* borrowed */
    struct sq_detector **detectors; /* by scores partition; owned */
    sq_detector_emit_fn emit;
    void *ctx;
    int64_t first_ms, last_ms;      /* event times taken; first INT64_MAX before any */
};

/* emit gets each transition, in the order of the detectors' decisions. model_name: borrowed for the run's life. */
int sq_replay_run_open(struct sq_replay_run *run, const struct sq_config *config, const char *model_name, sq_detector_emit_fn emit, void *ctx,
                       struct sq_err *err);
void sq_replay_run_close(struct sq_replay_run *run);

/* The next score in input order; append time is its event time. POISON codes mean this record only. */
int sq_replay_run_take(struct sq_replay_run *run, const struct sq_score *score, struct sq_err *err);

/* The same of a score whose append time is known, and whose scores partition, which must be below output.partitions; -1: the entity's. */
int sq_replay_run_take_at(struct sq_replay_run *run, const struct sq_score *score, int32_t partition, int64_t append_ms, struct sq_err *err);

/* The end of the input: the last bucket closes, open alerts stay open. */
int sq_replay_run_finish(struct sq_replay_run *run, struct sq_err *err);

struct sq_detector_counts sq_replay_run_counts(const struct sq_replay_run *run); /* sums over the detectors */
double sq_replay_run_days(const struct sq_replay_run *run);                      /* of event time */

#endif
