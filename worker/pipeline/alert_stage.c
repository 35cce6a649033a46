/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/alert_stage.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/pipeline/alert_stage_parts.h"

enum {
    QUIET_MS = 60000, /* at the end of its partition for so long: the clock may move its watermark */
    ARENA_BYTES = SQ_DECODE_SCRATCH_BYTES + SQ_RECORD_BYTES_MAX * 2,
    STEP_WINDOW = 3,
};

struct sq_stage *sq_alert_stage_base(struct sq_alert_stage *stage) { return &stage->base; }
bool sq_alert_stage_is_restoring(const struct sq_owned *owned) { return sq_alert_part_view(owned)->is_restoring; }
const struct sq_detector *sq_alert_stage_detector(const struct sq_owned *owned) { return sq_alert_part_view(owned)->detector; }
int64_t sq_alert_stage_watermark_ms(const struct sq_owned *owned) { return sq_detector_watermark_ms(sq_alert_part_view(owned)->detector); }

/* ---- detectors ---- */

struct sq_detector_options sq_alert_detector_options(const struct sq_alert_stage *stage, const struct sq_config *config, int32_t partition)
{
    return (struct sq_detector_options){
        .app = config->app, .mode = stage->base.host->mode, .rules = config->rules, .rules_count = config->rules_count,
        .time = config->time, .scores_partition = partition, .model_name = stage->model_name,
    };
}

int sq_alert_detector_open(struct sq_alert_stage *stage, int32_t partition, struct sq_detector **detector, struct sq_err *err)
{
    const struct sq_detector_options options = sq_alert_detector_options(stage, stage->rules, partition);
    return sq_detector_open(detector, &options, err);
}

/* ---- scores ---- */

static void detect(struct sq_alert_stage *stage, struct sq_alert_part *part, const struct sq_delivery_record *record)
{
    struct sq_alert_emission emission = {.stage = stage, .part = part, .offset = record->offset};
    struct sq_score score;
    struct sq_err err = {0};
    stage->arena.used_bytes = 0;
    int status = record->code ? sq_err_set(&err, record->code, "%s", record->message)
                              : sq_score_decode(record->record.value, &stage->arena, &score, &err);
    if (status == 0) status = sq_detector_take(part->detector, &score, record->timestamp_ms, sq_alert_emit, &emission, &err);
    if (status == 0) return;
    if (!err.code) sq_err_set(&err, status, "%s", stage->why); /* sq_alert_emit's */
    if (sq_err_class(status) != SQ_CLASS_POISON) {
        sq_stage_fail(&stage->base, &err);
    } else if (!part->is_restoring) {
        sq_alert_dead_letter_put(&emission, record, status, err.message);
    }
}

static void take(struct sq_stage *base, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_alert_stage *stage = sq_alert_stage_of(base);
    struct sq_alert_part *part = sq_alert_part_of(owned);
    uint64_t started_ns = sq_clock_monotonic_ns(), ticket = 0;
    part->is_at_end = false;
    part->last_record_ns = started_ns;
    if (part->is_restoring && record->offset >= part->live_offset) sq_alert_part_live(part);
    if (part->is_restoring) {
        if (part->first_offset < 0) part->first_offset = record->offset;
        part->read_offset = record->offset + 1;
        detect(stage, part, record);
        return;
    }
    if (!sq_ledger_take(&owned->ledger, record->offset, 0, owned, &ticket)) return;
    detect(stage, part, record);
    sq_ledger_done(&owned->ledger, ticket);
    sq_ledger_pop(&owned->ledger);
    owned->last_processed_ms = sq_clock_wall_ms();
    sq_metric_observe(SQ_M_STEP_SECONDS, STEP_WINDOW, (double)(sq_clock_monotonic_ns() - started_ns) * 1e-9);
    sq_outbox_touch(base->outbox);
    sq_outbox_tick(base->outbox);
}

static void reached_end(struct sq_stage *base, struct sq_owned *owned, int64_t offset)
{
    struct sq_alert_part *part = sq_alert_part_of(owned);
    struct sq_err err;
    part->is_at_end = true;
    owned->end_offset = offset;
    if (part->is_restoring && offset < part->live_offset) {
        sq_err_set(&err, SQ_E_KAFKA_FATAL,
                   "%s[%d] ends at offset %lld, but the group has committed %lld: the topic was deleted or cut. Set the group's offsets to the "
                   "topic's end and start again", owned->topic, (int)owned->partition, (long long)offset, (long long)part->live_offset);
        sq_stage_fail(base, &err);
        return;
    }
    if (part->is_restoring) sq_alert_part_live(part);
    if (sq_owned_note_end(owned, offset)) sq_outbox_touch(base->outbox);
}

static bool has_room(struct sq_stage *base)
{
    (void)base;
    return true; /* a record is finished when `take` returns; what it puts out is the outbox's bound */
}

static size_t in_flight(const struct sq_stage *base)
{
    (void)base;
    return 0;
}

static const struct sq_stage_hooks hooks = {
    sq_alert_part_own, has_room, take, reached_end, NULL, sq_alert_part_gone, sq_alert_batch_committed, sq_alert_output_drop,
    sq_alert_output_owner, sq_alert_output_replace, in_flight, sq_alert_stage_save,
};

/* ---- every second ---- */

void sq_alert_part_export(struct sq_alert_part *part)
{
    const struct sq_detector_counts *now = sq_detector_counts(part->detector);
    if (part->is_restoring) return;
    sq_metric_add(SQ_M_LATE_RECORDS, 0, now->late_included - part->seen.late_included);
    sq_metric_add(SQ_M_LATE_RECORDS, 1, now->late_dropped - part->seen.late_dropped);
    sq_metric_add(SQ_M_COLLAPSED_SCORES, 0, now->collapsed_text - part->seen.collapsed_text);
    sq_metric_add(SQ_M_COLLAPSED_SCORES, 1, now->collapsed_author - part->seen.collapsed_author);
    part->seen = *now;
}

static void tick_quiet(struct sq_alert_stage *stage, struct sq_alert_part *part, uint64_t now_ns)
{
    struct sq_alert_emission emission = sq_alert_emission_of(part);
    struct sq_err err = {0};
    if (part->is_restoring || !part->is_at_end || part->owned.source_partition->is_revoking) return;
    if (now_ns - part->last_record_ns < QUIET_MS * UINT64_C(1000000)) return;
    int status = sq_detector_tick(part->detector, sq_clock_wall_ms(), sq_alert_emit, &emission, &err);
    sq_alert_emitted(stage, status, &err);
}

void sq_alert_stage_second(struct sq_alert_stage *stage, bool is_behind)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    int64_t warning = 0, critical = 0, entities = 0, restoring = 0;
    for (struct sq_owned *owned = stage->base.owned.head; owned && !stage->base.is_stopping; owned = owned->next) {
        struct sq_alert_part *part = sq_alert_part_of(owned);
        if (!is_behind) tick_quiet(stage, part, now_ns);
        sq_alert_restore_second(part, now_ns);
        sq_alert_part_export(part);
        const struct sq_detector_counts *counts = sq_detector_counts(part->detector);
        warning += counts->firing_warning;
        critical += counts->firing_critical;
        entities += counts->entities;
        restoring += part->is_restoring;
    }
    if (restoring) sq_alert_restore_log(stage);
    sq_metric_set(SQ_M_ALERTS_FIRING, 0, warning);
    sq_metric_set(SQ_M_ALERTS_FIRING, 1, critical);
    sq_metric_set(SQ_M_ENTITIES_TRACKED, 0, entities);
    sq_metric_set(SQ_M_RESTORES_RUNNING, 0, restoring);
}

/* ---- the whole ---- */

bool sq_alert_stage_is_ready(const struct sq_alert_stage *stage)
{
    if (!stage->base.has_assignment) return false;
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (sq_alert_part_view(owned)->is_restoring) return false;
    return true;
}

void sq_alert_stage_counts(const struct sq_alert_stage *stage, struct sq_alert_counts *counts)
{
    *counts = (struct sq_alert_counts){.watermark_ms = INT64_MIN};
    memcpy(counts->transitions, stage->transitions, sizeof counts->transitions);
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        const struct sq_detector_counts *detector = sq_detector_counts(sq_alert_part_view(owned)->detector);
        int64_t watermark_ms = sq_alert_stage_watermark_ms(owned);
        counts->entities += detector->entities;
        counts->firing += detector->firing_warning + detector->firing_critical;
        counts->restoring += sq_alert_part_view(owned)->is_restoring;
        if (watermark_ms != INT64_MIN && (counts->watermark_ms == INT64_MIN || watermark_ms < counts->watermark_ms))
            counts->watermark_ms = watermark_ms;
    }
}

int sq_alert_stage_open(struct sq_alert_stage **out, struct sq_stage_host *host, struct sq_source *source, struct sq_sink *sink,
                        struct sq_state_reader *reader, struct sq_err *err)
{
    *out = NULL;
    struct sq_alert_stage *stage = calloc(1, sizeof *stage);
    if (!stage) return sq_err_set(err, SQ_E_NOMEM, "no memory for a stage");
    stage->rules = host->config;
    sq_buf_init(&stage->encoded);
    sq_buf_init(&stage->json);
    snprintf(stage->model_name, sizeof stage->model_name, "%s", host->engine ? sq_engine_info(host->engine)->name : "");
    int status = sq_arena_init(&stage->arena, ARENA_BYTES, err);
    if (status == 0 && reader) status = sq_alert_states_init(&stage->states, err);
    if (status == 0) status = sq_stage_init(&stage->base, SQ_STAGE_ALERT, &hooks, host, source, sink, err);
    if (status) {
        sq_alert_stage_close(stage);
        return status;
    }
    stage->reader = reader;
    sq_alert_restore_start(stage);
    *out = stage;
    return 0;
}

void sq_alert_stage_close(struct sq_alert_stage *stage)
{
    if (!stage) return;
    if (stage->base.hooks) sq_stage_deinit(&stage->base);
    sq_alert_kept_drop(stage);
    sq_buf_deinit(&stage->encoded);
    sq_buf_deinit(&stage->json);
    sq_arena_deinit(&stage->arena);
    sq_alert_states_deinit(&stage->states);
    free(stage);
}
