/* SPDX-License-Identifier: Apache-2.0 */
/* A deterministic world for the real pipeline: its time, its loop, its threads and its broker are simulated, all in one thread, and one seed
 * decides what happens when. What is real is everything between: both stages, ledger, outbox, the transactional sink, the detector, restore.
 *
 * The seams are link-time: this folder defines sq_clock_*, sq_timer_*, sq_wake_*, sq_committer_* and sq_pool_*, so that the linker never takes
 * the real ones. A committer is a coroutine; each request to the broker is two await points, before and after it takes effect, and at each of
 * them anything else may come first: other workers, a rebalance, a crash.
 *
 * A crash throws a worker away without a word to the broker. A freeze stops all of it for a while, as SIGSTOP does. */
#ifndef SQ_SIM_H
#define SQ_SIM_H

#include <stdio.h>

#include "engine/engine.h"
#include "tests/lib/random.h"
#include "worker/core/detector.h"
#include "worker/io/config.h"
#include "worker/io/loop.h"
#include "worker/io/state_reader.h"
#include "worker/io/txn_client.h"
#include "worker/pipeline/pipeline.h"
#include "worker/pipeline/receipt.h"

enum {
    SIM_WORKERS = 3,
    SIM_INPUT_PARTITIONS = 3,
    SIM_SCORES_PARTITIONS = 2,
    SIM_PARTITIONS_MAX = 3,
    SIM_GROUPS = 2, /* by enum sq_stage_name */
    SIM_TOPICS = SQ_TOPIC_COUNT + 1,
    SIM_TOPIC_INPUT = SQ_TOPIC_COUNT,
};
#define SIM_MS UINT64_C(1000000)

/* Broken promises, to see whether the checks notice. Each is a fault of a seam that the pipeline relies on, or of the pipeline itself as it
 * shows at the seam. */
enum sim_mutation {
    SIM_SOUND,
    SIM_COMMIT_BEFORE_PRODUCE, /* offsets take effect on their own, before the outputs are out */
    SIM_READ_UNCOMMITTED,      /* the alert stage sees scores of open and aborted transactions */
    SIM_UNSTABLE_OFFSETS,      /* an assignment starts at an offset that an open transaction is about to move */
    SIM_NO_GENERATION,         /* offsets go with generation -1, which no group refuses */
    SIM_NO_EPOCHS,             /* partitions that are lost are not told, so results of before the loss count as owned */
    SIM_NO_ROLLBACK,           /* an abort leaves what it should take back: the outputs stay in the log */
    SIM_DOUBT_IS_SUCCESS,      /* a commit that timed out is taken for done */
    SIM_DOUBT_IS_FAILURE,      /* ... or for not done */
    SIM_RESTORE_TO_LSO,        /* a restore reads to the last stable offset instead of the log's end */
    SIM_FORGET_BEGUN,          /* nobody writes down that workers began at an offset and died */
    SIM_ANSWER_EARLY,          /* people are told "saved" before it is */
    SIM_MUTATIONS
};
extern const char *const sim_mutation_names[SIM_MUTATIONS];

/* ---- the broker (broker.c) ---- */

enum sim_txn_state { SIM_TXN_OPEN, SIM_TXN_COMMITTED, SIM_TXN_ABORTED };

struct sim_record {
    int64_t offset;
    int txn;        /* index; -1: not transactional */
    bool is_marker;
    struct sq_str key, value; /* owned */
    int64_t timestamp_ms;
    int32_t source_partition; /* of a dead letter; else -1 */
    int64_t source_offset;
    char reason[16];          /* of a dead letter */
};

struct sim_log {
    struct sim_record *records; /* owned */
    int64_t count, capacity;
    int64_t stable; /* everything before it is decided */
};

struct sim_offset {
    int group;
    int32_t partition;
    int64_t offset;
    char tag[SQ_TXN_TAG_BYTES];
    unsigned begun;
};

struct sim_txn {
    int producer; /* transactional id */
    int epoch;
    enum sim_txn_state state;
    uint64_t started_ns;
    bool touches[SIM_TOPICS][SIM_PARTITIONS_MAX];
    struct sim_offset offsets[SIM_PARTITIONS_MAX];
    unsigned offsets_count;
};

struct sim_member {
    char name[32];      /* "": no member */
    bool has_rejoined;  /* gave up what it must, in the rebalance under way */
    uint64_t seen_ns;
    bool owns[SIM_PARTITIONS_MAX]; /* as the coordinator assigned */
    bool target[SIM_PARTITIONS_MAX];
};

struct sim_group {
    struct sim_member members[SIM_WORKERS];
    int32_t generation;
    bool is_rebalancing;
    bool is_cooperative;
    uint64_t rebalance_since_ns;
    struct { int64_t offset; char tag[SQ_TXN_TAG_BYTES]; unsigned begun; } committed[SIM_PARTITIONS_MAX]; /* offset -1: none */
};

struct sim_broker {
    struct sim_log logs[SIM_TOPICS][SIM_PARTITIONS_MAX];
    struct sim_txn *txns; /* owned */
    int txns_count, txns_capacity;
    int epochs[SIM_WORKERS * SIM_GROUPS + 1]; /* of each transactional id; the last is a stranger's */
    struct sim_group groups[SIM_GROUPS];
};

void sim_broker_init(struct sim_broker *broker);
void sim_broker_deinit(struct sim_broker *broker);
void sim_broker_tick(struct sim_broker *broker); /* time-outs of transactions and sessions, rebalances that complete */
int sim_partitions(int topic);
struct sim_record *sim_append(struct sim_broker *broker, int topic, int32_t partition, int txn, struct sq_str key, struct sq_str value);
int64_t sim_lso(struct sim_broker *broker, int topic, int32_t partition);
bool sim_is_committed(const struct sim_broker *broker, const struct sim_record *record);
bool sim_has_pending_offset(const struct sim_broker *broker, int group, int32_t partition);

int sim_init_producer(struct sim_broker *broker, int producer); /* the epoch */
int sim_begin(struct sim_broker *broker, int producer, int epoch); /* the transaction's index; -1: fenced */
bool sim_is_current(const struct sim_broker *broker, int txn);  /* open, and not of a fenced producer */
void sim_end(struct sim_broker *broker, int txn, enum sim_txn_state state); /* no effect on one that isn't current */
bool sim_is_member(const struct sim_broker *broker, int group, const struct sq_membership *membership); /* as a group coordinator judges it */

void sim_join(struct sim_group *group, int worker, const char *name);
void sim_leave(struct sim_group *group, int worker);

/* ---- workers (worker.c) ---- */

struct sim_worker {
    int index;
    unsigned incarnation;
    bool is_alive, is_stopping, has_stopped;
    uint64_t frozen_until_ns;
    struct sq_loop *loop;
    struct sq_pipeline *pipeline;
    struct sq_source *sources[SIM_GROUPS];
    struct sq_sink *sinks[SIM_GROUPS];
    struct sq_state_reader *state_reader;
};

void sim_worker_start(struct sim_worker *worker);
void sim_worker_crash(struct sim_worker *worker);
void sim_worker_stop(struct sim_worker *worker); /* as SIGTERM does; the rest follows */
void sim_worker_reap(struct sim_worker *worker); /* takes one apart that has stopped */

/* The adapters (source.c, txn.c, reader.c). */
struct sq_source *sim_source_open(struct sim_worker *worker, enum sq_stage_name stage);
struct sq_sink *sim_sink_open(struct sim_worker *worker, enum sq_stage_name stage);
struct sq_state_reader *sim_state_reader_open(struct sim_worker *worker);

/* ---- people (people.c) ---- */

enum { SIM_SAYINGS = 12 };

/* A silence, and what the one who asked for it or for its end was told of it last. */
struct sim_saying {
    struct sq_receipt receipt; /* first */
    uint64_t id;
    int32_t partition;
    bool is_ending;
    enum { SIM_SAYING_UNKNOWN, SIM_SAYING_HOLDS, SIM_SAYING_ENDED } known;
};

void sim_say_something(void); /* somebody, to some worker */
void sim_check_people(int32_t partition, struct sq_detector_options *options);

/* ---- the world (world.c) ---- */

struct sim_faults {
    double crash;     /* at an await point */
    double doubt;     /* a commit's answer is lost, with or without its effect, now or later */
    double refuse;    /* a transaction's step fails and asks for an abort */
    double expire;    /* a commit dawdles past the transaction's time-out */
};

typedef void (*sim_event_fn)(void *ctx);

struct sim {
    uint64_t seed;
    struct test_random random;
    uint64_t now_ns;
    struct sim_event *events; /* owned: a heap by time */
    size_t events_count, events_capacity;
    uint64_t events_seq;
    struct sim_broker broker;
    struct sim_worker workers[SIM_WORKERS];
    struct sim_faults faults;
    enum sim_mutation mutation;
    const struct sq_config *config;
    const struct sq_engine *engine;
    int crash_worker;         /* to be crashed as soon as the scheduler has control; -1: none */
    double share;             /* of the records that workers score; they skip the others */
    bool has_killers;         /* some records kill the worker that encodes them, and nothing else does */
    struct sim_saying sayings[SIM_SAYINGS];
    unsigned crashes, freezes, doubts, sayings_saved;
    char violation[512];      /* "": none yet */
};
extern struct sim *sim;

void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2))); /* notes the first violation */
bool sim_chance(double probability);
uint64_t sim_between_ms(double low, double high); /* in ns */

/* Calls fn at now + delay; never, once the worker it belongs to has crashed; later, while that is frozen. worker NULL: the broker's. */
void sim_after(uint64_t delay_ns, struct sim_worker *worker, sim_event_fn fn, void *ctx);

/* In a committer's coroutine: others come first. False: the worker is being taken down, nothing may reach the broker any more. */
bool sim_await(struct sim_worker *worker, uint64_t delay_ns);

/* A world without faults, in which nothing happens by itself. */
void sim_open(uint64_t seed, enum sim_mutation mutation);
void sim_step_until(uint64_t at_ns);
void sim_close(void);

/* One seed from beginning to end. False: sim_violation says what was broken. */
struct sim_result {
    char violation[512];
    unsigned crashes, freezes, doubts, alerts, aborted, sayings_saved;
    unsigned killers;   /* records that were found out */
    unsigned suspected; /* records taken for such in a world without them: so many workers died over them by chance */
};
bool sim_run(uint64_t seed, enum sim_mutation mutation, struct sim_result *result);

/* The same for a story told step by step (script.c), whose history goes to stdout. */
bool sim_run_script(FILE *script, struct sim_result *result);
void sim_play_script(void *script);

void sim_step(void);        /* lets the next event happen */
bool sim_is_all_read(void); /* and committed, by both stages */
void sim_leave_transaction_open(int topic, int32_t partition); /* a stranger's, who writes into one of our topics and dies */

/* check.c: at the end, when everything must be out. */
void sim_check(struct sim_result *result);
int sim_label_of(struct sq_str text); /* 0 to 2, by the text */
bool sim_is_killer(struct sq_str text);
bool sim_hangs(struct sq_str text); /* whoever encodes it never comes back; only in health.c */

/* health.c: what the watchdog sees, and what it does about it. True: all as it should be. */
bool sim_health(void);

#endif
