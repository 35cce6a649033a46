/* SPDX-License-Identifier: Apache-2.0 */
/* An assignment is answered in two steps. The ASSIGN event is kept while the group's committed offsets are looked up (a request with its
 * answer on the main queue, 1 to 60 ms; asked again until it is certain, as an open transaction may hide them). Only then the partitions
 * are assigned, each with an explicit start, so that "no offset yet" is our decision and never a silent reset.
 *
 * A revocation is answered late, too: the handler is told, finishes what it has in flight, and calls release. librdkafka waits, and the
 * group with it. A partition that was lost meanwhile is given up at once. */
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/kafka_offsets.h"
#include "worker/io/log.h"
#include "worker/io/offset_note.h"
#include "worker/io/source_kafka_parts.h"

enum { LOOKUP_RETRY_MS = 300 };

static const char *const stages[] = {SQ_STAGES};
static _Atomic uint64_t epochs;

/* ---- partitions ---- */

struct sq_source_partition *sq_source_kafka_find(struct kafka_source *source, const char *topic, int32_t number)
{
    struct sq_source_partition *partition = source->last_found;
    if (partition && partition->partition == number && strcmp(partition->topic, topic) == 0) return partition;
    for (size_t i = 0; i < source->partitions_count; i++) {
        partition = source->partitions[i];
        if (partition->partition == number && strcmp(partition->topic, topic) == 0) return source->last_found = partition;
    }
    return NULL;
}

static struct sq_source_partition *add(struct kafka_source *source, const char *topic, int32_t number,
                                       const rd_kafka_topic_partition_t *committed)
{
    if (source->partitions_count == source->partitions_capacity) {
        size_t capacity = source->partitions_capacity ? source->partitions_capacity * 2 : 16;
        struct sq_source_partition **grown = realloc(source->partitions, capacity * sizeof *grown);
        if (!grown) return NULL;
        source->partitions = grown;
        source->partitions_capacity = capacity;
    }
    struct kafka_partition *made = calloc(1, sizeof *made);
    char *name = strdup(topic);
    if (!made || !name) {
        free(made);
        free(name);
        return NULL;
    }
    bool is_first = !committed || committed->offset < 0;
    bool from_end = source->stage == SQ_STAGE_SCORE && source->config->input.start == SQ_START_LATEST;
    made->position = made->stuck_offset = -1;
    made->base = (struct sq_source_partition){
        .topic = name,
        .partition = number,
        .epoch = atomic_fetch_add(&epochs, 1) + 1,
        .committed_offset = is_first ? -1 : committed->offset,
        .begun = is_first ? 0 : sq_offset_note_begun((struct sq_str){committed->metadata, committed->metadata_size}),
        .start_offset = !is_first ? committed->offset : from_end ? SQ_OFFSET_END : SQ_OFFSET_BEGINNING,
    };
    return source->partitions[source->partitions_count++] = &made->base;
}

static void drop(struct kafka_source *source, const char *topic, int32_t number, bool is_lost)
{
    struct sq_source_partition *partition = sq_source_kafka_find(source, topic, number);
    if (!partition) return; /* assigned, but never told to the handler */
    source->handler.gone(partition, is_lost, source->handler.ctx);
    for (size_t i = 0; i < source->partitions_count; i++)
        if (source->partitions[i] == partition) source->partitions[i] = source->partitions[--source->partitions_count];
    source->last_found = NULL;
    free((void *)(uintptr_t)partition->topic);
    free(partition);
}

static void forward_one(struct kafka_source *source, const char *topic, int32_t number, rd_kafka_queue_t *to)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(source->rk, topic, number);
    if (!queue) return;
    rd_kafka_queue_forward(queue, to);
    rd_kafka_queue_destroy(queue);
}

/* A parked partition's records stay in a queue of their own. */
static void forward(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts)
{
    for (int i = 0; i < parts->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &parts->elems[i];
        const struct sq_source_partition *partition = sq_source_kafka_find(source, part->topic, part->partition);
        forward_one(source, part->topic, part->partition, partition && partition->is_parked ? NULL : source->work_queue);
    }
}

static int64_t librdkafka_offset(int64_t start_offset)
{
    return start_offset == SQ_OFFSET_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : start_offset == SQ_OFFSET_END ? RD_KAFKA_OFFSET_END : start_offset;
}

void sq_source_kafka_seek(struct kafka_source *source, const struct sq_source_partition *partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(parts, partition->topic, partition->partition)->offset = offset;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(source->rk, parts, 0); /* 0: doesn't wait */
    if (error) rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(parts);
}

void sq_source_kafka_unpark(struct kafka_source *source, struct sq_source_partition *partition, int64_t start_offset)
{
    if (start_offset != partition->start_offset) sq_source_kafka_seek(source, partition, librdkafka_offset(start_offset));
    partition->start_offset = start_offset;
    partition->is_parked = false;
    forward_one(source, partition->topic, partition->partition, source->work_queue);
}

/* Eager assignors hand over everything at once, cooperative ones what changed. */
void sq_source_kafka_answer(struct kafka_source *source, bool is_assign, const rd_kafka_topic_partition_list_t *parts)
{
    struct sq_err err;
    if (strcmp(rd_kafka_rebalance_protocol(source->rk), "COOPERATIVE") == 0) {
        rd_kafka_error_t *error = is_assign ? rd_kafka_incremental_assign(source->rk, parts)
                                            : rd_kafka_incremental_unassign(source->rk, parts);
        if (!error) return;
        sq_err_set(&err, SQ_E_KAFKA_FATAL, "can't change the assignment: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    } else {
        rd_kafka_resp_err_t error = rd_kafka_assign(source->rk, is_assign ? parts : NULL);
        if (!error) return;
        sq_err_set(&err, SQ_E_KAFKA_FATAL, "can't change the assignment: %s", rd_kafka_err2str(error));
    }
    sq_source_kafka_fail(source, &err);
}

/* An eager assignment is one whole, so all partitions are in it. */
void sq_source_kafka_restart(struct kafka_source *source, const struct sq_source_partition *partition)
{
    bool is_cooperative = strcmp(rd_kafka_rebalance_protocol(source->rk), "COOPERATIVE") == 0;
    if (source->revoking || source->assigning || source->is_leaving) return;
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)source->partitions_count);
    for (size_t i = 0; i < source->partitions_count; i++) {
        const struct kafka_partition *other = (const struct kafka_partition *)source->partitions[i];
        if (is_cooperative && &other->base != partition) continue;
        rd_kafka_topic_partition_list_add(parts, other->base.topic, other->base.partition)->offset =
            librdkafka_offset(other->position >= 0 ? other->position : other->base.start_offset);
    }
    if (is_cooperative) sq_source_kafka_answer(source, false, parts);
    forward(source, parts);
    sq_source_kafka_answer(source, true, parts);
    forward(source, parts);
    rd_kafka_topic_partition_list_destroy(parts);
}

void sq_source_kafka_list_free(rd_kafka_topic_partition_list_t **list)
{
    if (*list) rd_kafka_topic_partition_list_destroy(*list);
    *list = NULL;
}

/* ---- assignment ---- */

/* Asks for the committed offsets of `assigning`; the answer comes as an event. */
void sq_source_kafka_lookup(struct kafka_source *source)
{
    char group[SQ_CONFIG_NAME_BYTES + 16];
    bool is_early = sq_clock_monotonic_ns() < source->offsets.ask_at_ns;
    source->lookup_at_ns = is_early ? source->offsets.ask_at_ns : 0;
    if (is_early) return;
    sq_kafka_group_name(group, sizeof group, source->config, source->stage);
    sq_kafka_offsets_ask(&source->offsets, group, source->assigning, source->main_queue);
}

static void lookup_later(struct kafka_source *source, rd_kafka_resp_err_t error, const char *reason)
{
    sq_kafka_error_note(source->stage, error, reason);
    source->lookup_at_ns = sq_clock_monotonic_ns() + LOOKUP_RETRY_MS * UINT64_C(1000000);
}

static void assign(struct kafka_source *source, const rd_kafka_topic_partition_list_t *committed)
{
    rd_kafka_topic_partition_list_t *parts = source->assigning;
    source->assigning = NULL;
    for (int i = 0; i < parts->cnt; i++) {
        rd_kafka_topic_partition_t *part = &parts->elems[i];
        const rd_kafka_topic_partition_t *known = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)(uintptr_t)committed, part->topic, part->partition);
        struct sq_source_partition *partition = add(source, part->topic, part->partition, known);
        if (!partition) {
            struct sq_err err;
            sq_err_set(&err, SQ_E_NOMEM, "no memory for a partition");
            sq_source_kafka_fail(source, &err);
            break;
        }
        source->handler.assigned(partition, source->handler.ctx);
        part->offset = librdkafka_offset(partition->start_offset);
    }
    forward(source, parts); /* before and after: else the first records leak into the main queue */
    sq_source_kafka_answer(source, true, parts);
    forward(source, parts);
    source->handler.assignment((unsigned)parts->cnt, source->handler.ctx);
    rd_kafka_topic_partition_list_destroy(parts);
}

static void on_assign(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts)
{
    sq_metric_add(SQ_M_REBALANCES, 0, 1);
    sq_source_kafka_list_free(&source->assigning);
    if (source->is_leaving || parts->cnt == 0) {
        sq_source_kafka_answer(source, true, parts);
        if (!source->is_leaving) source->handler.assignment(0, source->handler.ctx);
        return;
    }
    source->assigning = rd_kafka_topic_partition_list_copy(parts);
    sq_source_kafka_lookup(source);
}

void sq_source_kafka_offsets(struct kafka_source *source, rd_kafka_event_t *event)
{
    if (!source->assigning) return; /* revoked meanwhile */
    rd_kafka_resp_err_t error;
    const char *reason;
    const rd_kafka_topic_partition_list_t *committed = sq_kafka_offsets_answer(&source->offsets, event, &error, &reason);
    if (!committed) {
        lookup_later(source, error, reason);
        return;
    }
    for (int i = 0; i < source->assigning->cnt; i++)
        if (!rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)committed, source->assigning->elems[i].topic,
                                                source->assigning->elems[i].partition)) {
            lookup_later(source, RD_KAFKA_RESP_ERR__PARTIAL, "an answer without all partitions"); /* (an old one) */
            return;
        }
    assign(source, committed);
}

/* ---- revocation ---- */

static void on_revoke(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts)
{
    bool is_lost = rd_kafka_assignment_lost(source->rk);
    bool has_told = false;
    sq_source_kafka_membership(source); /* a cooperative group has moved on already, and would refuse a commit as who we were before */
    sq_metric_add(SQ_M_REBALANCES, is_lost ? 2 : 1, 1);
    sq_source_kafka_list_free(&source->assigning);
    sq_source_kafka_list_free(&source->revoking);
    sq_log(is_lost ? SQ_LOG_WARN : SQ_LOG_INFO, SQ_L(is_lost ? "partitions lost" : "partitions revoked"),
           SQ_LS("stage", stages[source->stage]), SQ_LI("count", parts->cnt));
    source->revoking = rd_kafka_topic_partition_list_copy(parts);
    if (is_lost) {
        for (int i = 0; i < parts->cnt; i++) drop(source, parts->elems[i].topic, parts->elems[i].partition, true);
    } else {
        for (int i = 0; i < parts->cnt; i++) {
            struct sq_source_partition *partition = sq_source_kafka_find(source, parts->elems[i].topic, parts->elems[i].partition);
            if (partition) has_told = partition->is_revoking = true;
        }
    }
    if (has_told) source->handler.revoking(source->handler.ctx);
    else sq_source_kafka_release(source);
}

void sq_source_kafka_release(struct kafka_source *source)
{
    rd_kafka_topic_partition_list_t *parts = source->revoking;
    if (!parts) return;
    source->revoking = NULL;
    for (int i = 0; i < parts->cnt; i++) drop(source, parts->elems[i].topic, parts->elems[i].partition, false);
    sq_source_kafka_answer(source, false, parts);
    rd_kafka_topic_partition_list_destroy(parts);
}

void sq_source_kafka_rebalance(struct kafka_source *source, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *parts = rd_kafka_event_topic_partition_list(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) on_assign(source, parts);
    else if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) on_revoke(source, parts);
    else {
        sq_kafka_error_note(source->stage, rd_kafka_event_error(event), "rebalance");
        rd_kafka_assign(source->rk, NULL);
    }
}
