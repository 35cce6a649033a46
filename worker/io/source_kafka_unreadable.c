/* SPDX-License-Identifier: Apache-2.0 */
/* What the client can't unpack (a checksum that doesn't fit, zstd that expands beyond receive.message.max.bytes) it fetches again for ever,
 * and the partition stands still. So after a few tries the record is given to the handler as unreadable, and the position moves past it.
 *
 * The error names where the batch begins, not where we are in it, and how many records the batch has nobody can tell. So the step is one
 * offset: nothing readable behind the batch is ever skipped, and each record of the batch is accounted for. The patience is with the
 * batch: the further records of it cost one try each.
 *
 * Over a wrong checksum the client (2.0.2) stops reading the partition as well, loses its place, and says that its offset, another than
 * ours, would have to be reset. It isn't: the partition is assigned anew, as a seek does nothing to one that has stopped. After that one of
 * the two words, or both, may be missing: so each counts as a try, and a partition that is silent for a while is assigned anew as well. */
#include "engine/base/clock.h"
#include "worker/io/log.h"
#include "worker/io/source_kafka_parts.h"

enum { TRIES_MAX = 5, PATIENCE_MS = 10000, SILENCE_MS = 3000 };

static void expect_more(struct kafka_partition *partition)
{
    partition->restart_at_ns = sq_clock_monotonic_ns() + SILENCE_MS * UINT64_C(1000000);
}

bool sq_source_kafka_is_unreadable(const rd_kafka_message_t *error)
{
    return (error->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION || error->err == RD_KAFKA_RESP_ERR__BAD_MSG) && error->offset >= 0;
}

static bool is_patient(struct kafka_partition *partition, int64_t offset)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    if (partition->stuck_offset != offset) {
        partition->stuck_offset = offset;
        partition->stuck_tries = 0;
        partition->stuck_since_ns = now_ns;
    }
    return ++partition->stuck_tries < TRIES_MAX && now_ns - partition->stuck_since_ns < PATIENCE_MS * UINT64_C(1000000);
}

/* The first record that is missing: the error may name one before it, at the start of the batch. */
static int64_t missing_offset(const struct kafka_partition *partition, int64_t batch_offset)
{
    int64_t offset = partition->position >= 0 ? partition->position : partition->base.start_offset;
    return offset > batch_offset ? offset : batch_offset;
}

/* One more try failed: patience, or the next record. */
static void fail_try(struct kafka_source *source, struct kafka_partition *partition, int64_t batch_offset, rd_kafka_resp_err_t error)
{
    struct sq_source_partition *base = &partition->base;
    expect_more(partition);
    if (is_patient(partition, batch_offset)) return;
    const struct sq_delivery_record record = {
        .partition = base, .offset = missing_offset(partition, batch_offset), .timestamp_ms = -1,
        .code = SQ_E_UNREADABLE, .message = rd_kafka_err2str(error),
    };
    sq_log(SQ_LOG_WARN, SQ_L("stepping over a record that can't be read"), SQ_LS("topic", base->topic), SQ_LI("partition", base->partition),
           SQ_LI("offset", record.offset), SQ_LS("error", record.message));
    partition->position = record.offset + 1;
    sq_source_kafka_seek(source, base, partition->position);
    source->handler.take(&record, source->handler.ctx);
}

void sq_source_kafka_unreadable(struct kafka_source *source, struct sq_source_partition *base, const rd_kafka_message_t *error)
{
    struct kafka_partition *partition = (struct kafka_partition *)base;
    partition->is_reset_due = true;
    fail_try(source, partition, error->offset, error->err);
}

bool sq_source_kafka_unreset(struct kafka_source *source, struct sq_source_partition *base, int64_t offset)
{
    struct kafka_partition *partition = (struct kafka_partition *)base;
    if (!partition->restart_at_ns) return false;
    if (offset == missing_offset(partition, -1)) return false; /* it is where we stand, so what stood there was deleted meanwhile */
    if (!partition->is_reset_due) fail_try(source, partition, partition->stuck_offset, RD_KAFKA_RESP_ERR__BAD_MSG); /* told by the reset alone */
    partition->is_reset_due = false;
    expect_more(partition);
    sq_source_kafka_restart(source, base);
    return true;
}

void sq_source_kafka_restart_silent(struct kafka_source *source)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    for (size_t i = 0; i < source->partitions_count && !source->is_starved; i++) {
        struct kafka_partition *partition = (struct kafka_partition *)source->partitions[i];
        if (!partition->restart_at_ns || now_ns < partition->restart_at_ns) continue;
        expect_more(partition);
        sq_source_kafka_restart(source, &partition->base);
    }
}
