/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/stage.h"

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/log.h"

static const char *const names[] = {SQ_STAGES};

void sq_stage_fail(struct sq_stage *stage, const struct sq_err *err)
{
    stage->is_stopping = true; /* take nothing more */
    stage->host->failed(err, stage->host->ctx);
}

/* ---- what the source says ---- */

static void on_assigned(struct sq_source_partition *partition, void *ctx)
{
    struct sq_stage *stage = ctx;
    struct sq_owned *owned = NULL;
    struct sq_err err;
    if (stage->hooks->own(stage, partition, &owned, &err)) sq_stage_fail(stage, &err);
    partition->user = owned;
}

static void on_assignment(unsigned partitions_count, void *ctx)
{
    struct sq_stage *stage = ctx;
    stage->has_assignment = true;
    sq_metric_set(SQ_M_ASSIGNED_PARTITIONS, stage->name, stage->owned.count);
    sq_log(SQ_LOG_INFO, SQ_L("partitions assigned"), SQ_LS("stage", names[stage->name]), SQ_LI("new", partitions_count),
           SQ_LI("owned", stage->owned.count));
}

static bool on_has_room(void *ctx)
{
    struct sq_stage *stage = ctx;
    return !stage->is_stopping && sq_outbox_has_room(stage->outbox) && stage->hooks->has_room(stage);
}

static void on_take(const struct sq_delivery_record *record, void *ctx)
{
    struct sq_stage *stage = ctx;
    struct sq_owned *owned = record->partition->user;
    if (owned) stage->hooks->take(stage, owned, record);
}

static void on_end(struct sq_source_partition *partition, int64_t offset, void *ctx)
{
    struct sq_stage *stage = ctx;
    struct sq_owned *owned = partition->user;
    if (owned) stage->hooks->end(stage, owned, offset);
}

static void on_revoking(void *ctx)
{
    struct sq_stage *stage = ctx;
    stage->revoke_deadline_ns = sq_clock_monotonic_ns() + SQ_STAGE_REVOKE_MS * UINT64_C(1000000);
    if (stage->hooks->abandon) stage->hooks->abandon(stage);
    sq_outbox_flush(stage->outbox);
    sq_stage_tick(stage);
}

static void on_gone(struct sq_source_partition *partition, bool is_lost, void *ctx)
{
    struct sq_stage *stage = ctx;
    struct sq_owned *owned = partition->user;
    if (!owned) return;
    partition->user = NULL;
    stage->hooks->gone(stage, owned, is_lost);
    sq_owned_gone(owned, &stage->owned);
    sq_metric_set(SQ_M_ASSIGNED_PARTITIONS, stage->name, stage->owned.count);
}

static void on_closed(void *ctx)
{
    struct sq_stage *stage = ctx;
    stage->has_left = true;
}

static void on_failed(const struct sq_err *err, void *ctx) { sq_stage_fail(ctx, err); }

/* ---- what the outbox says ---- */

static void on_prepared(void *ctx)
{
    struct sq_stage *stage = ctx;
    struct sq_err err;
    const struct sq_source_handler handler = {on_assigned, on_assignment, on_has_room, on_take,   on_end,
                                              on_revoking, on_gone,       on_closed,   on_failed, stage};
    if (stage->is_stopping) return;
    if (stage->source->ops->start(stage->source, &handler, &err)) sq_stage_fail(stage, &err);
    else stage->is_started = true;
}

/* Results of a partition that is gone never reach a commit: its next owner makes them again. What is acknowledged already is out. The rest
 * goes as who we are now. */
static void on_renew(struct sq_batch *batch, void *ctx)
{
    struct sq_stage *stage = ctx;
    size_t kept = 0;
    for (size_t i = 0; i < batch->outputs_count; i++) {
        const struct sq_owned *owner = stage->hooks->owner(&batch->outputs[i]);
        if (owner && owner->is_gone && batch->outputs[i].status) stage->hooks->drop(stage, &batch->outputs[i]);
        else batch->outputs[kept++] = batch->outputs[i];
    }
    batch->outputs_count = kept;
    sq_owned_drop_gone(batch);
    stage->source->ops->membership(stage->source, &batch->membership);
}

static bool on_collect(struct sq_batch *batch, void *ctx)
{
    struct sq_stage *stage = ctx;
    if (stage->hooks->save && !stage->hooks->save(stage)) return false;
    return sq_owned_collect(&stage->owned, batch);
}

static void on_committed(struct sq_batch *batch, void *ctx)
{
    struct sq_stage *stage = ctx;
    sq_owned_committed(batch);
    stage->hooks->committed(stage, batch);
    stage->source->ops->pull(stage->source);
}

static int on_replace(struct sq_batch *batch, struct sq_output *output, struct sq_err *err, void *ctx)
{
    struct sq_stage *stage = ctx;
    return stage->hooks->replace(stage, batch, output, err);
}

static void on_drop(struct sq_batch *batch, void *ctx)
{
    struct sq_stage *stage = ctx;
    batch->offsets_are_committed = false;
    for (size_t i = 0; i < batch->outputs_count; i++) stage->hooks->drop(stage, &batch->outputs[i]);
    sq_owned_committed(batch);
}

/* ---- giving up and leaving ---- */

static bool is_settled(const struct sq_stage *stage, bool only_revoking)
{
    for (const struct sq_owned *owned = stage->owned.head; owned; owned = owned->next) {
        if (only_revoking && !owned->source_partition->is_revoking) continue;
        bool can_go = only_revoking && owned->is_refused && owned->in_flight == 0; /* asking again would only hold up the group */
        if (!can_go && !sq_owned_is_settled(owned)) return false;
    }
    return true;
}

static void hurry(struct sq_stage *stage)
{
    sq_outbox_touch(stage->outbox);
    sq_outbox_flush(stage->outbox);
}

static void tick_revoking(struct sq_stage *stage)
{
    bool is_late = sq_clock_monotonic_ns() >= stage->revoke_deadline_ns;
    if (!is_settled(stage, true) && !is_late) {
        hurry(stage);
        return;
    }
    if (is_late)
        sq_log(SQ_LOG_WARN, SQ_L("giving partitions away before their records are finished; the next owner reads them again"),
               SQ_LS("stage", names[stage->name]), SQ_LI("in_flight", stage->hooks->in_flight(stage)));
    stage->revoke_deadline_ns = 0;
    stage->source->ops->release(stage->source);
}

static void tick_stopping(struct sq_stage *stage)
{
    if (stage->is_leaving) return;
    if (!stage->is_started) {
        stage->is_leaving = stage->has_left = true;
    } else if (stage->hooks->in_flight(stage) == 0 && is_settled(stage, false) && sq_outbox_is_empty(stage->outbox)) {
        stage->is_leaving = true;
        stage->source->ops->leave(stage->source);
    } else {
        hurry(stage);
    }
}

void sq_stage_tick(struct sq_stage *stage)
{
    sq_outbox_tick(stage->outbox);
    if (stage->revoke_deadline_ns) tick_revoking(stage);
    if (stage->is_stopping) tick_stopping(stage);
}

void sq_stage_start(struct sq_stage *stage) { sq_outbox_prepare(stage->outbox); }

void sq_stage_stop(struct sq_stage *stage)
{
    stage->is_stopping = true;
    if (stage->hooks->abandon) stage->hooks->abandon(stage);
    sq_stage_tick(stage);
}

int sq_stage_init(struct sq_stage *stage, enum sq_stage_name name, const struct sq_stage_hooks *hooks, struct sq_stage_host *host,
                  struct sq_source *source, struct sq_sink *sink, struct sq_err *err)
{
    stage->name = name;
    stage->hooks = hooks;
    stage->host = host;
    stage->source = source;
    const struct sq_outbox_options options = {host->loop, sink, name, on_prepared, on_renew, on_collect, on_committed, on_replace, on_failed, stage};
    return sq_outbox_open(&stage->outbox, &options, err);
}

void sq_stage_deinit(struct sq_stage *stage)
{
    sq_outbox_close(stage->outbox, on_drop);
    stage->outbox = NULL;
    while (stage->owned.head) {
        struct sq_owned *owned = stage->owned.head;
        stage->hooks->gone(stage, owned, true);
        sq_owned_gone(owned, &stage->owned);
    }
}
