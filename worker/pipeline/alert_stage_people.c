/* SPDX-License-Identifier: Apache-2.0 */
/* What people say of alerts: acknowledgements and silences, part of the partitions' state. */
#include <string.h>

#include "engine/base/murmur2.h"
#include "worker/pipeline/alert_stage_parts.h"

/* Its state is here, and can still be committed by this worker. */
static bool is_settable(const struct sq_alert_part *part)
{
    const struct sq_owned *owned = &part->owned;
    return !part->is_restoring && !owned->source_partition->is_revoking && !part->stage->base.is_stopping &&
           sq_ledger_next_offset(&owned->ledger) >= 0;
}

/* Its state is to be saved as it is with what goes out, without a record. */
static void note_change(struct sq_alert_part *part, struct sq_receipt *receipt)
{
    if (part->stage->reader) sq_receipts_add(&part->receipts, receipt);
    part->owned.has_output = true;
}

static void save_soon(struct sq_alert_stage *stage)
{
    sq_outbox_touch(stage->base.outbox);
    sq_outbox_flush(stage->base.outbox);
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

struct sq_alert_coverage sq_alert_stage_coverage(const struct sq_alert_stage *stage)
{
    struct sq_alert_coverage coverage = coverage_of(stage, -1);
    for (const struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) coverage.covered += is_settable(sq_alert_part_view(owned));
    return coverage;
}

int sq_alert_stage_acknowledge(struct sq_alert_stage *stage, uint64_t alert_id, struct sq_receipt *receipt, bool *found, struct sq_err *err)
{
    *found = false;
    for (struct sq_owned *owned = stage->base.owned.head; owned && !*found; owned = owned->next) {
        struct sq_alert_part *part = sq_alert_part_of(owned);
        struct sq_alert_emission emission = sq_alert_emission_of(part);
        if (!is_settable(part)) continue;
        err->code = 0;
        int status = sq_detector_acknowledge(part->detector, alert_id, found, sq_alert_emit, &emission, err);
        if (sq_alert_emitted(stage, status, err)) return status;
        if (*found) note_change(part, receipt);
    }
    if (*found) save_soon(stage);
    return 0;
}

/* Puts it there, in some partitions or in all. */
static int put_silence(struct sq_alert_stage *stage, const struct sq_silence *silence, int32_t partition, struct sq_err *err)
{
    int status = 0;
    for (struct sq_owned *owned = stage->base.owned.head; owned && status == 0; owned = owned->next)
        if (is_settable(sq_alert_part_of(owned)) && is_about(owned, partition))
            status = sq_detector_silence(sq_alert_part_of(owned)->detector, silence, err);
    return status;
}

int sq_alert_stage_silence(struct sq_alert_stage *stage, const struct sq_silence *silence, struct sq_receipt *receipt,
                           struct sq_alert_coverage *coverage, struct sq_err *err)
{
    *coverage = coverage_of(stage, partition_of(stage, silence->entity));
    int status = put_silence(stage, silence, coverage->partition, err);
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        struct sq_alert_part *part = sq_alert_part_of(owned);
        if (!is_settable(part) || !is_about(owned, coverage->partition)) continue;
        if (status) sq_detector_unsilence(part->detector, silence->id);
        else note_change(part, receipt);
        coverage->covered += status == 0;
    }
    if (coverage->covered) save_soon(stage);
    return status;
}

struct sq_alert_coverage sq_alert_stage_unsilence(struct sq_alert_stage *stage, uint64_t id, struct sq_receipt *receipt)
{
    struct sq_alert_coverage coverage = coverage_of(stage, -1);
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        if (!is_settable(sq_alert_part_of(owned)) || !sq_detector_unsilence(sq_alert_part_of(owned)->detector, id)) continue;
        note_change(sq_alert_part_of(owned), receipt);
        coverage.covered++;
    }
    if (coverage.covered) save_soon(stage);
    return coverage;
}

static bool has_silence(const struct sq_owned *owned, uint64_t id)
{
    const struct sq_silences *silences = sq_detector_silences(sq_alert_part_view(owned)->detector);
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
        const struct sq_silences *silences = sq_detector_silences(sq_alert_part_view(owned)->detector);
        for (unsigned i = 0; i < silences->count; i++) tell_silence(stage, owned, &silences->items[i], each, ctx);
    }
}
