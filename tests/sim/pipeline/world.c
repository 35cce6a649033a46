/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler, and a seed's story: posts come for a while, workers come and go, then everything calms down and must be out. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"

enum {
    START_MS = 1700000000,  /* (of a clock in seconds: it is wall time as well) */
    POSTS_MS = 12000,       /* for so long posts come */
    CHAOS_MS = 14000,       /* ... and things happen */
    DEADLINE_MS = 150000,   /* by then all must be out */
    BROKER_TICK_MS = 50,
    BAD_EVERY = 37,
    KILLER_EVERY = 90,
};

struct sim *sim;

const char *const sim_mutation_names[SIM_MUTATIONS] = {
    "sound",     "commit before produce", "read_uncommitted",  "unstable offsets",  "generation -1",
    "no epochs", "no rollback",           "doubt is success", "doubt is failure", "restore to the LSO",
    "forget who began", "answer early",
};

struct sim_event {
    uint64_t at_ns, seq;
    struct sim_worker *worker;
    unsigned incarnation;
    sim_event_fn fn;
    void *ctx;
};

void sim_fail(const char *format, ...)
{
    if (sim->violation[0]) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->violation, sizeof sim->violation, format, arguments);
    va_end(arguments);
}

bool sim_chance(double probability) { return probability > 0 && test_random_real(&sim->random) < probability; }
uint64_t sim_between_ms(double low, double high) { return (uint64_t)(test_random_between(&sim->random, low, high) * (double)SIM_MS); }

/* ---- events ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static void push(struct sim_event event)
{
    if (sim->events_count == sim->events_capacity) {
        sim->events_capacity = sim->events_capacity ? sim->events_capacity * 2 : 256;
        sim->events = realloc(sim->events, sim->events_capacity * sizeof *sim->events);
        if (!sim->events) abort();
    }
    size_t i = sim->events_count++;
    for (; i && is_before(&event, &sim->events[(i - 1) / 2]); i = (i - 1) / 2) sim->events[i] = sim->events[(i - 1) / 2];
    sim->events[i] = event;
}

static struct sim_event pop(void)
{
    struct sim_event first = sim->events[0], last = sim->events[--sim->events_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < sim->events_count; i = child) {
        if (child + 1 < sim->events_count && is_before(&sim->events[child + 1], &sim->events[child])) child++;
        if (!is_before(&sim->events[child], &last)) break;
        sim->events[i] = sim->events[child];
    }
    sim->events[i] = last;
    return first;
}

void sim_after(uint64_t delay_ns, struct sim_worker *worker, sim_event_fn fn, void *ctx)
{
    push((struct sim_event){sim->now_ns + delay_ns, sim->events_seq++, worker, worker ? worker->incarnation : 0, fn, ctx});
}

void sim_step(void)
{
    struct sim_event event = pop();
    struct sim_worker *worker = event.worker;
    if (worker && (!worker->is_alive || worker->incarnation != event.incarnation)) return;
    if (worker && worker->frozen_until_ns > event.at_ns) {
        event.at_ns = worker->frozen_until_ns;
        push(event); /* with its old seq: the order stays */
        return;
    }
    if (event.at_ns > sim->now_ns) sim->now_ns = event.at_ns;
    event.fn(event.ctx);
    if (sim->crash_worker >= 0) sim_worker_crash(&sim->workers[sim->crash_worker]);
    sim->crash_worker = -1;
    for (int i = 0; i < SIM_WORKERS; i++)
        if (sim->workers[i].is_alive && sim->workers[i].has_stopped) sim_worker_reap(&sim->workers[i]);
}

/* ---- what happens ---- */

static uint64_t since_start_ms(void) { return sim->now_ns / SIM_MS - (uint64_t)START_MS * 1000; }

int sim_label_of(struct sq_str text)
{
    static const char *const words[] = {"negative", "positive", "neutral"};
    const struct sq_model_info *info = sq_engine_info(sim->engine);
    const char *word = text.bytes && text.data[0] == 'b' ? words[0] : text.data[0] == 'g' ? words[1] : words[2];
    for (unsigned i = 0; i < info->labels_count; i++)
        if (strcmp(info->labels[i], word) == 0) return (int)i;
    abort();
}

bool sim_is_killer(struct sq_str text) { return sim->has_killers && text.bytes && text.data[0] == 'k'; }

bool sim_hangs(struct sq_str text) { return text.bytes && text.data[0] == 'h'; }

/* A minute of event time a post, so that hours pass; now and then a run of complaints about one entity. */
static void on_post(void *ctx)
{
    static unsigned burst_entity, burst_left;
    unsigned *count = ctx;
    char value[160];
    if (*count == 0) burst_left = 0;
    for (unsigned n = test_random_below(&sim->random, 8); n > 0; n--) {
        if (!burst_left && sim_chance(0.02)) {
            burst_left = 25;
            burst_entity = test_random_below(&sim->random, 3);
        }
        unsigned entity = burst_left ? burst_entity : test_random_below(&sim->random, 3);
        bool is_bad = burst_left ? sim_chance(0.9) : sim_chance(0.08);
        if (burst_left) burst_left--;
        unsigned i = (*count)++;
        const char *word = sim->has_killers && i % KILLER_EVERY == KILLER_EVERY / 2 ? "kill" : is_bad ? "bad" : "good";
        int bytes = snprintf(value, sizeof value, "{\"text\":\"%s %u\",\"entity\":\"e%u\",\"ts\":%llu}", word, i, entity,
                             (unsigned long long)START_MS * 1000 + i * 60000ull);
        if (i % BAD_EVERY == BAD_EVERY - 1) bytes -= 9;
        sim_append(&sim->broker, SIM_TOPIC_INPUT, (int32_t)test_random_below(&sim->random, SIM_INPUT_PARTITIONS), -1, (struct sq_str){0},
                   (struct sq_str){value, (size_t)bytes});
    }
    if (since_start_ms() < POSTS_MS) sim_after(sim_between_ms(50, 300), NULL, on_post, ctx);
}

static void on_start(void *ctx)
{
    struct sim_worker *worker = ctx;
    if (!worker->is_alive) sim_worker_start(worker);
}

void sim_leave_transaction_open(int topic, int32_t partition)
{
    enum { STRANGER = SIM_WORKERS * SIM_GROUPS };
    int txn = sim_begin(&sim->broker, STRANGER, sim_init_producer(&sim->broker, STRANGER));
    sim_append(&sim->broker, topic, partition, txn, SQ_STR("?"), SQ_STR("?"));
}

static void strange(void)
{
    static const int topics[] = {SQ_TOPIC_STATE, SQ_TOPIC_STATE, SQ_TOPIC_SCORES};
    int32_t partition = (int32_t)test_random_below(&sim->random, SIM_SCORES_PARTITIONS);
    sim_leave_transaction_open(topics[test_random_below(&sim->random, 3)], partition);
}

static void on_chaos(void *ctx)
{
    (void)ctx;
    struct sim_worker *worker = &sim->workers[test_random_below(&sim->random, SIM_WORKERS)];
    unsigned what = test_random_below(&sim->random, 6);
    if (sim->has_killers && what < 3) what = 5; /* nobody dies of anything else, or seems to */
    switch (what) {
    case 0: sim_worker_crash(worker); break;
    case 1:
    case 2:
        if (!worker->is_alive) break;
        worker->frozen_until_ns = sim->now_ns + sim_between_ms(200, 9000);
        sim->freezes++;
        break;
    case 3: sim_worker_stop(worker); break;
    case 4: strange(); break;
    default: break;
    }
    if (since_start_ms() < CHAOS_MS) sim_after(sim_between_ms(200, 2500), NULL, on_chaos, NULL);
}

static void on_person(void *ctx)
{
    (void)ctx;
    sim_say_something();
    if (since_start_ms() < CHAOS_MS) sim_after(sim_between_ms(100, 1000), NULL, on_person, NULL);
}

/* Supervisors start again what has ended. */
static void on_broker(void *ctx)
{
    (void)ctx;
    sim_broker_tick(&sim->broker);
    for (int i = 0; i < SIM_WORKERS; i++)
        if (!sim->workers[i].is_alive && sim_chance(0.05)) on_start(&sim->workers[i]);
    if (since_start_ms() >= CHAOS_MS) sim->faults = (struct sim_faults){0};
    sim_after(BROKER_TICK_MS * SIM_MS, NULL, on_broker, NULL);
}

static bool is_all_read(int group, int topic)
{
    for (int32_t i = 0; i < sim_partitions(topic); i++) {
        int64_t count = sim->broker.logs[topic][i].count, committed = sim->broker.groups[group].committed[i].offset;
        if (count && committed != count) return false;
        if (sim_lso(&sim->broker, topic, i) != count) return false;
    }
    return true;
}

bool sim_is_all_read(void) { return is_all_read(SQ_STAGE_SCORE, SIM_TOPIC_INPUT) && is_all_read(SQ_STAGE_ALERT, SQ_TOPIC_SCORES); }

static bool is_over(void) { return since_start_ms() > CHAOS_MS && sim_is_all_read(); }

static void draw_faults(void)
{
    static const double levels[] = {0, 0.002, 0.02};
    sim->has_killers = sim_chance(0.1);
    sim->share = !sim->has_killers && sim_chance(0.2) ? 0.5 : 1;
    sim->faults.crash = sim->has_killers ? 0 : levels[test_random_below(&sim->random, 3)];
    sim->faults.doubt = levels[test_random_below(&sim->random, 3)] * 5;
    sim->faults.refuse = levels[test_random_below(&sim->random, 3)] * 2;
    sim->faults.expire = levels[test_random_below(&sim->random, 3)];
    for (int group = 0; group < SIM_GROUPS; group++) sim->broker.groups[group].is_cooperative = sim_chance(0.5);
}

static void play(void *unused)
{
    unsigned posts = 0;
    (void)unused;
    draw_faults();
    for (int i = 0; i < SIM_WORKERS; i++) sim_after(sim_between_ms(0, 2000), NULL, on_start, &sim->workers[i]);
    sim_after(sim_between_ms(0, 500), NULL, on_post, &posts);
    sim_after(sim_between_ms(500, 3000), NULL, on_chaos, NULL);
    sim_after(sim_between_ms(500, 3000), NULL, on_person, NULL);
    sim_after(0, NULL, on_broker, NULL);
    while (!sim->violation[0] && !is_over()) {
        for (int i = 0; i < 200 && !sim->violation[0]; i++) sim_step();
        if (since_start_ms() > DEADLINE_MS) sim_fail("not all is out after %d s", DEADLINE_MS / 1000);
    }
}

void sim_open(uint64_t seed, enum sim_mutation mutation)
{
    sim->seed = seed;
    sim->random.state = seed;
    sim->now_ns = (uint64_t)START_MS * 1000 * SIM_MS;
    sim->mutation = mutation;
    sim->crash_worker = -1;
    sim->share = 1;
    for (int i = 0; i < SIM_WORKERS; i++) sim->workers[i].index = i;
    sim_broker_init(&sim->broker);
}

void sim_step_until(uint64_t at_ns)
{
    while (sim->events_count && sim->events[0].at_ns <= at_ns) sim_step();
    sim->now_ns = at_ns;
}

static void stop_all(void)
{
    for (int i = 0; i < SIM_WORKERS; i++)
        if (sim->workers[i].is_alive) sim_worker_crash(&sim->workers[i]);
}

void sim_close(void)
{
    stop_all();
    free(sim->events);
    sim_broker_deinit(&sim->broker);
    const struct sq_config *config = sim->config;
    const struct sq_engine *engine = sim->engine;
    memset(sim, 0, sizeof *sim);
    sim->config = config;
    sim->engine = engine;
}

static bool run(uint64_t seed, enum sim_mutation mutation, sim_event_fn tell, void *ctx, struct sim_result *result)
{
    sim_open(seed, mutation);
    tell(ctx);
    memset(result, 0, sizeof *result);
    if (!sim->violation[0]) sim_check(result);
    stop_all();
    for (int i = 0; i < sim->broker.txns_count; i++) result->aborted += sim->broker.txns[i].state == SIM_TXN_ABORTED;
    memcpy(result->violation, sim->violation, sizeof result->violation);
    result->crashes = sim->crashes;
    result->freezes = sim->freezes;
    result->doubts = sim->doubts;
    result->sayings_saved = sim->sayings_saved;
    sim_close();
    return !result->violation[0];
}

bool sim_run(uint64_t seed, enum sim_mutation mutation, struct sim_result *result) { return run(seed, mutation, play, NULL, result); }

bool sim_run_script(FILE *script, struct sim_result *result) { return run(1, SIM_SOUND, sim_play_script, script, result); }
