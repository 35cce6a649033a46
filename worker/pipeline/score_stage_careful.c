/* SPDX-License-Identifier: Apache-2.0 */
/* The crash-loop breaker at work (worker/core/breaker.h): nothing is begun before its partition is armed, where workers died one record is
 * taken at a time, and the one that kills is stepped over. */
#include "worker/io/log.h"
#include "worker/pipeline/score_stage_parts.h"

/* A partition may hold a record that kills: one record at a time, and each is committed before the next. */
bool sq_score_is_careful(const struct sq_score_stage *stage)
{
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (sq_breaker_is_careful(&owned->breaker)) return true;
    return false;
}

/* Who gives up a partition before anything of it was begun didn't die of it. */
void sq_score_disarm(struct sq_score_stage *stage)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (sq_score_is_given_up(stage, owned) && owned->in_flight == 0) sq_breaker_disarm(&owned->breaker);
}

static bool has_backlog(struct sq_score_stage *stage, const struct sq_owned *owned)
{
    int64_t low, high, next_offset = sq_ledger_next_offset(&owned->ledger);
    struct sq_source *source = stage->base.source;
    return next_offset >= 0 && source->ops->watermarks(source, owned->source_partition, &low, &high) && high > next_offset;
}

static void commit_arming(struct sq_score_stage *stage)
{
    sq_outbox_touch(stage->base.outbox);
    sq_outbox_flush(stage->base.outbox);
}

/* The record waits until its partition is armed. Others that wait for the same go along, or a rebalance would cost a commit for each. */
void sq_score_hold(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    if (!sq_held_keep(&stage->held, owned, record)) {
        struct sq_err err;
        sq_err_set(&err, SQ_E_NOMEM, "no memory for a record");
        sq_stage_fail(&stage->base, &err);
        return;
    }
    if (owned->committed_offset < 0) owned->committed_offset = owned->ledger.next_offset = record->offset; /* the group is about to begin here */
    sq_breaker_arm(&owned->breaker);
    for (struct sq_owned *other = stage->base.owned.head; other; other = other->next)
        if (!sq_breaker_is_careful(&other->breaker) && has_backlog(stage, other)) sq_breaker_arm(&other->breaker);
    commit_arming(stage);
}

/* After a commit, which may have armed it. */
void sq_score_let_go(struct sq_score_stage *stage)
{
    struct sq_held *held = &stage->held;
    if (!held->owned) return;
    if (sq_breaker_is_armed(&held->owned->breaker)) {
        sq_score_admit(stage, held->owned, &held->record);
        sq_held_drop(held);
    } else {
        commit_arming(stage);
    }
}

void sq_score_condemn(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_delivery_record condemned = *record;
    condemned.code = SQ_E_CRASH_LOOP;
    condemned.message = "workers died over it, the last with nothing else in flight";
    sq_log(SQ_LOG_ERROR, SQ_L("a record that kills workers is stepped over"), SQ_LS("topic", owned->topic), SQ_LI("partition", owned->partition),
           SQ_LI("offset", record->offset));
    sq_score_admit(stage, owned, &condemned);
}
