/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the alert stage: transitions and dead letters into the batch, and what becomes of them. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/pipeline/alert_record.h"
#include "worker/pipeline/alert_stage_parts.h"

static const unsigned state_series[] = {[SQ_ALERT_FIRING] = 0, [SQ_ALERT_UPDATED] = 1, [SQ_ALERT_RESOLVED] = 2};

static int encode(struct sq_alert_stage *stage, const struct sq_alert *alert, struct sq_str *value, struct sq_err *err)
{
    sq_buf_clear(&stage->json);
    int status = sq_alert_encode_json(alert, &stage->json, err);
    *value = sq_buf_view(&stage->json);
    if (status || stage->base.host->config->output.alerts_format == SQ_ALERT_JSON) return status;
    sq_buf_clear(&stage->encoded);
    status = sq_alert_encode_protobuf(alert, &stage->encoded, err);
    *value = sq_buf_view(&stage->encoded);
    return status;
}

/* An output of the partition, which keeps it alive; NULL: no memory. */
struct sq_output *sq_alert_output_add(const struct sq_alert_emission *emission, struct sq_batch *batch)
{
    struct sq_alert_emission *cookie = sq_batch_alloc(batch, sizeof *cookie);
    struct sq_output *output = cookie ? sq_batch_add(batch) : NULL;
    if (!output) return NULL;
    *cookie = *emission;
    output->cookie = cookie;
    sq_owned_ref(&emission->part->owned)->has_output = true;
    emission->part->owned.in_flight++;
    return output;
}

static int put_alert(struct sq_alert_emission *emission, const struct sq_alert *alert, struct sq_str value, struct sq_err *err)
{
    struct sq_alert_stage *stage = emission->stage;
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_output *output = sq_alert_output_add(emission, batch);
    if (!output) return sq_err_set(err, SQ_E_NOMEM, "no memory for an alert");
    return sq_alert_record_fill(batch, output, alert, value, stage->base.host->config->output.alerts_format, err);
}

static void log_transition(const struct sq_alert *alert)
{
    char entity[SQ_ENTITY_BYTES_MAX + 1], id[24];
    size_t bytes = alert->entity.bytes < sizeof entity ? alert->entity.bytes : sizeof entity - 1;
    memcpy(entity, alert->entity.data, bytes);
    entity[bytes] = '\0';
    snprintf(id, sizeof id, "%016" PRIx64, alert->alert_id);
    sq_log(SQ_LOG_INFO, SQ_L("alert"), SQ_LS("state", sq_alert_state_name(alert->state)), SQ_LS("entity", entity), SQ_LS("alert_id", id),
           SQ_LS("severity", sq_severity_word(alert->severity)), SQ_LI("count", alert->stats.count), SQ_LI("matched", alert->stats.matched),
           SQ_LR("strength", alert->stats.strength));
}

static bool is_shadow(const struct sq_alert_stage *stage, const struct sq_alert *alert)
{
    for (unsigned i = 0; i < stage->rules->rules_count; i++)
        if (sq_str_equal(sq_str_view(stage->rules->rules[i].name), alert->rule)) return stage->rules->rules[i].is_shadow;
    return false;
}

static void suppress(const struct sq_alert_emission *emission)
{
    if (emission->part->is_restoring) return;
    sq_metric_add(SQ_M_ALERTS_SUPPRESSED, 0, 1);
    emission->part->owned.has_output = true; /* a decision that the state holds is saved as one that went out */
}

int sq_alert_emit(const struct sq_alert *alert, void *ctx)
{
    struct sq_alert_emission *emission = ctx;
    struct sq_alert_stage *stage = emission->stage;
    struct sq_str value;
    struct sq_err err;
    if (is_shadow(stage, alert)) {
        suppress(emission);
        return 0;
    }
    int status = encode(stage, alert, &value, &err);
    if (status == 0 && !emission->part->is_restoring) {
        status = put_alert(emission, alert, value, &err);
        stage->transitions[alert->state]++;
        sq_metric_add(SQ_M_ALERT_TRANSITIONS, state_series[alert->state], 1);
        log_transition(alert);
    }
    if (status == 0)
        sq_recent_alert_add(stage->base.host->recent, alert, emission->part->is_restoring, sq_buf_view(&stage->json), sq_clock_wall_ms());
    else memcpy(stage->why, err.message, sizeof stage->why);
    return status;
}

int sq_alert_emitted(struct sq_alert_stage *stage, int status, struct sq_err *err)
{
    if (status && !err->code) sq_err_set(err, status, "%s", stage->why);
    if (status) sq_stage_fail(&stage->base, err);
    return status;
}

void sq_alert_dead_letter_put(const struct sq_alert_emission *emission, const struct sq_delivery_record *record, int code, const char *message)
{
    struct sq_alert_stage *stage = emission->stage;
    const struct sq_alert_part *part = emission->part;
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_origin origin = {
        .topic = part->owned.topic, .partition = part->owned.partition, .offset = record->offset, .timestamp_ms = record->timestamp_ms,
    };
    struct sq_err err;
    struct sq_output *output = sq_alert_output_add(emission, batch);
    int64_t now_ms = sq_clock_wall_ms();
    bool is_copied = output && sq_batch_copy(batch, record->record.key, &origin.key) && sq_batch_copy(batch, record->record.value, &origin.value);
    if (!is_copied) sq_err_set(&err, SQ_E_NOMEM, "no memory for a dead letter");
    if (!is_copied || sq_dead_letter_fill(&stage->base.host->letters, batch, output, &origin, SQ_STAGE_ALERT, code, message, now_ms, &err)) {
        sq_stage_fail(&stage->base, &err);
        return;
    }
    sq_metric_add(SQ_M_DEAD_LETTERS, sq_dead_letter_reason(code), 1);
    sq_recent_dead_letter_add(stage->base.host->recent, &origin, code, message, now_ms);
}

/* ---- the outbox's results ---- */

static void let_go(struct sq_output *output, bool is_saved)
{
    struct sq_alert_emission *emission = output->cookie;
    if (!emission) return;
    sq_receipts_settle(&emission->receipts, is_saved);
    emission->part->owned.in_flight--;
    sq_owned_unref(&emission->part->owned);
}

void sq_alert_output_drop(struct sq_stage *base, struct sq_output *output)
{
    (void)base;
    let_go(output, false);
}

void sq_alert_batch_committed(struct sq_stage *base, struct sq_batch *batch)
{
    (void)base;
    for (size_t i = 0; i < batch->outputs_count; i++) let_go(&batch->outputs[i], true);
}

const struct sq_owned *sq_alert_output_owner(const struct sq_output *output)
{
    const struct sq_alert_emission *emission = output->cookie;
    return emission ? &emission->part->owned : NULL;
}

int sq_alert_output_replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err)
{
    if (output->topic == SQ_TOPIC_DLQ)
        return sq_err_set(err, SQ_E_KAFKA_FATAL, "the broker refuses a dead letter of the alert stage: see the settings of the dlq topic");
    const struct sq_alert_emission *emission = output->cookie;
    const struct sq_origin origin = {
        .topic = emission->part->owned.topic, .partition = emission->part->owned.partition, .offset = emission->offset,
        .timestamp_ms = -1, .key = output->key, .value = output->value,
    };
    sq_metric_add(SQ_M_DEAD_LETTERS, sq_dead_letter_reason(SQ_E_PRODUCE), 1);
    return sq_dead_letter_fill(&base->host->letters, batch, output, &origin, SQ_STAGE_ALERT, SQ_E_PRODUCE,
                               "the broker refused the alert for good; the value is the alert", sq_clock_wall_ms(), err);
}
