/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tests/sim/pipeline/seams.h"
#include "worker/pipeline/pipeline_parts.h"

void sim_worker_start(struct sim_worker *worker)
{
    struct sq_err err;
    worker->incarnation++;
    worker->is_alive = true;
    worker->is_stopping = worker->has_stopped = false;
    worker->frozen_until_ns = 0;
    worker->loop = sim_loop_open(worker);
    sim_pool_owner(worker);
    for (int stage = 0; stage < SIM_GROUPS; stage++) {
        worker->sources[stage] = sim_source_open(worker, (enum sq_stage_name)stage);
        worker->sinks[stage] = sim_sink_open(worker, (enum sq_stage_name)stage);
    }
    worker->state_reader = sim_state_reader_open(worker);
    const struct sq_pipeline_options options = {
        .loop = worker->loop, .config = sim->config, .engine = sim->engine, .mode = "live",
        .score_source = worker->sources[SQ_STAGE_SCORE], .score_sink = worker->sinks[SQ_STAGE_SCORE],
        .alert_source = worker->sources[SQ_STAGE_ALERT], .alert_sink = worker->sinks[SQ_STAGE_ALERT],
        .state_reader = worker->state_reader,
    };
    if (sq_pipeline_open(&worker->pipeline, &options, &err)) abort();
    sq_score_stage_set_share(worker->pipeline->score, sim->share);
    sq_pipeline_run(worker->pipeline); /* starts it, and returns as the loop is ours */
}

static void take_apart(struct sim_worker *worker)
{
    worker->is_alive = false;
    sq_pipeline_close(worker->pipeline);
    worker->state_reader->ops->close(worker->state_reader);
    for (int stage = 0; stage < SIM_GROUPS; stage++) {
        worker->sinks[stage]->ops->close(worker->sinks[stage]);
        worker->sources[stage]->ops->close(worker->sources[stage]);
    }
    sq_loop_close(worker->loop);
}

void sim_worker_crash(struct sim_worker *worker)
{
    if (!worker->is_alive) return;
    sim->crashes++;
    take_apart(worker);
}

void sim_worker_stop(struct sim_worker *worker)
{
    if (!worker->is_alive || worker->is_stopping) return;
    worker->is_stopping = true;
    sq_pipeline_stop(worker->pipeline);
}

void sim_worker_reap(struct sim_worker *worker)
{
    int exit_code = worker->pipeline->exit_code;
    if (exit_code && !worker->is_stopping) sim_fail("worker %d ended by itself with %d", worker->index, exit_code);
    take_apart(worker);
}
