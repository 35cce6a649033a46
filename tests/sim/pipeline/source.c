/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's consumer: joins its group, heartbeats, answers rebalances in two steps as the real one does, and delivers what is committed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"

enum { POLL_MS = 40, RECORDS_PER_POLL = 8, LOOKUP_RETRY_POLLS = 4 };

struct source {
    struct sq_source base; /* first */
    struct sim_worker *worker;
    enum sq_stage_name stage;
    struct sq_source_handler handler;
    bool is_started, is_leaving, is_closed;
    unsigned joins;
    char member[32];
    int32_t generation;   /* as of the last poll */
    struct sq_source_partition partitions[SIM_PARTITIONS_MAX];
    bool is_owned[SIM_PARTITIONS_MAX];
    int64_t positions[SIM_PARTITIONS_MAX];
    int64_t told_end[SIM_PARTITIONS_MAX];
    bool is_revoking, is_assigning;
    unsigned lookup_wait;
};

static uint64_t epochs;

static struct source *source_of(struct sq_source *base) { return (struct source *)base; }
static struct sim_group *group_of(const struct source *source) { return &sim->broker.groups[source->stage]; }
static struct sim_member *member_of(const struct source *source) { return &group_of(source)->members[source->worker->index]; }
static int topic_of(const struct source *source) { return source->stage == SQ_STAGE_SCORE ? SIM_TOPIC_INPUT : SQ_TOPIC_SCORES; }
static int partitions_of(const struct source *source) { return sim_partitions(topic_of(source)); }

static void join(struct source *source)
{
    snprintf(source->member, sizeof source->member, "w%d.%u.%u", source->worker->index, source->worker->incarnation, ++source->joins);
    sim_join(group_of(source), source->worker->index, source->member);
}

static void give(struct source *source, bool only_revoking, bool is_lost)
{
    for (int32_t i = 0; i < partitions_of(source); i++) {
        if (!source->is_owned[i] || (only_revoking && !source->partitions[i].is_revoking)) continue;
        source->is_owned[i] = false;
        if (sim->mutation == SIM_NO_EPOCHS && is_lost && source->partitions[i].user) continue;
        source->handler.gone(&source->partitions[i], is_lost, source->handler.ctx);
    }
}

/* ---- rebalances ---- */

static void on_kicked(struct source *source)
{
    source->is_revoking = source->is_assigning = false;
    source->generation = -1;
    source->member[0] = '\0';
    give(source, false, true);
    if (!source->is_leaving) join(source);
}

static void begin_revoke(struct source *source)
{
    bool has_any = false;
    for (int32_t i = 0; i < partitions_of(source); i++) {
        bool goes = source->is_owned[i] && (!group_of(source)->is_cooperative || !member_of(source)->target[i]);
        if (goes) has_any = source->partitions[i].is_revoking = true;
    }
    source->is_assigning = false;
    source->is_revoking = true;
    if (has_any) source->handler.revoking(source->handler.ctx);
    else source->base.ops->release(&source->base);
}

static bool offsets_are_stable(const struct source *source)
{
    for (int32_t i = 0; i < partitions_of(source); i++)
        if (member_of(source)->owns[i] && !source->is_owned[i] && sim_has_pending_offset(&sim->broker, (int)source->stage, i))
            return sim->mutation == SIM_UNSTABLE_OFFSETS;
    return true;
}

static void finish_assign(struct source *source)
{
    unsigned count = 0;
    source->is_assigning = false;
    for (int32_t i = 0; i < partitions_of(source); i++) {
        if (!member_of(source)->owns[i] || source->is_owned[i]) continue;
        int64_t committed = group_of(source)->committed[i].offset;
        source->partitions[i] = (struct sq_source_partition){
            .topic = source->stage == SQ_STAGE_SCORE ? "posts" : "t.scores", .partition = i, .epoch = ++epochs, .committed_offset = committed, .begun = group_of(source)->committed[i].begun,
            .start_offset = committed >= 0 ? committed : SQ_OFFSET_BEGINNING};
        source->is_owned[i] = true;
        source->told_end[i] = -1;
        source->handler.assigned(&source->partitions[i], source->handler.ctx);
        source->positions[i] = source->partitions[i].start_offset >= 0 ? source->partitions[i].start_offset : 0;
        count++;
    }
    source->handler.assignment(count, source->handler.ctx);
}

static void poll_group(struct source *source)
{
    struct sim_member *member = member_of(source);
    struct sim_group *group = group_of(source);
    if (strcmp(member->name, source->member) != 0 || !source->member[0]) {
        on_kicked(source);
        return;
    }
    member->seen_ns = sim->now_ns;
    if (group->is_rebalancing) {
        source->generation = group->generation; /* the answer to its JoinGroup told it, though the next rebalance began before this poll */
        if (!member->has_rejoined && !source->is_revoking) begin_revoke(source);
        return;
    }
    if (source->generation != group->generation) {
        source->generation = group->generation;
        source->is_assigning = true;
        source->lookup_wait = 0;
    }
    if (!source->is_assigning || source->lookup_wait-- > 0) return;
    source->lookup_wait = LOOKUP_RETRY_POLLS;
    if (offsets_are_stable(source)) finish_assign(source);
}

/* ---- records ---- */

static bool is_visible(const struct source *source, const struct sim_record *record)
{
    bool sees_all = sim->mutation == SIM_READ_UNCOMMITTED && source->stage == SQ_STAGE_ALERT;
    return sees_all ? !record->is_marker : sim_is_committed(&sim->broker, record);
}

static void deliver(struct source *source, int32_t i, const struct sim_record *record)
{
    static struct sq_delivery_record out; /* (large) */
    out.partition = &source->partitions[i];
    out.offset = record->offset;
    out.timestamp_ms = record->timestamp_ms;
    out.is_append_time = true;
    out.headers_count = 0;
    out.code = 0;
    out.record = (struct sq_record){.key = record->key, .value = record->value};
    source->handler.take(&out, source->handler.ctx);
}

static void poll_partition(struct source *source, int32_t i)
{
    struct sim_broker *broker = &sim->broker;
    int topic = topic_of(source);
    bool sees_all = sim->mutation == SIM_READ_UNCOMMITTED && source->stage == SQ_STAGE_ALERT;
    for (int n = 0; n < RECORDS_PER_POLL && source->is_owned[i]; n++) {
        const struct sq_source_partition *partition = &source->partitions[i];
        if (partition->is_revoking || partition->is_parked || source->is_leaving) return;
        int64_t end = sees_all ? broker->logs[topic][i].count : sim_lso(broker, topic, i);
        while (source->positions[i] < end && !is_visible(source, &broker->logs[topic][i].records[source->positions[i]])) source->positions[i]++;
        if (source->positions[i] >= end) {
            if (source->told_end[i] != end) source->handler.end(&source->partitions[i], end, source->handler.ctx);
            source->told_end[i] = end;
            return;
        }
        if (!source->handler.has_room(source->handler.ctx)) return;
        struct sim_record record = broker->logs[topic][i].records[source->positions[i]++];
        deliver(source, i, &record);
    }
}

static void on_poll(void *ctx)
{
    struct source *source = ctx;
    if (source->is_closed) return;
    sim_after(POLL_MS * SIM_MS, source->worker, on_poll, source);
    if (!source->is_started) return;
    if (source->is_leaving) {
        bool has_any = false;
        for (int32_t i = 0; i < partitions_of(source); i++) has_any |= source->is_owned[i];
        if (has_any) return;
        source->is_closed = true;
        if (strcmp(member_of(source)->name, source->member) == 0 && source->member[0]) sim_leave(group_of(source), source->worker->index);
        source->handler.closed(source->handler.ctx);
        return;
    }
    poll_group(source);
    for (int32_t i = 0; i < partitions_of(source); i++) poll_partition(source, i);
}

/* ---- operations ---- */

static int source_start(struct sq_source *base, const struct sq_source_handler *handler, struct sq_err *err)
{
    (void)err;
    struct source *source = source_of(base);
    source->handler = *handler;
    source->is_started = true;
    join(source);
    return 0;
}

static void source_pull(struct sq_source *base) { (void)base; }

static void source_release(struct sq_source *base)
{
    struct source *source = source_of(base);
    if (!source->is_revoking && !source->is_leaving) return;
    source->is_revoking = false;
    give(source, true, false);
    if (!source->member[0] || strcmp(member_of(source)->name, source->member) != 0) return; /* kicked out meanwhile */
    bool has_all_given = true; /* the group may have wanted more by now: the next poll sees to that */
    for (int32_t i = 0; i < partitions_of(source); i++) has_all_given &= !source->is_owned[i] || member_of(source)->target[i];
    member_of(source)->has_rejoined = has_all_given;
}

static void source_unpark(struct sq_source *base, struct sq_source_partition *partition, int64_t start_offset)
{
    partition->is_parked = false;
    partition->start_offset = start_offset;
    source_of(base)->positions[partition->partition] = start_offset >= 0 ? start_offset : 0;
}

static void source_leave(struct sq_source *base)
{
    struct source *source = source_of(base);
    source->is_leaving = true;
    for (int32_t i = 0; i < partitions_of(source); i++) source->partitions[i].is_revoking = source->is_owned[i];
    source->handler.revoking(source->handler.ctx);
}

static bool source_watermarks(struct sq_source *base, const struct sq_source_partition *partition, int64_t *low, int64_t *high)
{
    *low = 0;
    *high = sim->broker.logs[topic_of(source_of(base))][partition->partition].count;
    return true;
}

static void source_membership(struct sq_source *base, struct sq_membership *membership)
{
    const struct source *source = source_of(base);
    *membership = (struct sq_membership){.generation = source->generation};
    snprintf(membership->member, sizeof membership->member, "%s", source->member);
}

static void source_close(struct sq_source *base) { free(base); }

struct sq_source *sim_source_open(struct sim_worker *worker, enum sq_stage_name stage)
{
    static const struct sq_source_ops ops = {source_start, source_pull,       source_release,    source_unpark,
                                             source_leave, source_watermarks, source_membership, source_close};
    struct source *source = calloc(1, sizeof *source);
    if (!source) abort();
    *source = (struct source){.base = {&ops}, .worker = worker, .stage = stage, .generation = -1};
    sim_after(sim_between_ms(1, POLL_MS), worker, on_poll, source);
    return &source->base;
}
