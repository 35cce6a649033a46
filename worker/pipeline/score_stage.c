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

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/texthash.h"
#include "worker/core/event_time.h"
#include "worker/core/letter_gate.h"
#include "worker/core/sample.h"
#include "worker/io/log.h"
#include "worker/pipeline/held.h"
#include "worker/pipeline/predict.h"
#include "worker/pipeline/score_record.h"
#include "worker/pipeline/shadow.h"

enum {
    SLOTS_BASE = 256,
    SLOTS_PER_THREAD = 256,
    LEDGER_BYTES_MAX = 64 << 20,
    AHEAD_PER_THREAD = 32,             /* jobs in the pool: some batches */
    SERIES_SCORED = 0,
    SERIES_DEAD_LETTERED = 1,
    SERIES_SKIPPED = 2,
};
enum { STEP_DECODE, STEP_QUEUE, STEP_ENCODE, STEP_COMMIT = 4 }; /* in the order of SQ_STEPS; the fourth is the alert stage's */

struct sq_score_stage {
    struct sq_stage base; /* first */
    struct sq_pool *pool;
    struct sq_wake *wake;
    _Atomic(struct sq_job *) done; /* newest first; pushed by engine threads */
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

static struct sq_score_stage *self(struct sq_stage *stage) { return (struct sq_score_stage *)stage; }
struct sq_stage *sq_score_stage_base(struct sq_score_stage *stage) { return &stage->base; }
struct sq_pool *sq_score_stage_pool(struct sq_score_stage *stage) { return stage->pool; }
void sq_score_stage_set_share(struct sq_score_stage *stage, double share) { stage->share = share; }
size_t sq_score_stage_slots(unsigned threads) { return SLOTS_BASE + (size_t)threads * SLOTS_PER_THREAD; }

static double seconds(uint64_t from_ns, uint64_t to_ns) { return to_ns > from_ns ? (double)(to_ns - from_ns) * 1e-9 : 0; }

static void fail(struct sq_score_stage *stage, const struct sq_err *err) { sq_stage_fail(&stage->base, err); }

static void give_back(struct sq_score_stage *stage, struct sq_slot *slot)
{
    slot->owned->in_flight--;
    sq_owned_unref(slot->owned);
    sq_slots_give_back(&stage->slots, slot);
    sq_metric_set(SQ_M_RECORDS_IN_FLIGHT, 0, (int64_t)stage->slots.used_count);
}

/* ---- out: scores and dead letters ---- */

static void give_up(struct sq_slot *slot, int code, const char *message)
{
    slot->code = code;
    snprintf(slot->message, sizeof slot->message, "%.*s", (int)sizeof slot->message - 1, message);
}

static int put_dead_letter(struct sq_score_stage *stage, struct sq_slot *slot, struct sq_err *err)
{
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_output *output = sq_batch_add(batch);
    if (!output) return sq_err_set(err, SQ_E_NOMEM, "no memory for an output");
    output->cookie = slot;
    return sq_dead_letter_fill(&stage->base.host->letters, batch, output, &slot->origin, SQ_STAGE_SCORE, slot->code, slot->message,
                               sq_clock_wall_ms(), err);
}

static int put(struct sq_score_stage *stage, struct sq_slot *slot, struct sq_err *err)
{
    if (slot->code) return put_dead_letter(stage, slot, err);
    int status = sq_score_record_add(&stage->records, sq_outbox_batch(stage->base.outbox), slot, err);
    if (sq_err_class(status) == SQ_CLASS_POISON) {
        give_up(slot, status, err->message);
        return put_dead_letter(stage, slot, err);
    }
    unsigned label = slot->job.prediction.label;
    if (status == 0 && !slot->is_skipped && label < SQ_STATUS_LABELS_MAX) sq_recent_second(stage->base.host->recent, sq_clock_wall_ms())->labels[label]++;
    return status;
}

/* What is in the open batch is dropped with the stage: it is read again once somebody has looked. */
static int stop_a_bad_deploy(const struct sq_score_stage *stage, const struct sq_slot *slot, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_CONFIG, "%u of the last %u records can't be scored, the latest by %s (%s): the worker stops before it empties the "
                      "topic into %s.dlq. See squall dlq list; dead_letter.max_ratio is %g", stage->gate.letters, stage->gate.over,
                      sq_err_word(slot->code), slot->message, stage->base.host->config->app, stage->gate.ratio_max);
}

/* A partition may hold a record that kills: one record at a time, and each is committed before the next. */
static bool is_careful(const struct sq_score_stage *stage)
{
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (sq_breaker_is_careful(&owned->breaker)) return true;
    return false;
}

/* Writes out what is finished without a gap. */
static void put_finished(struct sq_score_stage *stage, struct sq_owned *owned)
{
    struct sq_slot *slot;
    struct sq_err err;
    while ((slot = sq_ledger_pop(&owned->ledger))) {
        int status = put(stage, slot, &err);
        if (status == 0 && !sq_letter_gate_pass(&stage->gate, slot->code != 0)) status = stop_a_bad_deploy(stage, slot, &err);
        if (status == 0) continue;
        fail(stage, &err);
        return;
    }
    if (is_careful(stage)) sq_outbox_flush(stage->base.outbox);
}

static void finish(struct sq_score_stage *stage, struct sq_slot *slot)
{
    struct sq_owned *owned = slot->owned;
    int code = slot->job.prediction.code;
    sq_metric_observe(SQ_M_STEP_SECONDS, STEP_QUEUE, seconds(slot->job.submitted_ns, slot->job.started_ns));
    sq_metric_observe(SQ_M_STEP_SECONDS, STEP_ENCODE, seconds(slot->job.started_ns, slot->job.finished_ns));
    if (owned->is_gone || !sq_ledger_holds(&owned->ledger, slot->ticket)) {
        give_back(stage, slot);
        return;
    }
    if (code) give_up(slot, code, sq_err_meaning(code));
    else sq_shadow_offer(stage->base.host->shadow, slot->job.text, &slot->job.prediction);
    sq_ledger_done(&owned->ledger, slot->ticket);
    put_finished(stage, owned);
}

/* ---- the pool ---- */

/* On an engine thread. */
static void on_pool_done(struct sq_job *jobs, void *ctx)
{
    struct sq_score_stage *stage = ctx;
    struct sq_job *last = jobs;
    while (last->next) last = last->next;
    struct sq_job *head = atomic_load_explicit(&stage->done, memory_order_relaxed);
    do last->next = head;
    while (!atomic_compare_exchange_weak_explicit(&stage->done, &head, jobs, memory_order_release, memory_order_relaxed));
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
        if (is_gone) give_back(stage, (struct sq_slot *)job);
        else stage->in_pool++;
    }
}

static void line_up(struct sq_score_stage *stage, struct sq_job *job)
{
    job->next = NULL;
    if (stage->line_tail) stage->line_tail->next = job;
    else stage->line_head = job;
    stage->line_tail = job;
    feed(stage);
}

static void drop_slot(void *cookie, void *ctx) { give_back(ctx, cookie); }

static bool is_given_up(const struct sq_score_stage *stage, const struct sq_owned *owned)
{
    return stage->base.is_stopping || owned->is_gone || owned->source_partition->is_revoking;
}

/* Who gives up a partition before anything of it was begun didn't die of it. */
static void disarm(struct sq_score_stage *stage)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (is_given_up(stage, owned) && owned->in_flight == 0) sq_breaker_disarm(&owned->breaker);
}

/* Drops what waits in line for partitions that are being given up (all of them when the stage stops), and what is finished behind it. */
static void abandon(struct sq_stage *base)
{
    struct sq_score_stage *stage = self(base);
    struct sq_job *job = stage->line_head;
    if (stage->held.owned && is_given_up(stage, stage->held.owned)) sq_held_drop(&stage->held);
    stage->line_head = stage->line_tail = NULL;
    while (job) {
        struct sq_job *next = job->next;
        struct sq_slot *slot = (struct sq_slot *)job;
        struct sq_owned *owned = slot->owned;
        if (is_given_up(stage, owned)) {
            sq_ledger_cut(&owned->ledger, slot->ticket, drop_slot, stage);
            give_back(stage, slot);
        } else {
            line_up(stage, job);
        }
        job = next;
    }
    disarm(stage);
}

static void on_wake(void *ctx)
{
    struct sq_score_stage *stage = ctx;
    struct sq_job *job = atomic_exchange_explicit(&stage->done, NULL, memory_order_acquire);
    while (job) {
        struct sq_job *next = job->next;
        if (job->class == SQ_JOB_INTERACTIVE) {
            sq_predict_done(job);
        } else {
            stage->in_pool--;
            finish(stage, (struct sq_slot *)job);
        }
        job = next;
    }
    stage->in_pool_max = (size_t)sq_pool_threads(stage->pool) * AHEAD_PER_THREAD; /* the pool follows the cores there are */
    feed(stage);
    sq_stage_tick(&stage->base);
    stage->base.source->ops->pull(stage->base.source);
}

/* ---- in: records ---- */

static size_t bytes_needed(const struct sq_delivery_record *record, const struct sq_event *event)
{
    size_t bytes = sq_slot_piece_bytes(record->record.key.bytes) + sq_slot_piece_bytes(record->record.value.bytes) +
                   sq_slot_piece_bytes(record->headers_count * sizeof(struct sq_header)) + sq_slot_piece_bytes(event->text.bytes) +
                   sq_slot_piece_bytes(event->entity.bytes) + sq_slot_piece_bytes(event->id.bytes);
    for (unsigned i = 0; i < record->headers_count; i++)
        bytes += sq_slot_piece_bytes(record->headers[i].name.bytes) + sq_slot_piece_bytes(record->headers[i].value.bytes);
    return bytes;
}

static void fill_origin(struct sq_slot *slot, const struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_header *headers = sq_slot_alloc(slot, record->headers_count * sizeof *headers);
    for (unsigned i = 0; i < record->headers_count; i++)
        headers[i] = (struct sq_header){sq_slot_copy(slot, record->headers[i].name), sq_slot_copy(slot, record->headers[i].value)};
    slot->origin = (struct sq_origin){
        .topic = owned->topic, .partition = owned->partition, .offset = record->offset, .timestamp_ms = record->timestamp_ms,
        .key = sq_slot_copy(slot, record->record.key), .value = sq_slot_copy(slot, record->record.value),
        .headers = headers, .headers_count = record->headers_count,
    };
}

static void fill_event(struct sq_score_stage *stage, struct sq_slot *slot, const struct sq_event *event,
                       const struct sq_delivery_record *record)
{
    int64_t append_ms = record->is_append_time ? record->timestamp_ms : sq_clock_wall_ms();
    struct sq_event_time time = sq_event_time(event->has_ts, event->ts_ms, record->timestamp_ms, append_ms,
                                              stage->base.host->config->future_ms_max);
    if (time.is_clamped) sq_metric_add(SQ_M_CLAMPED_TIMESTAMPS, 0, 1);
    slot->event_time_ms = time.ms;
    slot->is_clamped = time.is_clamped;
    slot->author_hash = sq_author_hash(event->author);
    slot->job.text = sq_slot_copy(slot, event->text);
    slot->entity = sq_slot_copy(slot, event->entity);
    slot->id = sq_slot_copy(slot, event->id);
}

/* 0 or the POISON code of a record that is none. */
static int decode(struct sq_score_stage *stage, const struct sq_delivery_record *record, struct sq_event *event, struct sq_err *err)
{
    stage->arena.used_bytes = 0;
    *event = (struct sq_event){0};
    int status = record->code ? sq_err_set(err, record->code, "%s", record->message)
                              : sq_event_decode(&stage->base.host->config->input.format, &record->record, &stage->arena, event, err);
    if (status) *event = (struct sq_event){0};
    return status;
}

/* A slot filled with the record, not yet in the ledger; NULL: no memory. */
static struct sq_slot *fill(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    uint64_t taken_ns = sq_clock_monotonic_ns();
    struct sq_event event;
    struct sq_err err;
    int status = decode(stage, record, &event, &err);
    struct sq_slot *slot = sq_slots_take(&stage->slots, bytes_needed(record, &event));
    if (!slot) return NULL;
    slot->owned = sq_owned_ref(owned);
    owned->in_flight++;
    slot->taken_ns = taken_ns;
    fill_origin(slot, owned, record);
    if (status) give_up(slot, status, err.message);
    else fill_event(stage, slot, &event, record);
    sq_metric_observe(SQ_M_STEP_SECONDS, STEP_DECODE, seconds(taken_ns, sq_clock_monotonic_ns()));
    return slot;
}

static void choose(const struct sq_score_stage *stage, struct sq_slot *slot)
{
    const struct sq_coordinates source = {sq_str_view(slot->origin.topic), slot->origin.partition, slot->origin.offset};
    if (stage->share >= 1) return;
    slot->share = (float)stage->share;
    slot->is_skipped = !sq_sample_takes(stage->share, slot->entity, &source);
}

static void admit(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    size_t bytes = record->record.key.bytes + record->record.value.bytes;
    struct sq_slot *slot = fill(stage, owned, record);
    if (!slot || (slot->code && sq_err_class(slot->code) != SQ_CLASS_POISON)) {
        struct sq_err err;
        sq_err_set(&err, slot ? slot->code : SQ_E_NOMEM, "can't take a record of %zu bytes: %s", bytes, slot ? slot->message : "no memory");
        if (slot) give_back(stage, slot);
        fail(stage, &err);
        return;
    }
    if (!sq_ledger_take(&owned->ledger, record->offset, (uint32_t)(bytes < UINT32_MAX ? bytes : UINT32_MAX), slot, &slot->ticket)) {
        give_back(stage, slot);
        return;
    }
    stage->counts.consumed++;
    sq_recent_second(stage->base.host->recent, sq_clock_wall_ms())->consumed++;
    sq_metric_set(SQ_M_RECORDS_IN_FLIGHT, 0, (int64_t)stage->slots.used_count);
    if (!slot->code) choose(stage, slot);
    if (!slot->code && !slot->is_skipped) {
        line_up(stage, &slot->job);
        return;
    }
    sq_ledger_done(&owned->ledger, slot->ticket);
    put_finished(stage, owned);
    sq_outbox_tick(stage->base.outbox);
}

/* ---- the crash-loop breaker: worker/core/breaker.h ---- */

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
static void hold(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    if (!sq_held_keep(&stage->held, owned, record)) {
        struct sq_err err;
        sq_err_set(&err, SQ_E_NOMEM, "no memory for a record");
        fail(stage, &err);
        return;
    }
    if (owned->committed_offset < 0) owned->committed_offset = owned->ledger.next_offset = record->offset; /* the group is about to begin here */
    sq_breaker_arm(&owned->breaker);
    for (struct sq_owned *other = stage->base.owned.head; other; other = other->next)
        if (!sq_breaker_is_careful(&other->breaker) && has_backlog(stage, other)) sq_breaker_arm(&other->breaker);
    commit_arming(stage);
}

/* After a commit, which may have armed it. */
static void let_go(struct sq_score_stage *stage)
{
    struct sq_held *held = &stage->held;
    if (!held->owned) return;
    if (sq_breaker_is_armed(&held->owned->breaker)) {
        admit(stage, held->owned, &held->record);
        sq_held_drop(held);
    } else {
        commit_arming(stage);
    }
}

static void condemn(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_delivery_record condemned = *record;
    condemned.code = SQ_E_CRASH_LOOP;
    condemned.message = "workers died over it, the last with nothing else in flight";
    sq_log(SQ_LOG_ERROR, SQ_L("a record that kills workers is stepped over"), SQ_LS("topic", owned->topic), SQ_LI("partition", owned->partition),
           SQ_LI("offset", record->offset));
    admit(stage, owned, &condemned);
}

static void take(struct sq_stage *base, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_score_stage *stage = self(base);
    if (record->code) admit(stage, owned, record); /* there is nothing to look into */
    else if (sq_breaker_condemns(&owned->breaker)) condemn(stage, owned, record);
    else if (!sq_breaker_is_armed(&owned->breaker)) hold(stage, owned, record);
    else admit(stage, owned, record);
}

static bool has_room(struct sq_stage *base)
{
    const struct sq_score_stage *stage = self(base);
    if (stage->held.owned || !sq_slots_has_room(&stage->slots)) return false;
    if (is_careful(stage) && stage->slots.used_count) return false;
    for (const struct sq_owned *owned = base->owned.head; owned; owned = owned->next)
        if (!sq_ledger_has_room(&owned->ledger)) return false;
    return true;
}

static int own(struct sq_stage *base, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err)
{
    struct sq_owned *made = calloc(1, sizeof *made);
    if (!made) return sq_err_set(err, SQ_E_NOMEM, "no memory for a partition");
    size_t slots_count = self(base)->slots.count;
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
    if (self(base)->held.owned == owned) return; /* not yet */
    if (sq_owned_note_end(owned, offset)) sq_outbox_touch(base->outbox);
}

static void gone(struct sq_stage *base, struct sq_owned *owned, bool is_lost)
{
    (void)is_lost;
    if (self(base)->held.owned == owned) sq_held_drop(&self(base)->held);
    sq_ledger_cut(&owned->ledger, 0, drop_slot, self(base));
}

/* ---- the outbox's results ---- */

static void count_committed(struct sq_score_stage *stage, struct sq_slot *slot, struct sq_series_point *point, uint64_t now_ns, int64_t now_ms)
{
    if (slot->code) {
        stage->counts.dead_lettered++;
        point->dead_lettered++;
        sq_metric_add(SQ_M_RECORDS, SERIES_DEAD_LETTERED, 1);
        sq_metric_add(SQ_M_DEAD_LETTERS, sq_dead_letter_reason(slot->code), 1);
        sq_recent_dead_letter_add(stage->base.host->recent, &slot->origin, slot->code, slot->message, now_ms);
    } else if (slot->is_skipped) {
        stage->counts.skipped++;
        sq_metric_add(SQ_M_RECORDS, SERIES_SKIPPED, 1);
    } else {
        stage->counts.scored++;
        point->scored++;
        sq_metric_add(SQ_M_RECORDS, SERIES_SCORED, 1);
        sq_metric_observe(SQ_M_STEP_SECONDS, STEP_COMMIT, seconds(slot->job.finished_ns, now_ns));
        sq_metric_observe(SQ_M_END_TO_END_SECONDS, 0, seconds(slot->taken_ns, now_ns));
    }
    slot->owned->last_processed_ms = now_ms;
}

static void committed(struct sq_stage *base, struct sq_batch *batch)
{
    struct sq_score_stage *stage = self(base);
    uint64_t now_ns = sq_clock_monotonic_ns();
    int64_t now_ms = sq_clock_wall_ms();
    struct sq_series_point *point = sq_recent_second(base->host->recent, now_ms);
    for (size_t i = 0; i < batch->outputs_count; i++) {
        struct sq_slot *slot = batch->outputs[i].cookie;
        count_committed(stage, slot, point, now_ns, now_ms);
        give_back(stage, slot);
    }
    disarm(stage);
    let_go(stage);
}

static void drop(struct sq_stage *base, struct sq_output *output)
{
    if (output->cookie) give_back(self(base), output->cookie);
}

static const struct sq_owned *owner(const struct sq_output *output)
{
    const struct sq_slot *slot = output->cookie;
    return slot ? slot->owned : NULL;
}

static int replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err)
{
    struct sq_slot *slot = output->cookie;
    bool is_second = output->topic == SQ_TOPIC_DLQ;
    if (is_second && !output->value.data)
        return sq_err_set(err, SQ_E_KAFKA_FATAL, "the broker refuses the dead letter of %s[%d]@%lld even without its value: see the settings of the "
                          "dlq topic", slot->origin.topic, (int)slot->origin.partition, (long long)slot->origin.offset);
    if (is_second) slot->origin.value = (struct sq_str){0};
    if (!slot->code) slot->code = SQ_E_PRODUCE;
    snprintf(slot->message, sizeof slot->message, "%s", is_second ? "the broker refused the dead letter with its value, so the value is left out"
                                                                   : "the broker refused the score for good");
    return sq_dead_letter_fill(&base->host->letters, batch, output, &slot->origin, SQ_STAGE_SCORE, slot->code, slot->message,
                               sq_clock_wall_ms(), err);
}

static size_t in_flight(const struct sq_stage *base) { return ((const struct sq_score_stage *)base)->slots.used_count; }

static const struct sq_stage_hooks hooks = {own, has_room, take, reached_end, abandon, gone, committed, drop, owner, replace, in_flight, NULL};

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
    stage->in_pool_max = (size_t)threads * AHEAD_PER_THREAD;
    const struct sq_config *config = host->config;
    const struct sq_pool_options pool = {
        .threads = config->model.threads, .queue_jobs_max = slots_count + config->http.pending_max,
        .wait_ms_max = (unsigned)config->model.batch_wait_ms_max,
        .collapses = true, .cache_texts = config->model.score_cache_texts, .done = on_pool_done, .done_ctx = stage,
    };
    int status = sq_letter_gate_init(&stage->gate, config->dead_letter.ratio_max, config->dead_letter.over, err);
    if (status == 0) status = sq_slots_init(&stage->slots, slots_count, err);
    if (status == 0) status = sq_arena_init(&stage->arena, sq_event_room_bytes(&host->config->input.format), err);
    if (status == 0) status = sq_wake_open(&stage->wake, host->loop, on_wake, stage, err);
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
    abandon(&stage->base);
    for (struct sq_job *job = atomic_exchange(&stage->done, NULL); job;) {
        struct sq_job *next = job->next;
        give_back(stage, (struct sq_slot *)job);
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
