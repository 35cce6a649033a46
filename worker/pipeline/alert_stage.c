/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/alert_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/base/murmur2.h"
#include "engine/base/unique.h"
#include "worker/core/reload.h"
#include "worker/io/log.h"
#include "worker/pipeline/alert_record.h"
#include "worker/pipeline/alert_state.h"

enum {
    QUIET_MS = 60000,               /* at the end of its partition for so long: the clock may move its watermark */
    KEPT_MAX = 64,
    ARENA_BYTES = SQ_DECODE_SCRATCH_BYTES + SQ_RECORD_BYTES_MAX * 2,
    STEP_WINDOW = 3,
    RESTORE_LOG_MS = 5000,
    REFUSAL_MS = 10000,             /* a worker that slept learns in this time that the partition is another's by now, and its offset old */
};

/* A scores partition. */
struct part {
    struct sq_owned owned; /* first */
    struct sq_alert_stage *stage;
    struct sq_detector *detector, *next; /* next: while rules are exchanged */
    struct sq_detector_counts seen;   /* already in the metrics */
    int64_t live_offset;              /* transitions of records below it were published before; -1: none were */
    int64_t first_offset, read_offset; /* of the rebuild's progress; -1: nothing read */
    bool is_restoring, is_at_end;
    bool is_reading;                  /* the state, parked meanwhile; part of restoring */
    double read_share;                /* of the state */
    struct sq_alert_restore restore;  /* while is_reading */
    uint64_t lineage;                 /* of its states */
    uint64_t refused_ns;              /* when its state did not fit the offset; 0: it did */
    struct sq_err refusal;
    uint64_t restore_started_ns, last_record_ns;
    struct sq_log_limit limit;
};

struct kept {
    int32_t partition;
    int64_t next_offset;
    struct sq_detector *detector; /* owned; NULL: a free place */
};

struct sq_alert_stage {
    struct sq_stage base; /* first */
    struct sq_state_reader *reader; /* NULL: windows are rebuilt from scores, no state is written */
    struct sq_alert_states states;
    struct sq_arena arena; /* of one decode */
    struct sq_buf encoded, json;
    const struct sq_config *rules; /* whose rules are in force */
    char model_name[256];
    char why[SQ_ERR_MESSAGE_BYTES];
    struct kept kept[KEPT_MAX];
    unsigned kept_next;
    uint64_t transitions[3];
};

/* An alert's cookie: should the broker refuse it, the dead letter names the scores record behind it. */
struct emission {
    struct sq_alert_stage *stage;
    struct part *part;
    int64_t offset; /* of the scores record that caused it */
};

static const unsigned state_series[] = {[SQ_ALERT_FIRING] = 0, [SQ_ALERT_UPDATED] = 1, [SQ_ALERT_RESOLVED] = 2};

static struct sq_alert_stage *self(struct sq_stage *stage) { return (struct sq_alert_stage *)stage; }
struct sq_stage *sq_alert_stage_base(struct sq_alert_stage *stage) { return &stage->base; }
static struct part *part_of(struct sq_owned *owned) { return (struct part *)owned; }
static const struct part *part_view(const struct sq_owned *owned) { return (const struct part *)owned; }

bool sq_alert_stage_is_restoring(const struct sq_owned *owned) { return part_view(owned)->is_restoring; }
const struct sq_detector *sq_alert_stage_detector(const struct sq_owned *owned) { return part_view(owned)->detector; }
int64_t sq_alert_stage_watermark_ms(const struct sq_owned *owned) { return sq_detector_watermark_ms(part_view(owned)->detector); }

double sq_alert_stage_restored(const struct sq_owned *owned)
{
    const struct part *part = part_view(owned);
    if (!part->is_restoring) return 1;
    if (part->is_reading) return part->read_share;
    if (part->read_offset < 0 || part->live_offset <= part->first_offset) return 0;
    return (double)(part->read_offset - part->first_offset) / (double)(part->live_offset - part->first_offset);
}

/* ---- detectors ---- */

static struct sq_detector_options options_of(const struct sq_alert_stage *stage, const struct sq_config *config, int32_t partition)
{
    return (struct sq_detector_options){
        .app = config->app, .mode = stage->base.host->mode, .rules = config->rules, .rules_count = config->rules_count,
        .time = config->time, .scores_partition = partition, .model_name = stage->model_name,
    };
}

static int detector_open(struct sq_alert_stage *stage, int32_t partition, struct sq_detector **detector, struct sq_err *err)
{
    const struct sq_detector_options options = options_of(stage, stage->rules, partition);
    return sq_detector_open(detector, &options, err);
}

static void keep(struct sq_alert_stage *stage, struct part *part)
{
    struct kept *kept = &stage->kept[stage->kept_next++ % KEPT_MAX];
    sq_detector_close(kept->detector);
    *kept = (struct kept){part->owned.partition, sq_ledger_next_offset(&part->owned.ledger), part->detector};
    part->detector = NULL;
}

/* The kept detector of a partition, if it stands where the group does. */
static struct sq_detector *unkeep(struct sq_alert_stage *stage, int32_t partition, int64_t committed_offset)
{
    struct sq_detector *found = NULL;
    for (unsigned i = 0; i < KEPT_MAX; i++) {
        struct kept *kept = &stage->kept[i];
        if (!kept->detector || kept->partition != partition) continue;
        if (kept->next_offset == committed_offset && !found) found = kept->detector;
        else sq_detector_close(kept->detector);
        kept->detector = NULL;
    }
    return found;
}

static int reopen(struct sq_detector **detector, void *ctx, struct sq_err *err)
{
    const struct part *part = ctx;
    return detector_open(part->stage, part->owned.partition, detector, err);
}

static void part_deinit(struct sq_owned *owned)
{
    sq_detector_close(part_of(owned)->detector);
    part_of(owned)->detector = NULL;
}

/* The state comes first, if there is any to come. */
static void begin_restore(struct sq_alert_stage *stage, struct part *part, struct sq_source_partition *partition)
{
    struct sq_err err;
    if (sq_alert_restore_init(&part->restore, reopen, part, &err)) {
        sq_stage_fail(&stage->base, &err);
        return;
    }
    partition->is_parked = part->is_reading = part->is_restoring = true;
    stage->reader->ops->read(stage->reader, partition->partition, part);
}

static int own(struct sq_stage *base, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err)
{
    struct sq_alert_stage *stage = self(base);
    struct part *part = calloc(1, sizeof *part);
    if (!part) return sq_err_set(err, SQ_E_NOMEM, "no memory for a partition");
    struct sq_detector *detector = unkeep(stage, partition->partition, partition->committed_offset);
    bool is_kept = detector != NULL;
    int status = is_kept ? 0 : detector_open(stage, partition->partition, &detector, err);
    if (status) {
        free(part);
        return status;
    }
    part->stage = stage;
    part->detector = detector;
    part->owned.deinit = part_deinit;
    part->live_offset = partition->committed_offset;
    part->first_offset = part->read_offset = -1;
    part->is_restoring = !is_kept && partition->committed_offset > 0;
    part->restore_started_ns = part->last_record_ns = sq_clock_monotonic_ns();
    part->seen = *sq_detector_counts(detector);
    if (!is_kept && !stage->reader) partition->start_offset = SQ_OFFSET_BEGINNING;
    status = sq_owned_init(&part->owned, &base->owned, partition, 1, UINT64_MAX, err);
    if (status) {
        sq_detector_close(detector);
        return status;
    }
    if (!is_kept && stage->reader) begin_restore(stage, part, partition);
    *owned = &part->owned;
    return 0;
}

static void gone(struct sq_stage *base, struct sq_owned *owned, bool is_lost)
{
    struct part *part = part_of(owned);
    if (part->is_reading) {
        part->stage->reader->ops->cancel(part->stage->reader, part);
        sq_alert_restore_deinit(&part->restore);
    }
    if (!is_lost && !part->stage->reader && !part->is_restoring && sq_owned_is_settled(owned)) keep(self(base), part);
}

/* ---- out: alerts ---- */

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
static struct sq_output *add_output(const struct emission *emission, struct sq_batch *batch)
{
    struct emission *cookie = sq_batch_alloc(batch, sizeof *cookie);
    struct sq_output *output = cookie ? sq_batch_add(batch) : NULL;
    if (!output) return NULL;
    *cookie = *emission;
    output->cookie = cookie;
    sq_owned_ref(&emission->part->owned)->has_output = true;
    emission->part->owned.in_flight++;
    return output;
}

static int put_alert(struct emission *emission, const struct sq_alert *alert, struct sq_str value, struct sq_err *err)
{
    struct sq_alert_stage *stage = emission->stage;
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_output *output = add_output(emission, batch);
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

static void suppress(const struct emission *emission)
{
    if (emission->part->is_restoring) return;
    sq_metric_add(SQ_M_ALERTS_SUPPRESSED, 0, 1);
    emission->part->owned.has_output = true; /* a decision that the state holds is saved as one that went out */
}

static int on_emit(const struct sq_alert *alert, void *ctx)
{
    struct emission *emission = ctx;
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

/* ---- in: scores ---- */

static void put_dead_letter(const struct emission *emission, const struct sq_delivery_record *record, int code, const char *message)
{
    struct sq_alert_stage *stage = emission->stage;
    const struct part *part = emission->part;
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_origin origin = {
        .topic = part->owned.topic, .partition = part->owned.partition, .offset = record->offset, .timestamp_ms = record->timestamp_ms,
    };
    struct sq_err err;
    struct sq_output *output = add_output(emission, batch);
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

static void became_live(struct part *part)
{
    double seconds = (double)(sq_clock_monotonic_ns() - part->restore_started_ns) * 1e-9;
    part->is_restoring = false;
    part->seen = *sq_detector_counts(part->detector);
    sq_log(SQ_LOG_INFO, SQ_L("windows rebuilt"), SQ_LI("partition", part->owned.partition), SQ_LI("records", part->seen.taken),
           SQ_LI("entities", part->seen.entities), SQ_LR("seconds", seconds));
}

static void detect(struct sq_alert_stage *stage, struct part *part, const struct sq_delivery_record *record)
{
    struct emission emission = {stage, part, record->offset};
    struct sq_score score;
    struct sq_err err = {0};
    stage->arena.used_bytes = 0;
    int status = record->code ? sq_err_set(&err, record->code, "%s", record->message)
                              : sq_score_decode(record->record.value, &stage->arena, &score, &err);
    if (status == 0) status = sq_detector_take(part->detector, &score, record->timestamp_ms, on_emit, &emission, &err);
    if (status == 0) return;
    if (!err.code) sq_err_set(&err, status, "%s", stage->why); /* on_emit's */
    if (sq_err_class(status) != SQ_CLASS_POISON) {
        sq_stage_fail(&stage->base, &err);
    } else if (!part->is_restoring) {
        put_dead_letter(&emission, record, status, err.message);
    }
}

static void take(struct sq_stage *base, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    struct sq_alert_stage *stage = self(base);
    struct part *part = part_of(owned);
    uint64_t started_ns = sq_clock_monotonic_ns(), ticket = 0;
    part->is_at_end = false;
    part->last_record_ns = started_ns;
    if (part->is_restoring && record->offset >= part->live_offset) became_live(part);
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
    struct part *part = part_of(owned);
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
    if (part->is_restoring) became_live(part);
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

/* ---- the state ---- */

static void on_state_record(void *cookie, struct sq_str key, struct sq_str value, void *ctx)
{
    struct sq_alert_stage *stage = ctx;
    struct part *part = cookie;
    struct sq_err err;
    if (sq_alert_restore_take(&part->restore, &stage->states, key, value, reopen, part, &err)) sq_stage_fail(&stage->base, &err);
}

static void on_state_progress(void *cookie, int64_t offset, int64_t end_offset, void *ctx)
{
    (void)ctx;
    ((struct part *)cookie)->read_share = end_offset > 0 ? (double)offset / (double)end_offset : 1;
}

static void restored(struct sq_alert_stage *stage, struct part *part)
{
    struct sq_source *source = stage->base.source;
    part->seen = *sq_detector_counts(part->detector);
    sq_log(SQ_LOG_INFO, SQ_L("state restored"), SQ_LI("partition", part->owned.partition), SQ_LI("offset", part->live_offset),
           SQ_LI("entities", part->seen.entities), SQ_LR("seconds", (double)(sq_clock_monotonic_ns() - part->restore_started_ns) * 1e-9));
    part->is_restoring = false;
    source->ops->unpark(source, part->owned.source_partition, part->live_offset);
}

/* Fresh windows: the scores are read from the first one left, silently up to the committed offset. */
static void rebuild(struct sq_alert_stage *stage, struct part *part)
{
    struct sq_source *source = stage->base.source;
    if (part->live_offset > 0)
        sq_log(SQ_LOG_WARN, SQ_L("rebuilding windows from the scores that are left"), SQ_LI("partition", part->owned.partition),
               SQ_LI("offset", part->live_offset), SQ_LS("reason", part->restore.why));
    part->is_restoring = part->live_offset > 0;
    source->ops->unpark(source, part->owned.source_partition, SQ_OFFSET_BEGINNING);
}

static void on_state_read(void *cookie, void *ctx)
{
    struct sq_alert_stage *stage = ctx;
    struct part *part = cookie;
    struct emission emission = {stage, part, part->live_offset - 1};
    struct sq_err err;
    bool may_rebuild = stage->base.host->config->restore == SQ_RESTORE_REBUILD;
    part->is_reading = part->is_restoring = false; /* what restoring itself emits goes out */
    enum sq_alert_verdict verdict =
        sq_alert_restore_end(&part->restore, part->live_offset, may_rebuild, reopen, part, on_emit, &emission, &err);
    sq_detector_close(part->detector);
    part->detector = part->restore.detector;
    part->restore.detector = NULL;
    part->lineage = verdict == SQ_ALERT_RESTORED ? part->restore.lineage : sq_unique_number();
    if (verdict == SQ_ALERT_REFUSED) {
        sq_err_prefix(&err, "%s[%d]: ", part->owned.topic, (int)part->owned.partition);
        part->refusal = err;
        part->refused_ns = sq_clock_monotonic_ns();
        part->is_restoring = true;
    } else if (verdict == SQ_ALERT_RESTORED) {
        restored(stage, part);
    } else {
        rebuild(stage, part);
    }
    sq_alert_restore_deinit(&part->restore);
}

static int put_state(struct sq_str key, struct sq_str value, void *ctx)
{
    struct emission *emission = ctx;
    struct sq_batch *batch = sq_outbox_batch(emission->stage->base.outbox);
    struct sq_output *output = add_output(emission, batch);
    bool is_copied = output && sq_batch_copy(batch, key, &output->key) && sq_batch_copy(batch, value, &output->value);
    if (!is_copied) return SQ_E_NOMEM;
    output->topic = SQ_TOPIC_STATE;
    output->partition = emission->part->owned.partition;
    sq_batch_account(batch, output);
    return 0;
}

/* Into the batch that is about to close: the state at the offsets that go with it. */
static bool save(struct sq_stage *base)
{
    struct sq_alert_stage *stage = self(base);
    for (struct sq_owned *owned = base->owned.head; owned && stage->reader; owned = owned->next) {
        struct part *part = part_of(owned);
        struct emission emission = {stage, part, sq_ledger_next_offset(&owned->ledger) - 1};
        struct sq_err err = {0};
        if (part->is_restoring || (!sq_owned_has_progress(owned) && !owned->has_output)) continue;
        int status = sq_alert_state_save(&stage->states, part->detector, part->lineage, emission.offset + 1, put_state, &emission, &err);
        if (status && !err.code) sq_err_set(&err, status, "no memory for a state");
        if (status) sq_stage_fail(base, &err);
        if (status) return false;
    }
    return true;
}

/* ---- the outbox's results ---- */

static void drop(struct sq_stage *base, struct sq_output *output)
{
    struct emission *emission = output->cookie;
    (void)base;
    if (!emission) return;
    emission->part->owned.in_flight--;
    sq_owned_unref(&emission->part->owned);
}

static void committed(struct sq_stage *base, struct sq_batch *batch)
{
    for (size_t i = 0; i < batch->outputs_count; i++) drop(base, &batch->outputs[i]);
}

static const struct sq_owned *owner(const struct sq_output *output)
{
    const struct emission *emission = output->cookie;
    return emission ? &emission->part->owned : NULL;
}

static int replace(struct sq_stage *base, struct sq_batch *batch, struct sq_output *output, struct sq_err *err)
{
    if (output->topic == SQ_TOPIC_DLQ)
        return sq_err_set(err, SQ_E_KAFKA_FATAL, "the broker refuses a dead letter of the alert stage: see the settings of the dlq topic");
    const struct emission *emission = output->cookie;
    const struct sq_origin origin = {
        .topic = emission->part->owned.topic, .partition = emission->part->owned.partition, .offset = emission->offset,
        .timestamp_ms = -1, .key = output->key, .value = output->value,
    };
    sq_metric_add(SQ_M_DEAD_LETTERS, sq_dead_letter_reason(SQ_E_PRODUCE), 1);
    return sq_dead_letter_fill(&base->host->letters, batch, output, &origin, SQ_STAGE_ALERT, SQ_E_PRODUCE,
                               "the broker refused the alert for good; the value is the alert", sq_clock_wall_ms(), err);
}

static const struct sq_stage_hooks hooks = {own, has_room, take, reached_end, NULL, gone, committed, drop, owner, replace, in_flight, save};

/* ---- every second ---- */

static void tick_quiet(struct sq_alert_stage *stage, struct part *part, uint64_t now_ns)
{
    struct emission emission = {stage, part, sq_ledger_next_offset(&part->owned.ledger) - 1};
    struct sq_err err = {0};
    if (part->is_restoring || !part->is_at_end || part->owned.source_partition->is_revoking) return;
    if (now_ns - part->last_record_ns < QUIET_MS * UINT64_C(1000000)) return;
    int status = sq_detector_tick(part->detector, sq_clock_wall_ms(), on_emit, &emission, &err);
    if (status && !err.code) sq_err_set(&err, status, "%s", stage->why);
    if (status) sq_stage_fail(&stage->base, &err);
}

static void log_restore(struct part *part)
{
    if (!part->is_restoring || !sq_log_allow(&part->limit, RESTORE_LOG_MS, NULL)) return;
    if (part->is_reading) {
        sq_log(SQ_LOG_INFO, SQ_L("restoring the state"), SQ_LI("partition", part->owned.partition), SQ_LR("progress", part->read_share));
        return;
    }
    sq_log(SQ_LOG_INFO, SQ_L("rebuilding windows from scores"), SQ_LI("partition", part->owned.partition),
           SQ_LI("offset", part->read_offset), SQ_LI("up_to", part->live_offset),
           SQ_LR("progress", sq_alert_stage_restored(&part->owned)));
}

static void export_part(struct part *part)
{
    const struct sq_detector_counts *now = sq_detector_counts(part->detector);
    if (part->is_restoring) return;
    sq_metric_add(SQ_M_LATE_RECORDS, 0, now->late_included - part->seen.late_included);
    sq_metric_add(SQ_M_LATE_RECORDS, 1, now->late_dropped - part->seen.late_dropped);
    sq_metric_add(SQ_M_COLLAPSED_SCORES, 0, now->collapsed_text - part->seen.collapsed_text);
    sq_metric_add(SQ_M_COLLAPSED_SCORES, 1, now->collapsed_author - part->seen.collapsed_author);
    part->seen = *now;
}

void sq_alert_stage_second(struct sq_alert_stage *stage)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    int64_t warning = 0, critical = 0, entities = 0, restoring = 0;
    for (struct sq_owned *owned = stage->base.owned.head; owned && !stage->base.is_stopping; owned = owned->next) {
        struct part *part = part_of(owned);
        if (part->refused_ns && now_ns - part->refused_ns >= REFUSAL_MS * UINT64_C(1000000)) sq_stage_fail(&stage->base, &part->refusal);
        tick_quiet(stage, part, now_ns);
        log_restore(part);
        export_part(part);
        const struct sq_detector_counts *counts = sq_detector_counts(part->detector);
        warning += counts->firing_warning;
        critical += counts->firing_critical;
        entities += counts->entities;
        restoring += part->is_restoring;
    }
    sq_metric_set(SQ_M_ALERTS_FIRING, 0, warning);
    sq_metric_set(SQ_M_ALERTS_FIRING, 1, critical);
    sq_metric_set(SQ_M_ENTITIES_TRACKED, 0, entities);
    sq_metric_set(SQ_M_RESTORES_RUNNING, 0, restoring);
}

/* ---- other rules ---- */

static void drop_next(struct sq_alert_stage *stage)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        sq_detector_close(part_of(owned)->next);
        part_of(owned)->next = NULL;
    }
}

static int prepare_next(struct sq_alert_stage *stage, const struct sq_config *config, struct sq_err *err)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        struct part *part = part_of(owned);
        if (part->is_restoring) return sq_err_set(err, SQ_E_FULL, "partitions are being restored: try again when the worker is ready");
        const struct sq_detector_options options = options_of(stage, config, owned->partition);
        int status = sq_detector_reload(part->detector, &options, &part->next, err);
        if (status) return status;
    }
    return 0;
}

static void take_over(struct sq_alert_stage *stage, struct part *part)
{
    struct emission emission = {stage, part, sq_ledger_next_offset(&part->owned.ledger) - 1};
    struct sq_err err = {0};
    export_part(part);
    sq_detector_close(part->detector);
    part->detector = part->next;
    part->next = NULL;
    int status = sq_detector_take_over(part->detector, on_emit, &emission, &err);
    part->seen = *sq_detector_counts(part->detector);
    if (status && !err.code) sq_err_set(&err, status, "%s", stage->why);
    if (status) sq_stage_fail(&stage->base, &err);
}

int sq_alert_stage_reload(struct sq_alert_stage *stage, const struct sq_config *config, struct sq_err *err)
{
    int status = prepare_next(stage, config, err);
    if (status) {
        drop_next(stage);
        return status;
    }
    for (unsigned i = 0; i < KEPT_MAX; i++) { /* of the old rules: rebuilt when their partitions come back */
        sq_detector_close(stage->kept[i].detector);
        stage->kept[i].detector = NULL;
    }
    stage->rules = config;
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) take_over(stage, part_of(owned));
    sq_outbox_touch(stage->base.outbox);
    return 0;
}

/* ---- what people say ---- */

/* Its state is here, and can still be committed by this worker. */
static bool is_settable(const struct part *part)
{
    const struct sq_owned *owned = &part->owned;
    return !part->is_restoring && !owned->source_partition->is_revoking && !part->stage->base.is_stopping &&
           sq_ledger_next_offset(&owned->ledger) >= 0;
}

/* Saved as what went out is, without a record. */
static void save_soon(struct part *part)
{
    part->owned.has_output = true;
    sq_outbox_touch(part->stage->base.outbox);
    sq_outbox_flush(part->stage->base.outbox);
}

/* The partition of the only entity a pattern matches; -1: it may match others. */
static int32_t partition_of(const struct sq_alert_stage *stage, const char *pattern)
{
    if (!pattern[0] || strpbrk(pattern, "*?")) return -1;
    return sq_partition_of(sq_str_view(pattern), (int32_t)stage->base.host->config->output.partitions);
}

static bool is_about(const struct sq_owned *owned, int32_t partition) { return partition < 0 || owned->partition == partition; }

/* Of nothing yet. */
static struct sq_alert_coverage coverage_of(const struct sq_alert_stage *stage, int32_t partition)
{
    struct sq_alert_coverage coverage = {.partition = partition};
    coverage.partitions = partition < 0 ? stage->base.host->config->output.partitions : 1;
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) coverage.owned += is_about(owned, partition);
    return coverage;
}

int sq_alert_stage_acknowledge(struct sq_alert_stage *stage, uint64_t alert_id, bool *found, struct sq_err *err)
{
    *found = false;
    for (struct sq_owned *owned = stage->base.owned.head; owned && !*found; owned = owned->next) {
        struct part *part = part_of(owned);
        struct emission emission = {stage, part, sq_ledger_next_offset(&owned->ledger) - 1};
        if (!is_settable(part)) continue;
        err->code = 0;
        int status = sq_detector_acknowledge(part->detector, alert_id, found, on_emit, &emission, err);
        if (status && !err->code) sq_err_set(err, status, "%s", stage->why);
        if (status) sq_stage_fail(&stage->base, err);
        if (status) return status;
        if (*found) save_soon(part);
    }
    return 0;
}

int sq_alert_stage_silence(struct sq_alert_stage *stage, const struct sq_silence *silence, struct sq_alert_coverage *coverage,
                           struct sq_err *err)
{
    int status = 0;
    *coverage = coverage_of(stage, partition_of(stage, silence->entity));
    for (struct sq_owned *owned = stage->base.owned.head; owned && status == 0; owned = owned->next) {
        if (!is_settable(part_of(owned)) || !is_about(owned, coverage->partition)) continue;
        status = sq_detector_silence(part_of(owned)->detector, silence, err);
        if (status) break;
        save_soon(part_of(owned));
        coverage->covered++;
    }
    if (status) sq_alert_stage_unsilence(stage, silence->id);
    return status;
}

struct sq_alert_coverage sq_alert_stage_unsilence(struct sq_alert_stage *stage, uint64_t id)
{
    struct sq_alert_coverage coverage = coverage_of(stage, -1);
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        if (!is_settable(part_of(owned)) || !sq_detector_unsilence(part_of(owned)->detector, id)) continue;
        save_soon(part_of(owned));
        coverage.covered++;
    }
    return coverage;
}

static bool has_silence(const struct sq_owned *owned, uint64_t id)
{
    const struct sq_silences *silences = sq_detector_silences(part_view(owned)->detector);
    for (unsigned i = 0; i < silences->count; i++)
        if (silences->items[i].id == id) return true;
    return false;
}

/* Tells of it at the first partition that has it. */
static void tell_silence(const struct sq_alert_stage *stage, const struct sq_owned *first, const struct sq_silence *silence,
                         sq_alert_silence_fn each, void *ctx)
{
    struct sq_alert_coverage coverage = coverage_of(stage, partition_of(stage, silence->entity));
    for (const struct sq_owned *before = stage->base.owned.head; before != first; before = before->next)
        if (has_silence(before, silence->id)) return;
    for (const struct sq_owned *owned = first; owned; owned = owned->next) coverage.covered += has_silence(owned, silence->id);
    each(silence, coverage, ctx);
}

void sq_alert_stage_silences(const struct sq_alert_stage *stage, sq_alert_silence_fn each, void *ctx)
{
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        const struct sq_silences *silences = sq_detector_silences(part_view(owned)->detector);
        for (unsigned i = 0; i < silences->count; i++) tell_silence(stage, owned, &silences->items[i], each, ctx);
    }
}

bool sq_alert_stage_is_ready(const struct sq_alert_stage *stage)
{
    if (!stage->base.has_assignment) return false;
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next)
        if (part_view(owned)->is_restoring) return false;
    return true;
}

void sq_alert_stage_counts(const struct sq_alert_stage *stage, struct sq_alert_counts *counts)
{
    *counts = (struct sq_alert_counts){.watermark_ms = INT64_MIN};
    memcpy(counts->transitions, stage->transitions, sizeof counts->transitions);
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        const struct sq_detector_counts *detector = sq_detector_counts(part_view(owned)->detector);
        int64_t watermark_ms = sq_alert_stage_watermark_ms(owned);
        counts->entities += detector->entities;
        counts->firing += detector->firing_warning + detector->firing_critical;
        counts->restoring += part_view(owned)->is_restoring;
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
    if (reader) reader->ops->start(reader, &(struct sq_state_handler){on_state_record, on_state_progress, on_state_read, stage});
    *out = stage;
    return 0;
}

void sq_alert_stage_close(struct sq_alert_stage *stage)
{
    if (!stage) return;
    if (stage->base.hooks) sq_stage_deinit(&stage->base);
    for (unsigned i = 0; i < KEPT_MAX; i++) sq_detector_close(stage->kept[i].detector);
    sq_buf_deinit(&stage->encoded);
    sq_buf_deinit(&stage->json);
    sq_arena_deinit(&stage->arena);
    sq_alert_states_deinit(&stage->states);
    free(stage);
}
