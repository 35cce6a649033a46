/* SPDX-License-Identifier: Apache-2.0 */
/* The way into the pool and back: the line before it, and what engine threads have finished. */
#include "engine/base/clock.h"
#include "worker/pipeline/predict.h"
#include "worker/pipeline/score_stage_parts.h"

/* On an engine thread. */
void sq_score_on_pool_done(struct sq_job *jobs, void *ctx)
{
    struct sq_score_stage *stage = ctx;
    sq_job_stack_push(&stage->done, jobs);
    sq_wake_send(stage->wake);
}

static void feed(struct sq_score_stage *stage)
{
    while (stage->line_head && stage->in_pool < stage->in_pool_max) {
        struct sq_job *job = stage->line_head, *next = job->next;
        bool is_gone = ((struct sq_slot *)job)->owned->is_gone;
        if (!is_gone && sq_pool_try_submit(stage->pool, job)) return; /* full: it is fed again when something comes back */
        stage->line_head = next;
        if (!next) stage->line_tail = NULL;
        if (is_gone) sq_score_give_back(stage, (struct sq_slot *)job);
        else stage->in_pool++;
    }
}

void sq_score_line_up(struct sq_score_stage *stage, struct sq_job *job)
{
    job->next = NULL;
    if (stage->line_tail) stage->line_tail->next = job;
    else stage->line_head = job;
    stage->line_tail = job;
    feed(stage);
}

/* Drops what waits in line for partitions that are being given up (all of them when the stage stops), and what is finished behind it. */
void sq_score_abandon(struct sq_stage *base)
{
    struct sq_score_stage *stage = sq_score_stage_of(base);
    struct sq_job *job = stage->line_head;
    if (stage->held.owned && sq_score_is_given_up(stage, stage->held.owned)) sq_held_drop(&stage->held);
    stage->line_head = stage->line_tail = NULL;
    while (job) {
        struct sq_job *next = job->next;
        struct sq_slot *slot = (struct sq_slot *)job;
        struct sq_owned *owned = slot->owned;
        if (sq_score_is_given_up(stage, owned)) {
            sq_ledger_cut(&owned->ledger, slot->ticket, sq_score_drop_slot, stage);
            sq_score_give_back(stage, slot);
        } else {
            sq_score_line_up(stage, job);
        }
        job = next;
    }
    sq_score_disarm(stage);
}

void sq_score_on_wake(void *ctx)
{
    struct sq_score_stage *stage = ctx;
    struct sq_job *job = sq_job_stack_take(&stage->done);
    while (job) {
        struct sq_job *next = job->next;
        if (job->class == SQ_JOB_INTERACTIVE) {
            sq_predict_done(job);
        } else {
            stage->in_pool--;
            sq_score_finish(stage, (struct sq_slot *)job);
        }
        job = next;
    }
    stage->in_pool_max = (size_t)sq_pool_threads(stage->pool) * SQ_SCORE_AHEAD_PER_THREAD; /* the pool follows the cores there are */
    feed(stage);
    sq_stage_tick(&stage->base);
    stage->base.source->ops->pull(stage->base.source);
}
