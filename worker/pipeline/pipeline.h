/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: the stages its roles ask for on one loop, from start to drained.
 *
 *     sq_pipeline_open(&pipeline, &options, &err);
 *     sq_pipeline_run(pipeline);          the loop; returns the exit code
 *     sq_pipeline_close(pipeline);
 *
 * Thread: whoever calls run; pipeline/status.h may be called from callbacks of the same loop. */
#ifndef SQ_PIPELINE_H
#define SQ_PIPELINE_H

#include "worker/io/config.h"
#include "worker/io/loop.h"
#include "worker/io/sink.h"
#include "worker/io/state_reader.h"
#include "worker/pipeline/status.h"

enum {
    SQ_WATCHDOG_MS = 30000, /* a forward pass that takes longer hangs: the process aborts, to be restarted */
};

/* Everything is borrowed for the pipeline's life. A stage without a source is off. */
struct sq_pipeline_options {
    struct sq_loop *loop;
    const struct sq_config *config;
    const struct sq_engine *engine; /* NULL without a score stage */
    const struct sq_engine *shadow;   /* compared to engine on a sample, see shadow.h; NULL: none */
    const struct sq_engine *embedder; /* for POST /embed; NULL: off */
    const char *mode;               /* "live", "demo" */
    struct sq_source *score_source, *alert_source;
    struct sq_sink *score_sink, *alert_sink;
    struct sq_state_reader *state_reader; /* NULL: no state is kept */
};

int sq_pipeline_open(struct sq_pipeline **pipeline, const struct sq_pipeline_options *options, struct sq_err *err);

/* Runs until it was told to stop and everything is drained, or until it can't go on. 0, or the exit code of the error, which was logged. */
int sq_pipeline_run(struct sq_pipeline *pipeline);

/* From a callback of the loop: take nothing more, finish, commit, leave the group, then end run with 0; past shutdown_timeout with 1. */
void sq_pipeline_stop(struct sq_pipeline *pipeline);

/* Who answers POST /predict and /embed; NULL: nobody. */
struct sq_predict;
struct sq_predict *sq_pipeline_predict(struct sq_pipeline *pipeline);
struct sq_predict *sq_pipeline_embed(struct sq_pipeline *pipeline);

/* Who takes what people say of alerts; NULL: the alert stage is off. */
struct sq_alert_stage;
struct sq_alert_stage *sq_pipeline_alert(struct sq_pipeline *pipeline);

/* Goes on with the rules of `config`, borrowed from now on; all or nothing. On the loop. */
int sq_pipeline_reload(struct sq_pipeline *pipeline, const struct sq_config *config, struct sq_err *err);

void sq_pipeline_close(struct sq_pipeline *pipeline);

#endif
