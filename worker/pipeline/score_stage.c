/* SPDX-License-Identifier: Apache-2.0 */
/* A record's way: take copies it into a slot, which waits in line until the pool has little to do; an engine thread pushes it, finished, on
 * a lock-free list and wakes the loop; there it waits in its partition's ledger for those before it, and then its score or its dead letter
 * goes into the open batch. So a batch holds just the outputs of the offsets that are committed with it, in their order. The slot stays
 * until the batch is committed, because a score that the broker refuses becomes a dead letter, and that needs the record.
 *
 * The pool is kept a few batches ahead and no more, because what it has can't be taken back. So giving partitions up, or the whole stage,
 * costs a moment even where the model is slow: what still waits in line is dropped and read again by the next owner. What comes back for a
 * partition that is gone is dropped, too. */
#include "worker/pipeline/score_stage.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/log.h"
#include "worker/pipeline/predict.h"
#include "worker/pipeline/score_stage_parts.h"

enum {
    SLOTS_BASE = 256,
    SLOTS_PER_THREAD = 256,
    LEDGER_BYTES_MAX = 64 << 20,
};

struct sq_stage *sq_score_stage_base(struct sq_score_stage *stage) { return &stage->base; }
struct sq_pool *sq_score_stage_pool(struct sq_score_stage *stage) { return stage->pool; }
void sq_score_stage_set_share(struct sq_score_stage *stage, double share) { stage->share = share; }
size_t sq_score_stage_slots(unsigned threads) { return SLOTS_BASE + (size_t)threads * SLOTS_PER_THREAD; }

void sq_score_give_back(struct sq_score_stage *stage, struct sq_slot *slot)
{
    slot->owned->in_flight--;
    sq_owned_unref(slot->owned);
    sq_slots_give_back(&stage->slots, slot);
    sq_metric_set(SQ_M_RECORDS_IN_FLIGHT, 0, (int64_t)stage->slots.used_count);
}

void sq_score_drop_slot(void *cookie, void *ctx) { sq_score_give_back(ctx, cookie); }

/* ---- partitions ---- */

static bool has_room(struct sq_stage *base)
{
    const struct sq_score_stage *stage = sq_score_stage_of(base);
    if (stage->held.owned || !sq_slots_has_room(&stage->slots)) return false;
    if (sq_score_is_careful(stage) && stage->slots.used_count) return false;
    for (const struct sq_owned *owned = base->owned.head; owned; owned = owned->next)
        if (!sq_ledger_has_room(&owned->ledger)) return false;
    return true;
}

static int own(struct sq_stage *base, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err)
{
    struct sq_owned *made = calloc(1, sizeof *made);
    if (!made) return sq_err_set(err, SQ_E_NOMEM, "no memory for a partition");
    size_t slots_count = sq_score_stage_of(base)->slots.count;
    int status = sq_owned_init(made, &base->owned, partition, slots_count, LEDGER_BYTES_MAX, err);
    if (status) return status;
    sq_breaker_init(&made->breaker, partition->begun, (unsigned)slots_count);
    if (sq_breaker_is_careful(&made->breaker))
        sq_log(SQ_LOG_WARN, SQ_L("workers died here without getting further: taking one record at a time"), SQ_LS("topic", partition->topic),
               SQ_LI("partition", partition->partition), SQ_LI("offset", partition->committed_offset), SQ_LI("workers", partition->begun));
    *owned = made;
    return 0;
}

static void reached_end(struct sq_stage *base, struct sq_owned *owned, int64_t offset)
{
    if (sq_score_stage_of(base)->held.owned == owned) return; /* not yet */
    if (sq_owned_note_end(owned, offset)) sq_outbox_touch(base->outbox);
}

static void gone(struct sq_stage *base, struct sq_owned *owned, bool is_lost)
{
    (void)is_lost;
    if (sq_score_stage_of(base)->held.owned == owned) sq_held_drop(&sq_score_stage_of(base)->held);
    sq_ledger_cut(&owned->ledger, 0, sq_score_drop_slot, sq_score_stage_of(base));
}

static size_t in_flight(const struct sq_stage *base) { return ((const struct sq_score_stage *)base)->slots.used_count; }

static const struct sq_stage_hooks hooks = {
    own, has_room, sq_score_take, reached_end, sq_score_abandon, gone, sq_score_committed, sq_score_drop, sq_score_owner, sq_score_replace,
    in_flight, NULL,
};

void sq_score_stage_counts(const struct sq_score_stage *stage, struct sq_score_counts *counts)
{
    *counts = stage->counts;
    counts->in_flight = stage->slots.used_count;
    counts->in_flight_max = stage->slots.count;
    counts->extra_bytes = stage->slots.extra_bytes;
}

/* ---- open and close ---- */

static int open_parts(struct sq_score_stage *stage, struct sq_stage_host *host, struct sq_source *source, struct sq_sink *sink,
                      unsigned threads, struct sq_err *err)
{
    size_t slots_count = sq_score_stage_slots(threads);
    stage->in_pool_max = (size_t)threads * SQ_SCORE_AHEAD_PER_THREAD;
    const struct sq_config *config = host->config;
    const struct sq_pool_options pool = {
        .threads = config->model.threads, .queue_jobs_max = slots_count + config->http.pending_max,
        .wait_ms_max = (unsigned)config->model.batch_wait_ms_max,
        .collapses = true, .cache_texts = config->model.score_cache_texts, .done = sq_score_on_pool_done, .done_ctx = stage,
    };
    int status = sq_letter_gate_init(&stage->gate, config->dead_letter.ratio_max, config->dead_letter.over, err);
    if (status == 0) status = sq_slots_init(&stage->slots, slots_count, err);
    if (status == 0) status = sq_arena_init(&stage->arena, sq_event_room_bytes(&host->config->input.format), err);
    if (status == 0) status = sq_wake_open(&stage->wake, host->loop, sq_score_on_wake, stage, err);
    if (status == 0) status = sq_pool_open(&stage->pool, host->engine, &pool, err);
    if (status == 0) status = sq_stage_init(&stage->base, SQ_STAGE_SCORE, &hooks, host, source, sink, err);
    return status;
}

int sq_score_stage_open(struct sq_score_stage **out, struct sq_stage_host *host, struct sq_source *source, struct sq_sink *sink,
                        unsigned threads, struct sq_err *err)
{
    *out = NULL;
    struct sq_score_stage *stage = calloc(1, sizeof *stage);
    if (!stage) return sq_err_set(err, SQ_E_NOMEM, "no memory for a stage");
    stage->share = 1;
    sq_score_records_init(&stage->records, host->config, sq_engine_info(host->engine));
    int status = open_parts(stage, host, source, sink, threads ? threads : sq_pool_threads_default(), err);
    if (status) sq_score_stage_close(stage);
    else *out = stage;
    return status;
}

void sq_score_stage_close(struct sq_score_stage *stage)
{
    if (!stage) return;
    if (stage->pool) sq_pool_close(stage->pool);
    stage->base.is_stopping = true;
    sq_score_abandon(&stage->base);
    for (struct sq_job *job = sq_job_stack_take(&stage->done); job;) {
        struct sq_job *next = job->next;
        if (job->class == SQ_JOB_INTERACTIVE) sq_predict_done(job);
        else sq_score_give_back(stage, (struct sq_slot *)job);
        job = next;
    }
    if (stage->base.hooks) sq_stage_deinit(&stage->base);
    sq_wake_close(stage->wake);
    sq_score_records_deinit(&stage->records);
    sq_letter_gate_deinit(&stage->gate);
    sq_arena_deinit(&stage->arena);
    sq_slots_deinit(&stage->slots);
    free(stage);
}
