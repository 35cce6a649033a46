/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/watchdog.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/log.h"
#include "worker/pipeline/pipeline_parts.h"

static const char *const stages[] = {SQ_STAGES};

/* librdkafka can't see a hung model, because its queue is served all the time. */
static void watch_passes(const struct sq_pipeline *pipeline, uint64_t now_ns)
{
    uint64_t started_ns = pipeline->score ? sq_pool_oldest_started_ns(sq_score_stage_pool(pipeline->score)) : 0;
    uint64_t pass_ns = started_ns && now_ns > started_ns ? now_ns - started_ns : 0;
    sq_metric_set(SQ_M_OLDEST_PASS_SECONDS, 0, (int64_t)(pass_ns / UINT64_C(1000000000)));
    if (pass_ns < SQ_WATCHDOG_MS * UINT64_C(1000000)) return;
    sq_log(SQ_LOG_ERROR, SQ_L("a forward pass hangs; aborting, to be started again"), SQ_LR("seconds", (double)pass_ns * 1e-9));
    abort();
}

/* Records wait, or what became of them does, as while no commit succeeds. */
static bool should_move(const struct sq_stage *stage, const struct sq_owned *owned)
{
    int64_t low, high;
    if (owned->source_partition->is_revoking || (stage->name == SQ_STAGE_ALERT && sq_alert_stage_is_restoring(owned))) return false;
    if (sq_owned_has_moved(owned)) return true;
    return stage->source->ops->watermarks(stage->source, owned->source_partition, &low, &high) && high > sq_ledger_next_offset(&owned->ledger);
}

static void watch_partition(const struct sq_stage *stage, struct sq_owned *owned, uint64_t now_ns)
{
    bool was_stalled = owned->is_stalled;
    if (!owned->moved_ns || owned->committed_offset != owned->moved_offset || !should_move(stage, owned)) {
        owned->moved_offset = owned->committed_offset;
        owned->moved_ns = now_ns;
    }
    owned->is_stalled = now_ns - owned->moved_ns >= SQ_STALLED_MS * UINT64_C(1000000);
    if (owned->is_stalled == was_stalled) return;
    sq_log(owned->is_stalled ? SQ_LOG_WARN : SQ_LOG_INFO, SQ_L(owned->is_stalled ? "a partition stands still though records wait" : "a partition moves again"),
           SQ_LS("stage", stages[stage->name]), SQ_LS("topic", owned->topic), SQ_LI("partition", owned->partition), SQ_LI("offset", owned->committed_offset));
}

static void watch_stage(const struct sq_stage *stage, uint64_t now_ns)
{
    int64_t stalled = 0;
    for (struct sq_owned *owned = stage->owned.head; owned; owned = owned->next) {
        watch_partition(stage, owned, now_ns);
        stalled += owned->is_stalled;
    }
    sq_metric_set(SQ_M_PARTITIONS_STALLED, stage->name, stalled);
}

void sq_watchdog_second(struct sq_pipeline *pipeline)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    watch_passes(pipeline, now_ns);
    if (pipeline->score) watch_stage(sq_score_stage_base(pipeline->score), now_ns);
    if (pipeline->alert) watch_stage(sq_alert_stage_base(pipeline->alert), now_ns);
}
