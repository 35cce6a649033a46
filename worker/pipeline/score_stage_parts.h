/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the score stage share. Thread: the loop's, but for sq_score_on_pool_done. */
#ifndef SQ_PIPELINE_SCORE_STAGE_PARTS_H
#define SQ_PIPELINE_SCORE_STAGE_PARTS_H

#include "engine/job_stack.h"
#include "worker/core/letter_gate.h"
#include "worker/pipeline/held.h"
#include "worker/pipeline/score_record.h"
#include "worker/pipeline/score_stage.h"
#include "worker/pipeline/shadow.h"

enum { SQ_SCORE_AHEAD_PER_THREAD = 32 }; /* jobs in the pool: some batches */
enum { SQ_STEP_DECODE, SQ_STEP_QUEUE, SQ_STEP_ENCODE, SQ_STEP_COMMIT = 4 }; /* in the order of SQ_STEPS; the fourth is the alert stage's */

struct sq_score_stage {
    struct sq_stage base; /* first */
    struct sq_pool *pool;
    struct sq_wake *wake;
    struct sq_job_stack done; /* pushed by engine threads */
    struct sq_slots slots;
    struct sq_job *line_head, *line_tail; /* waiting for the pool */
    size_t in_pool, in_pool_max;
    struct sq_held held;           /* the record for which its partition is being armed; nothing is taken meanwhile */
    struct sq_arena arena;         /* of one decode */
    struct sq_score_records records;
    struct sq_letter_gate gate;
    double share;                  /* of the records, that is scored */
    struct sq_score_counts counts;
};

static inline struct sq_score_stage *sq_score_stage_of(struct sq_stage *stage) { return (struct sq_score_stage *)stage; }
static inline double sq_score_seconds(uint64_t from_ns, uint64_t to_ns) { return to_ns > from_ns ? (double)(to_ns - from_ns) * 1e-9 : 0; }

/* Its partition is being given away, or the whole stage. */
static inline bool sq_score_is_given_up(const struct sq_score_stage *stage, const struct sq_owned *owned)
{
    return stage->base.is_stopping || owned->is_gone || owned->source_partition->is_revoking;
}

/* ---- score_stage.c ---- */

void sq_score_give_back(struct sq_score_stage *stage, struct sq_slot *slot);
void sq_score_drop_slot(void *slot, void *stage); /* the same, for a ledger that is cut */

/* ---- score_stage_take.c ---- */

void sq_score_take(struct sq_stage *base, struct sq_owned *owned, const struct sq_delivery_record *record); /* a hook of the stage */
/* Takes it now, whatever the breaker says. */
void sq_score_admit(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record);

/* ---- score_stage_careful.c ---- */

/* Some partition may hold a record that kills: one record at a time, and each is committed before the next. */
bool sq_score_is_careful(const struct sq_score_stage *stage);
/* The record waits until its partition is armed. */
void sq_score_hold(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record);
void sq_score_let_go(struct sq_score_stage *stage); /* after a commit, which may have armed it */
void sq_score_condemn(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record);
void sq_score_disarm(struct sq_score_stage *stage); /* what is given up with nothing of it begun */

/* ---- score_stage_pool.c ---- */

void sq_score_on_pool_done(struct sq_job *jobs, void *stage); /* on an engine thread */
void sq_score_on_wake(void *stage);
void sq_score_line_up(struct sq_score_stage *stage, struct sq_job *job);
void sq_score_abandon(struct sq_stage *base); /* a hook of the stage */

/* ---- score_stage_out.c ---- */

/* It ends as a dead letter, for this reason. */
void sq_score_give_up(struct sq_slot *slot, int code, const char *message);
void sq_score_finish(struct sq_score_stage *stage, struct sq_slot *slot); /* back from the pool */
void sq_score_put_finished(struct sq_score_stage *stage, struct sq_owned *owned); /* writes out what is finished without a gap */

/* Hooks of the stage. */
void sq_score_committed(struct sq_stage *base, struct sq_batch *batch);
void sq_score_drop(struct sq_stage *base, struct sq_output *output);
const struct sq_owned *sq_score_owner(const struct sq_output *output);
int sq_score_replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err);

#endif
