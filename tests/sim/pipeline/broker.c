/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's side, with the semantics that matter: last stable offset, markers, producer epochs, pending offsets, group generations, and what a
 * coordinator accepts though it should not (a commit without a generation; partitions of others). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"

enum { TXN_TIMEOUT_MS = 8000, SESSION_MS = 4000, REBALANCE_TIMEOUT_MS = 20000 };

int sim_partitions(int topic)
{
    return topic == SIM_TOPIC_INPUT ? SIM_INPUT_PARTITIONS : topic == SQ_TOPIC_DLQ ? 1 : SIM_SCORES_PARTITIONS;
}

static int group_partitions(const struct sim_group *group)
{
    return group == &sim->broker.groups[SQ_STAGE_SCORE] ? SIM_INPUT_PARTITIONS : SIM_SCORES_PARTITIONS;
}

void sim_broker_init(struct sim_broker *broker)
{
    *broker = (struct sim_broker){0};
    for (int group = 0; group < SIM_GROUPS; group++)
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++) broker->groups[group].committed[i].offset = -1;
}

void sim_broker_deinit(struct sim_broker *broker)
{
    for (int topic = 0; topic < SIM_TOPICS; topic++)
        for (int i = 0; i < SIM_PARTITIONS_MAX; i++) {
            struct sim_log *log = &broker->logs[topic][i];
            for (int64_t j = 0; j < log->count; j++) {
                free((void *)(uintptr_t)log->records[j].key.data);
                free((void *)(uintptr_t)log->records[j].value.data);
            }
            free(log->records);
        }
    free(broker->txns);
}

/* ---- logs ---- */

static struct sq_str copy(struct sq_str str)
{
    if (!str.data) return str;
    char *memory = malloc(str.bytes + 1);
    if (!memory) abort();
    memcpy(memory, str.data, str.bytes);
    memory[str.bytes] = '\0';
    return (struct sq_str){memory, str.bytes};
}

struct sim_record *sim_append(struct sim_broker *broker, int topic, int32_t partition, int txn, struct sq_str key, struct sq_str value)
{
    struct sim_log *log = &broker->logs[topic][partition];
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->records = realloc(log->records, (size_t)log->capacity * sizeof *log->records);
        if (!log->records) abort();
    }
    struct sim_record *record = &log->records[log->count];
    *record = (struct sim_record){.offset = log->count, .txn = txn, .key = copy(key), .value = copy(value),
                                  .timestamp_ms = (int64_t)(sim->now_ns / SIM_MS), .source_partition = -1};
    log->count++;
    if (txn >= 0) broker->txns[txn].touches[topic][partition] = true;
    return record;
}

int64_t sim_lso(struct sim_broker *broker, int topic, int32_t partition)
{
    struct sim_log *log = &broker->logs[topic][partition];
    while (log->stable < log->count && (log->records[log->stable].txn < 0 || broker->txns[log->records[log->stable].txn].state != SIM_TXN_OPEN))
        log->stable++;
    return log->stable;
}

bool sim_is_committed(const struct sim_broker *broker, const struct sim_record *record)
{
    return !record->is_marker && (record->txn < 0 || broker->txns[record->txn].state == SIM_TXN_COMMITTED);
}

bool sim_has_pending_offset(const struct sim_broker *broker, int group, int32_t partition)
{
    for (int i = 0; i < broker->txns_count; i++) {
        const struct sim_txn *txn = &broker->txns[i];
        if (txn->state != SIM_TXN_OPEN) continue;
        for (unsigned j = 0; j < txn->offsets_count; j++)
            if (txn->offsets[j].group == group && txn->offsets[j].partition == partition) return true;
    }
    return false;
}

/* ---- transactions ---- */

static void decide(struct sim_broker *broker, int index, enum sim_txn_state state)
{
    struct sim_txn *txn = &broker->txns[index];
    txn->state = state;
    if (sim->mutation == SIM_NO_ROLLBACK && state == SIM_TXN_ABORTED) state = txn->state = SIM_TXN_COMMITTED, txn->offsets_count = 0;
    for (int topic = 0; topic < SIM_TOPICS; topic++)
        for (int32_t i = 0; i < sim_partitions(topic); i++)
            if (txn->touches[topic][i]) sim_append(broker, topic, i, index, (struct sq_str){0}, (struct sq_str){0})->is_marker = true;
    for (unsigned i = 0; state == SIM_TXN_COMMITTED && i < txn->offsets_count; i++) {
        const struct sim_offset *offset = &txn->offsets[i];
        broker->groups[offset->group].committed[offset->partition].offset = offset->offset;
        broker->groups[offset->group].committed[offset->partition].begun = offset->begun;
        memcpy(broker->groups[offset->group].committed[offset->partition].tag, offset->tag, sizeof offset->tag);
    }
}

int sim_init_producer(struct sim_broker *broker, int producer)
{
    for (int i = 0; i < broker->txns_count; i++)
        if (broker->txns[i].producer == producer && broker->txns[i].state == SIM_TXN_OPEN) decide(broker, i, SIM_TXN_ABORTED);
    return ++broker->epochs[producer];
}

int sim_begin(struct sim_broker *broker, int producer, int epoch)
{
    if (broker->epochs[producer] != epoch) return -1;
    if (broker->txns_count == broker->txns_capacity) {
        broker->txns_capacity = broker->txns_capacity ? broker->txns_capacity * 2 : 64;
        broker->txns = realloc(broker->txns, (size_t)broker->txns_capacity * sizeof *broker->txns);
        if (!broker->txns) abort();
    }
    broker->txns[broker->txns_count] = (struct sim_txn){.producer = producer, .epoch = epoch, .started_ns = sim->now_ns};
    return broker->txns_count++;
}

bool sim_is_current(const struct sim_broker *broker, int txn)
{
    return broker->txns[txn].state == SIM_TXN_OPEN && broker->epochs[broker->txns[txn].producer] == broker->txns[txn].epoch;
}

void sim_end(struct sim_broker *broker, int txn, enum sim_txn_state state)
{
    if (sim_is_current(broker, txn)) decide(broker, txn, state);
}

/* ---- groups ---- */

bool sim_is_member(const struct sim_broker *broker, int group, const struct sq_membership *membership)
{
    const struct sim_group *of = &broker->groups[group];
    if (membership->generation == -1 && !membership->member[0]) return true; /* as a simple consumer, whatever the group does */
    for (int i = 0; i < SIM_WORKERS; i++)
        if (strcmp(of->members[i].name, membership->member) == 0) return of->generation == membership->generation;
    return false;
}

static int members_count(const struct sim_group *group)
{
    int count = 0;
    for (int i = 0; i < SIM_WORKERS; i++) count += group->members[i].name[0] != '\0';
    return count;
}

static void rebalance(struct sim_group *group)
{
    int count = members_count(group), partitions = group_partitions(group);
    group->is_rebalancing = true;
    group->rebalance_since_ns = sim->now_ns;
    int turn = count ? (int)test_random_below(&sim->random, (uint32_t)count) : 0;
    for (int i = 0; i < SIM_WORKERS; i++) {
        struct sim_member *member = &group->members[i];
        member->has_rejoined = false;
        memset(member->target, 0, sizeof member->target);
        if (!member->name[0]) continue;
        for (int j = 0; j < partitions; j++) member->target[j] = j % count == turn % count;
        turn++;
    }
}

void sim_join(struct sim_group *group, int worker, const char *name)
{
    struct sim_member *member = &group->members[worker];
    memset(member, 0, sizeof *member);
    snprintf(member->name, sizeof member->name, "%s", name);
    member->seen_ns = sim->now_ns;
    rebalance(group);
}

void sim_leave(struct sim_group *group, int worker)
{
    memset(&group->members[worker], 0, sizeof group->members[worker]);
    rebalance(group);
}

static void tick_group(struct sim_group *group)
{
    bool is_complete = group->is_rebalancing;
    for (int i = 0; i < SIM_WORKERS; i++) {
        struct sim_member *member = &group->members[i];
        if (!member->name[0]) continue;
        bool is_late = group->is_rebalancing && !member->has_rejoined && sim->now_ns - group->rebalance_since_ns > REBALANCE_TIMEOUT_MS * SIM_MS;
        if (sim->now_ns - member->seen_ns > SESSION_MS * SIM_MS || is_late) {
            sim_leave(group, i);
            return;
        }
        is_complete &= member->has_rejoined;
    }
    if (!is_complete) return;
    group->is_rebalancing = false;
    group->generation++;
    for (int i = 0; i < SIM_WORKERS; i++) memcpy(group->members[i].owns, group->members[i].target, sizeof group->members[i].owns);
}

void sim_broker_tick(struct sim_broker *broker)
{
    for (int i = 0; i < broker->txns_count; i++) {
        struct sim_txn *txn = &broker->txns[i];
        if (txn->state != SIM_TXN_OPEN || sim->now_ns - txn->started_ns < TXN_TIMEOUT_MS * SIM_MS) continue;
        if (broker->epochs[txn->producer] == txn->epoch) broker->epochs[txn->producer]++;
        decide(broker, i, SIM_TXN_ABORTED);
    }
    for (int group = 0; group < SIM_GROUPS; group++) tick_group(&broker->groups[group]);
}
