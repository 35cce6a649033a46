/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_run.h"

#include <stdlib.h>

#include "engine/base/murmur2.h"

int sq_replay_run_open(struct sq_replay_run *run, const struct sq_config *config, const char *model_name, sq_detector_emit_fn emit, void *ctx,
                       struct sq_err *err)
{
    *run = (struct sq_replay_run){.config = config, .emit = emit, .ctx = ctx, .first_ms = INT64_MAX, .last_ms = INT64_MIN};
    run->detectors = calloc(config->output.partitions, sizeof *run->detectors);
    if (!run->detectors) return sq_err_set(err, SQ_E_NOMEM, "no memory for %u detectors", config->output.partitions);
    int status = 0;
    for (unsigned i = 0; i < config->output.partitions && status == 0; i++) {
        const struct sq_detector_options options = {
            .app = config->app, .mode = "replay", .rules = config->rules, .rules_count = config->rules_count,
            .time = config->time, .scores_partition = (int32_t)i, .model_name = model_name};
        status = sq_detector_open(&run->detectors[i], &options, err);
    }
    return status;
}

void sq_replay_run_close(struct sq_replay_run *run)
{
    for (unsigned i = 0; run->detectors && i < run->config->output.partitions; i++) sq_detector_close(run->detectors[i]);
    free(run->detectors);
    run->detectors = NULL;
}

int sq_replay_run_take(struct sq_replay_run *run, const struct sq_score *score, struct sq_err *err)
{
    return sq_replay_run_take_at(run, score, -1, score->event_time_ms, err);
}

int sq_replay_run_take_at(struct sq_replay_run *run, const struct sq_score *score, int32_t partition, int64_t append_ms, struct sq_err *err)
{
    if (partition < 0) partition = sq_partition_of(score->entity, (int32_t)run->config->output.partitions);
    int status = sq_detector_take(run->detectors[partition], score, append_ms, run->emit, run->ctx, err);
    if (status) return status;
    if (score->event_time_ms < run->first_ms) run->first_ms = score->event_time_ms;
    if (score->event_time_ms > run->last_ms) run->last_ms = score->event_time_ms;
    return 0;
}

int sq_replay_run_finish(struct sq_replay_run *run, struct sq_err *err)
{
    int status = 0;
    for (unsigned i = 0; i < run->config->output.partitions && status == 0; i++)
        status = sq_detector_finish(run->detectors[i], run->emit, run->ctx, err);
    return status;
}

struct sq_detector_counts sq_replay_run_counts(const struct sq_replay_run *run)
{
    struct sq_detector_counts sum = {0};
    for (unsigned i = 0; i < run->config->output.partitions; i++) {
        const struct sq_detector_counts *counts = sq_detector_counts(run->detectors[i]);
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

double sq_replay_run_days(const struct sq_replay_run *run)
{
    return run->last_ms > run->first_ms ? (double)(run->last_ms - run->first_ms) / 86400000 : 0;
}
