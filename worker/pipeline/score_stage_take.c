/* SPDX-License-Identifier: Apache-2.0 */
/* The way in: a record is decoded, chosen or skipped where a share is scored, copied into a slot, and lined up. */
#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/texthash.h"
#include "worker/core/event_time.h"
#include "worker/core/sample.h"
#include "worker/pipeline/score_stage_parts.h"

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
    if (status) sq_score_give_up(slot, status, err.message);
    else fill_event(stage, slot, &event, record);
    sq_metric_observe(SQ_M_STEP_SECONDS, SQ_STEP_DECODE, sq_score_seconds(taken_ns, sq_clock_monotonic_ns()));
    return slot;
}

static void choose(const struct sq_score_stage *stage, struct sq_slot *slot)
{
    const struct sq_coordinates source = {sq_str_view(slot->origin.topic), slot->origin.partition, slot->origin.offset};
    if (stage->share >= 1) return;
    slot->share = (float)stage->share;
    slot->is_skipped = !sq_sample_takes(stage->share, slot->entity, &source);
}

void sq_score_admit(struct sq_score_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    size_t bytes = record->record.key.bytes + record->record.value.bytes;
    struct sq_slot *slot = fill(stage, owned, record);
    if (!slot || (slot->code && sq_err_class(slot->code) != SQ_CLASS_POISON)) {
        struct sq_err err;
        sq_err_set(&err, slot ? slot->code : SQ_E_NOMEM, "can't take a record of %zu bytes: %s", bytes, slot ? slot->message : "no memory");
        if (slot) sq_score_give_back(stage, slot);
        sq_stage_fail(&stage->base, &err);
        return;
    }
    if (!sq_ledger_take(&owned->ledger, record->offset, (uint32_t)(bytes < UINT32_MAX ? bytes : UINT32_MAX), slot, &slot->ticket)) {
        sq_score_give_back(stage, slot);
        return;
    }
    stage->counts.consumed++;
    sq_recent_second(stage->base.host->recent, sq_clock_wall_ms())->consumed++;
    sq_metric_set(SQ_M_RECORDS_IN_FLIGHT, 0, (int64_t)stage->slots.used_count);
    if (!slot->code) choose(stage, slot);
    if (!slot->code && !slot->is_skipped) {
        sq_score_line_up(stage, &slot->job);
        return;
    }
    sq_ledger_done(&owned->ledger, slot->ticket);
    sq_score_put_finished(stage, owned);
    sq_outbox_tick(stage->base.outbox);
}

void sq_score_take(struct sq_stage *base, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_score_stage *stage = sq_score_stage_of(base);
    if (record->code) sq_score_admit(stage, owned, record); /* there is nothing to look into */
    else if (sq_breaker_condemns(&owned->breaker)) sq_score_condemn(stage, owned, record);
    else if (!sq_breaker_is_armed(&owned->breaker)) sq_score_hold(stage, owned, record);
    else sq_score_admit(stage, owned, record);
}
