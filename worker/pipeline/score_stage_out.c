/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the score stage: scores and dead letters in their order, and what becomes of them. */
#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/pipeline/score_stage_parts.h"

enum { SERIES_SCORED, SERIES_DEAD_LETTERED, SERIES_SKIPPED };

void sq_score_give_up(struct sq_slot *slot, int code, const char *message)
{
    slot->code = code;
    snprintf(slot->message, sizeof slot->message, "%.*s", (int)sizeof slot->message - 1, message);
}

static int put_dead_letter(struct sq_score_stage *stage, struct sq_slot *slot, struct sq_err *err)
{
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_output *output = sq_batch_add(batch);
    if (!output) return sq_err_set(err, SQ_E_NOMEM, "no memory for an output");
    int status = sq_dead_letter_fill(&stage->base.host->letters, batch, output, &slot->origin, SQ_STAGE_SCORE, slot->code, slot->message,
                                     sq_clock_wall_ms(), err);
    if (status == 0) output->cookie = slot;
    return status;
}

/* From here on the batch has the slot; unless it fails. */
static int put(struct sq_score_stage *stage, struct sq_slot *slot, struct sq_err *err)
{
    if (slot->code) return put_dead_letter(stage, slot, err);
    int status = sq_score_record_add(&stage->records, sq_outbox_batch(stage->base.outbox), slot, err);
    if (sq_err_class(status) == SQ_CLASS_POISON) {
        sq_score_give_up(slot, status, err->message);
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
                      "topic into %s.dlq. squall validate shows what the records look like; dead_letter.max_ratio is %g, and 1 lets them all go there", stage->gate.letters, stage->gate.over,
                      sq_err_word(slot->code), slot->message, stage->base.host->config->app, stage->gate.ratio_max);
}

/* Writes out what is finished without a gap. */
void sq_score_put_finished(struct sq_score_stage *stage, struct sq_owned *owned)
{
    struct sq_slot *slot;
    struct sq_err err;
    while ((slot = sq_ledger_pop(&owned->ledger))) {
        int status = put(stage, slot, &err);
        if (status) sq_score_give_back(stage, slot);
        else if (!sq_letter_gate_pass(&stage->gate, slot->code != 0)) status = stop_a_bad_deploy(stage, slot, &err);
        if (status == 0) continue;
        sq_stage_fail(&stage->base, &err);
        return;
    }
    if (sq_score_is_careful(stage)) sq_outbox_flush(stage->base.outbox);
}

void sq_score_finish(struct sq_score_stage *stage, struct sq_slot *slot)
{
    struct sq_owned *owned = slot->owned;
    int code = slot->job.prediction.code;
    sq_metric_observe(SQ_M_STEP_SECONDS, SQ_STEP_QUEUE, sq_score_seconds(slot->job.submitted_ns, slot->job.started_ns));
    sq_metric_observe(SQ_M_STEP_SECONDS, SQ_STEP_ENCODE, sq_score_seconds(slot->job.started_ns, slot->job.finished_ns));
    if (owned->is_gone || !sq_ledger_holds(&owned->ledger, slot->ticket)) {
        sq_score_give_back(stage, slot);
        return;
    }
    if (code) sq_score_give_up(slot, code, sq_err_meaning(code));
    else sq_shadow_offer(stage->base.host->shadow, slot->job.text, &slot->job.prediction);
    sq_ledger_done(&owned->ledger, slot->ticket);
    sq_score_put_finished(stage, owned);
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
        sq_metric_observe(SQ_M_STEP_SECONDS, SQ_STEP_COMMIT, sq_score_seconds(slot->job.finished_ns, now_ns));
        sq_metric_observe(SQ_M_END_TO_END_SECONDS, 0, sq_score_seconds(slot->taken_ns, now_ns));
    }
    slot->owned->last_processed_ms = now_ms;
}

void sq_score_committed(struct sq_stage *base, struct sq_batch *batch)
{
    struct sq_score_stage *stage = sq_score_stage_of(base);
    uint64_t now_ns = sq_clock_monotonic_ns();
    int64_t now_ms = sq_clock_wall_ms();
    struct sq_series_point *point = sq_recent_second(base->host->recent, now_ms);
    for (size_t i = 0; i < batch->outputs_count; i++) {
        struct sq_slot *slot = batch->outputs[i].cookie;
        count_committed(stage, slot, point, now_ns, now_ms);
        sq_score_give_back(stage, slot);
    }
    sq_score_disarm(stage);
    sq_score_let_go(stage);
}

void sq_score_drop(struct sq_stage *base, struct sq_output *output)
{
    if (output->cookie) sq_score_give_back(sq_score_stage_of(base), output->cookie);
}

const struct sq_owned *sq_score_owner(const struct sq_output *output)
{
    const struct sq_slot *slot = output->cookie;
    return slot ? slot->owned : NULL;
}

int sq_score_replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err)
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
