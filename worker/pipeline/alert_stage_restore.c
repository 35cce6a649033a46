/* SPDX-License-Identifier: Apache-2.0 */
/* A partition that comes: its state from <app>.alert-state, or its windows from the scores that are left. And the state's way there. */
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/unique.h"
#include "worker/pipeline/alert_stage_parts.h"

enum {
    RESTORE_LOG_MS = 5000,
    REFUSAL_MS = 10000, /* a worker that slept learns in this time that the partition is another's by now, and its offset old */
};

/* ---- detectors whose partition went away ---- */

static void keep(struct sq_alert_stage *stage, struct sq_alert_part *part)
{
    struct sq_alert_kept *kept = &stage->kept[stage->kept_next++ % SQ_ALERT_KEPT_MAX];
    sq_detector_close(kept->detector);
    *kept = (struct sq_alert_kept){part->owned.partition, sq_ledger_next_offset(&part->owned.ledger), part->detector};
    part->detector = NULL;
}

/* The kept detector of a partition, if it stands where the group does. */
static struct sq_detector *unkeep(struct sq_alert_stage *stage, int32_t partition, int64_t committed_offset)
{
    struct sq_detector *found = NULL;
    for (unsigned i = 0; i < SQ_ALERT_KEPT_MAX; i++) {
        struct sq_alert_kept *kept = &stage->kept[i];
        if (!kept->detector || kept->partition != partition) continue;
        if (kept->next_offset == committed_offset && !found) found = kept->detector;
        else sq_detector_close(kept->detector);
        kept->detector = NULL;
    }
    return found;
}

void sq_alert_kept_drop(struct sq_alert_stage *stage)
{
    for (unsigned i = 0; i < SQ_ALERT_KEPT_MAX; i++) {
        sq_detector_close(stage->kept[i].detector);
        stage->kept[i].detector = NULL;
    }
}

/* ---- partitions come and go ---- */

static int reopen(struct sq_detector **detector, void *ctx, struct sq_err *err)
{
    const struct sq_alert_part *part = ctx;
    return sq_alert_detector_open(part->stage, part->owned.partition, detector, err);
}

static void part_deinit(struct sq_owned *owned)
{
    sq_detector_close(sq_alert_part_of(owned)->detector);
    sq_alert_part_of(owned)->detector = NULL;
}

/* The state comes first, if there is any to come. */
static void begin_restore(struct sq_alert_stage *stage, struct sq_alert_part *part, struct sq_source_partition *partition)
{
    struct sq_err err;
    int status = sq_alert_restore_init(&part->restore, reopen, part, &err);
    if (status == 0) {
        partition->is_parked = part->is_reading = part->is_restoring = true;
        status = stage->reader->ops->read(stage->reader, partition->partition, part, &err);
    }
    if (status) sq_stage_fail(&stage->base, &err);
}

int sq_alert_part_own(struct sq_stage *base, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err)
{
    struct sq_alert_stage *stage = sq_alert_stage_of(base);
    struct sq_alert_part *part = calloc(1, sizeof *part);
    if (!part) return sq_err_set(err, SQ_E_NOMEM, "no memory for a partition");
    struct sq_detector *detector = unkeep(stage, partition->partition, partition->committed_offset);
    bool is_kept = detector != NULL;
    int status = is_kept ? 0 : sq_alert_detector_open(stage, partition->partition, &detector, err);
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

void sq_alert_part_gone(struct sq_stage *base, struct sq_owned *owned, bool is_lost)
{
    struct sq_alert_part *part = sq_alert_part_of(owned);
    if (part->is_reading) {
        part->stage->reader->ops->cancel(part->stage->reader, part);
        sq_alert_restore_deinit(&part->restore);
    }
    sq_receipts_settle(&part->receipts, false);
    if (!is_lost && !part->stage->reader && !part->is_restoring && sq_owned_is_settled(owned)) keep(sq_alert_stage_of(base), part);
}

/* ---- the state comes ---- */

void sq_alert_part_live(struct sq_alert_part *part)
{
    double seconds = (double)(sq_clock_monotonic_ns() - part->restore_started_ns) * 1e-9;
    part->is_restoring = false;
    part->seen = *sq_detector_counts(part->detector);
    sq_log(SQ_LOG_INFO, SQ_L("windows rebuilt"), SQ_LI("partition", part->owned.partition), SQ_LI("records", part->seen.taken),
           SQ_LI("entities", part->seen.entities), SQ_LR("seconds", seconds));
}

static void on_state_record(void *cookie, struct sq_str key, struct sq_str value, void *ctx)
{
    struct sq_alert_stage *stage = ctx;
    struct sq_alert_part *part = cookie;
    struct sq_err err;
    if (sq_alert_restore_take(&part->restore, &stage->states, key, value, reopen, part, &err)) sq_stage_fail(&stage->base, &err);
}

static void on_state_progress(void *cookie, int64_t offset, int64_t end_offset, void *ctx)
{
    (void)ctx;
    struct sq_alert_part *part = cookie;
    part->state_offset = offset;
    part->state_end = end_offset;
}

static void restored(struct sq_alert_stage *stage, struct sq_alert_part *part)
{
    struct sq_source *source = stage->base.source;
    part->seen = *sq_detector_counts(part->detector);
    sq_log(SQ_LOG_INFO, SQ_L("state restored"), SQ_LI("partition", part->owned.partition), SQ_LI("offset", part->live_offset),
           SQ_LI("entities", part->seen.entities), SQ_LR("seconds", (double)(sq_clock_monotonic_ns() - part->restore_started_ns) * 1e-9));
    part->is_restoring = false;
    source->ops->unpark(source, part->owned.source_partition, part->live_offset);
}

/* Fresh windows: the scores are read from the first one left, silently up to the committed offset. */
static void rebuild(struct sq_alert_stage *stage, struct sq_alert_part *part)
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
    struct sq_alert_part *part = cookie;
    struct sq_alert_emission emission = {.stage = stage, .part = part, .offset = part->live_offset - 1};
    struct sq_err err;
    bool may_rebuild = stage->base.host->config->restore == SQ_RESTORE_REBUILD;
    part->is_reading = part->is_restoring = false; /* what restoring itself emits goes out */
    enum sq_alert_verdict verdict =
        sq_alert_restore_end(&part->restore, part->live_offset, may_rebuild, reopen, part, sq_alert_emit, &emission, &err);
    if (part->restore.detector) { /* else there was no memory for one: the verdict says so, and until it is heard there is the one before */
        sq_detector_close(part->detector);
        part->detector = part->restore.detector;
        part->restore.detector = NULL;
    }
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

void sq_alert_restore_start(struct sq_alert_stage *stage)
{
    const struct sq_state_handler handler = {on_state_record, on_state_progress, on_state_read, stage};
    if (stage->reader) stage->reader->ops->start(stage->reader, &handler);
}

/* How much is read of how much, as far as that is known: of the state, or of the scores. */
static void measure(const struct sq_alert_part *part, int64_t *read, int64_t *whole)
{
    bool has_scores = part->read_offset >= 0 && part->live_offset > part->first_offset;
    *read = part->is_reading ? part->state_offset : has_scores ? part->read_offset - part->first_offset : 0;
    *whole = part->is_reading ? part->state_end : has_scores ? part->live_offset - part->first_offset : 0;
}

double sq_alert_stage_restored(const struct sq_owned *owned)
{
    const struct sq_alert_part *part = sq_alert_part_view(owned);
    int64_t read, whole;
    if (!part->is_restoring) return 1;
    measure(part, &read, &whole);
    return whole > 0 ? (double)read / (double)whole : 0;
}

void sq_alert_restore_log(struct sq_alert_stage *stage)
{
    int64_t partitions = 0, from_scores = 0, records = 0, of = 0, entities = 0;
    if (!sq_log_allow(&stage->restore_limit, RESTORE_LOG_MS, NULL)) return;
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        const struct sq_alert_part *part = sq_alert_part_of(owned);
        const struct sq_detector *detector = part->is_reading ? part->restore.detector : part->detector;
        int64_t read, whole;
        if (!part->is_restoring || !detector) continue;
        measure(part, &read, &whole);
        partitions++;
        from_scores += !part->is_reading;
        records += read;
        of += whole;
        entities += sq_detector_counts(detector)->entities;
    }
    sq_log(SQ_LOG_INFO, SQ_L("restoring"), SQ_LI("partitions", partitions), SQ_LI("from_scores", from_scores), SQ_LI("records", records),
           SQ_LI("of", of), SQ_LI("entities", entities));
}

void sq_alert_restore_second(struct sq_alert_part *part, uint64_t now_ns)
{
    if (part->refused_ns && now_ns - part->refused_ns >= REFUSAL_MS * UINT64_C(1000000)) sq_stage_fail(&part->stage->base, &part->refusal);
}

/* ---- the state goes ---- */

static int put_state(struct sq_str key, struct sq_str value, void *ctx)
{
    struct sq_alert_emission *emission = ctx;
    struct sq_batch *batch = sq_outbox_batch(emission->stage->base.outbox);
    struct sq_output *output = sq_alert_output_add(emission, batch);
    bool is_copied = output && sq_batch_copy(batch, key, &output->key) && sq_batch_copy(batch, value, &output->value);
    if (!is_copied) return SQ_E_NOMEM;
    output->topic = SQ_TOPIC_STATE;
    output->partition = emission->part->owned.partition;
    sq_batch_account(batch, output);
    return 0;
}

/* What waits for the partition's state goes with its last output. */
static void hand_receipts(struct sq_alert_stage *stage, struct sq_alert_part *part)
{
    struct sq_batch *batch = sq_outbox_batch(stage->base.outbox);
    struct sq_alert_emission *last = batch->outputs[batch->outputs_count - 1].cookie;
    last->receipts = part->receipts;
    part->receipts = NULL;
}

/* Into the batch that is about to close: the state at the offsets that go with it. */
bool sq_alert_stage_save(struct sq_stage *base)
{
    struct sq_alert_stage *stage = sq_alert_stage_of(base);
    for (struct sq_owned *owned = base->owned.head; owned && stage->reader; owned = owned->next) {
        struct sq_alert_part *part = sq_alert_part_of(owned);
        struct sq_alert_emission emission = sq_alert_emission_of(part);
        struct sq_err err = {0};
        if (part->is_restoring || (!sq_owned_has_progress(owned) && !owned->has_output)) continue;
        int status = sq_alert_state_save(&stage->states, part->detector, part->lineage, emission.offset + 1, put_state, &emission, &err);
        if (status && !err.code) sq_err_set(&err, status, "no memory for a state");
        if (status) sq_stage_fail(base, &err);
        if (status) return false;
        hand_receipts(stage, part);
    }
    return true;
}
