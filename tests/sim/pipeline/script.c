/* SPDX-License-Identifier: Apache-2.0 */
/* A story told step by step, the same for this world and for a real broker (tests/integration/test_histories.py): tests/sim/scripts says what
 * the steps are. At the end everything that a read_committed reader finds is printed, an object a line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"

enum { LINE_BYTES = 512, TICK_MS = 50, PATIENCE_MS = 120000, ARENA_BYTES = SQ_DECODE_SCRATCH_BYTES * 2, BURST = 25, BAD_EVERY = 37 };

static unsigned posts;

static struct sim_worker *worker_of(int number)
{
    if (number < 0 || number >= SIM_WORKERS) sim_fail("there is no worker %d", number);
    return &sim->workers[number < 0 || number >= SIM_WORKERS ? 0 : number];
}

/* ---- steps ---- */

static void step_start(int number, int unused)
{
    (void)unused;
    sim_worker_start(worker_of(number));
}

static void step_kill(int number, int unused)
{
    (void)unused;
    sim_worker_crash(worker_of(number));
}

static void step_stop(int number, int unused)
{
    (void)unused;
    struct sim_worker *worker = worker_of(number);
    uint64_t until_ns = sim->now_ns + PATIENCE_MS * SIM_MS;
    sim_worker_stop(worker);
    while (worker->is_alive && sim->now_ns < until_ns) sim_step();
    if (worker->is_alive) sim_fail("worker %d doesn't stop", number);
}

static void step_freeze(int number, int ms)
{
    worker_of(number)->frozen_until_ns = sim->now_ns + (uint64_t)ms * SIM_MS;
}

static void step_pause(int ms, int unused)
{
    (void)unused;
    uint64_t until_ns = sim->now_ns + (uint64_t)ms * SIM_MS;
    while (sim->now_ns < until_ns && !sim->violation[0]) sim_step();
}

/* The texts, entities and times are those of test_histories.py. */
static void step_post(int count, int unused)
{
    (void)unused;
    for (int n = 0; n < count; n++) {
        unsigned i = posts++;
        bool is_burst = i / BURST % 3 == 2;
        char value[160];
        int bytes = snprintf(value, sizeof value, "{\"text\":\"%s %u\",\"entity\":\"e%u\",\"ts\":%" PRIu64 "}",
                             is_burst || i % 12 == 0 ? "bad" : "good", i, is_burst ? i / BURST / 3 % 3 : i % 3,
                             UINT64_C(1700000000000) + i * UINT64_C(60000));
        if (i % BAD_EVERY == BAD_EVERY - 1) bytes -= 9;
        sim_append(&sim->broker, SIM_TOPIC_INPUT, 0, -1, (struct sq_str){0}, (struct sq_str){value, (size_t)bytes});
    }
}

static void step_stranger(int partition, int unused)
{
    (void)unused;
    sim_leave_transaction_open(SQ_TOPIC_STATE, partition);
}

static unsigned committed_count(int topic)
{
    unsigned count = 0;
    for (int32_t i = 0; i < sim_partitions(topic); i++)
        for (int64_t j = 0; j < sim->broker.logs[topic][i].count; j++)
            count += sim_is_committed(&sim->broker, &sim->broker.logs[topic][i].records[j]);
    return count;
}

static void step_wait(int unused, int unused_too)
{
    (void)unused;
    (void)unused_too;
    uint64_t until_ns = sim->now_ns + PATIENCE_MS * SIM_MS;
    while (!sim_is_all_read() && sim->now_ns < until_ns && !sim->violation[0]) sim_step();
    if (!sim_is_all_read()) sim_fail("not all is read after %d s", PATIENCE_MS / 1000);
    printf("{\"wait\":%u,\"scores\":%u,\"dlq\":%u,\"alerts\":%u}\n", posts, committed_count(SQ_TOPIC_SCORES), committed_count(SQ_TOPIC_DLQ),
           committed_count(SQ_TOPIC_ALERTS));
}

static const struct {
    const char *verb;
    void (*play)(int a, int b);
} steps[] = {
    {"start", step_start}, {"kill", step_kill}, {"stop", step_stop},         {"freeze", step_freeze},
    {"pause", step_pause}, {"post", step_post}, {"stranger", step_stranger}, {"wait", step_wait},
};

static void play_line(const char *line)
{
    char verb[16];
    int a = 0, b = 0;
    if (line[0] == '#' || sscanf(line, "%15s %d %d", verb, &a, &b) < 1) return;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(steps[i].verb, verb) != 0) continue;
        steps[i].play(a, b);
        return;
    }
    sim_fail("there is no step '%s'", verb);
}

/* ---- the history ---- */

static void print_record(int topic, int32_t partition, const struct sim_record *record, struct sq_arena *arena)
{
    struct sq_score score;
    struct sq_err err;
    arena->used_bytes = 0;
    if (topic == SQ_TOPIC_DLQ) {
        printf("{\"dlq\":%" PRId64 "}\n", record->source_offset);
    } else if (topic == SQ_TOPIC_ALERTS) {
        printf("{\"alerts\":%d,\"alert\":%.*s}\n", (int)partition, (int)record->value.bytes, record->value.data);
    } else if (sq_score_decode(record->value, arena, &score, &err)) {
        sim_fail("a score that is none: %s", err.message);
    } else {
        printf("{\"scores\":%d,\"offset\":%" PRId64 ",\"entity\":\"%.*s\",\"label\":\"%.*s\",\"ts\":%" PRId64 "}\n", (int)partition,
               score.source.offset, (int)score.entity.bytes, score.entity.data, (int)score.label.bytes, score.label.data, score.event_time_ms);
    }
}

static void print_history(void)
{
    static const int topics[] = {SQ_TOPIC_SCORES, SQ_TOPIC_DLQ, SQ_TOPIC_ALERTS};
    struct sq_arena arena;
    struct sq_err err;
    if (sq_arena_init(&arena, ARENA_BYTES, &err)) abort();
    for (size_t t = 0; t < sizeof topics / sizeof *topics; t++)
        for (int32_t i = 0; i < sim_partitions(topics[t]); i++)
            for (int64_t j = 0; j < sim->broker.logs[topics[t]][i].count; j++) {
                const struct sim_record *record = &sim->broker.logs[topics[t]][i].records[j];
                if (sim_is_committed(&sim->broker, record)) print_record(topics[t], i, record, &arena);
            }
    sq_arena_deinit(&arena);
}

static void on_tick(void *ctx)
{
    (void)ctx;
    sim_broker_tick(&sim->broker);
    sim_after(TICK_MS * SIM_MS, NULL, on_tick, NULL);
}

void sim_play_script(void *script)
{
    char line[LINE_BYTES];
    posts = 0;
    sim_after(0, NULL, on_tick, NULL);
    while (!sim->violation[0] && fgets(line, sizeof line, script)) play_line(line);
    if (!sim->violation[0]) print_history();
}
