/* SPDX-License-Identifier: Apache-2.0 */
/* A worker, at_least_once, against a broker that answers each kind of request it sends with errors, three in a row, and takes its time to
 * answer at all. The worker may end with a documented exit code, and is then started again; each record must come out all the same.
 *
 * Short: one or two errors a kind of request, and those of a start all in one start, as the mock takes three seconds to form a group.
 * SQUALL_SOAK in the environment (`ops/soak wire`): all of the table one by one, and long round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/clock.h"
#include "proto/codec.h"
#include "tests/lib/command.h"
#include "tests/lib/tiny_model.h"
#include "worker/io/kafka_plain.h"
#include "worker/io/mock_broker.h"

enum { PARTITIONS = 2, RECORDS = 40, RECORDS_MAX = 1 << 14, TIMES = 3, WAIT_S = 90, STARTS_MAX = 12 };
enum { SCORES, DLQ };

#define E(code) RD_KAFKA_RESP_ERR_##code

/* What the worker sends, as Kafka numbers it (https://kafka.apache.org/protocol#protocol_api_keys), and what a broker may say to it. */
static const struct request {
    int16_t key;
    const char *name;
    bool is_at_start; /* sent when a worker starts */
    int short_codes[4], further_codes[12];
} requests[] = {
    {0, "Produce", false, {E(NOT_LEADER_FOR_PARTITION), E(_TRANSPORT)},
     {E(NOT_ENOUGH_REPLICAS), E(NOT_ENOUGH_REPLICAS_AFTER_APPEND), E(REQUEST_TIMED_OUT), E(UNKNOWN_TOPIC_OR_PART), E(KAFKA_STORAGE_ERROR),
      E(INVALID_MSG), E(TOPIC_AUTHORIZATION_FAILED), E(MSG_SIZE_TOO_LARGE)}},
    {1, "Fetch", false, {E(NOT_LEADER_FOR_PARTITION), E(_TRANSPORT)},
     {E(KAFKA_STORAGE_ERROR), E(UNKNOWN_TOPIC_OR_PART), E(REPLICA_NOT_AVAILABLE), E(TOPIC_AUTHORIZATION_FAILED), E(OFFSET_OUT_OF_RANGE)}},
    {2, "ListOffsets", true, {E(NOT_LEADER_FOR_PARTITION)}, {E(_TRANSPORT), E(REQUEST_TIMED_OUT), E(TOPIC_AUTHORIZATION_FAILED)}},
    {3, "Metadata", true, {E(LEADER_NOT_AVAILABLE)}, {E(_TRANSPORT), E(REQUEST_TIMED_OUT)}},
    {8, "OffsetCommit", false, {E(COORDINATOR_LOAD_IN_PROGRESS), E(ILLEGAL_GENERATION)},
     {E(NOT_COORDINATOR), E(COORDINATOR_NOT_AVAILABLE), E(REBALANCE_IN_PROGRESS), E(UNKNOWN_MEMBER_ID), E(_TRANSPORT), E(REQUEST_TIMED_OUT),
      E(OFFSET_METADATA_TOO_LARGE), E(GROUP_AUTHORIZATION_FAILED)}},
    {9, "OffsetFetch", true, {E(COORDINATOR_LOAD_IN_PROGRESS)},
     {E(NOT_COORDINATOR), E(COORDINATOR_NOT_AVAILABLE), E(UNSTABLE_OFFSET_COMMIT), E(_TRANSPORT), E(GROUP_AUTHORIZATION_FAILED)}},
    {10, "FindCoordinator", true, {E(COORDINATOR_NOT_AVAILABLE)}, {E(_TRANSPORT), E(REQUEST_TIMED_OUT), E(GROUP_AUTHORIZATION_FAILED)}},
    {11, "JoinGroup", true, {E(COORDINATOR_LOAD_IN_PROGRESS)},
     {E(NOT_COORDINATOR), E(UNKNOWN_MEMBER_ID), E(_TRANSPORT), E(INCONSISTENT_GROUP_PROTOCOL), E(GROUP_AUTHORIZATION_FAILED)}},
    {12, "Heartbeat", false, {E(REBALANCE_IN_PROGRESS)}, {E(NOT_COORDINATOR), E(ILLEGAL_GENERATION), E(UNKNOWN_MEMBER_ID), E(_TRANSPORT)}},
    {13, "LeaveGroup", true, {E(COORDINATOR_NOT_AVAILABLE)}, {E(_TRANSPORT), E(UNKNOWN_MEMBER_ID)}},
    {14, "SyncGroup", true, {E(REBALANCE_IN_PROGRESS)}, {E(NOT_COORDINATOR), E(ILLEGAL_GENERATION), E(UNKNOWN_MEMBER_ID), E(_TRANSPORT)}},
    {22, "InitProducerId", true, {E(COORDINATOR_LOAD_IN_PROGRESS)}, {E(COORDINATOR_NOT_AVAILABLE), E(_TRANSPORT), E(CLUSTER_AUTHORIZATION_FAILED)}},
};

enum { REQUESTS = sizeof requests / sizeof *requests };

struct world {
    struct test_folder folder;
    struct sq_mock_broker *broker;
    struct sq_plain_producer *producer;
    struct sq_plain_reader *reader;
    struct sq_arena arena;
    pid_t worker;
    unsigned starts;
    unsigned sent, out[PARTITIONS][RECORDS_MAX]; /* how often each came out */
    unsigned sent_to[PARTITIONS];
};

static void start(struct world *world)
{
    char *config = test_path(&world->folder, "config"), *log = test_path(&world->folder, "log");
    world->starts++;
    world->worker = fork();
    assert_true(world->worker >= 0);
    if (world->worker == 0) {
        int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0) _exit(99);
        execl(SQUALL_BINARY, "squall", "run", "-c", config, (char *)NULL);
        _exit(99);
    }
    free(config);
    free(log);
}

/* Its end, if it has ended, must be one that is documented. */
static bool has_ended(struct world *world, int options, const char *when)
{
    int status;
    pid_t ended = waitpid(world->worker, &status, options);
    assert_true(ended >= 0);
    if (ended == 0) return false;
    world->worker = 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code != 0 && code != 1 && code != 69 && code != 78) fail_msg("%s: the worker ended with status %#x", when, (unsigned)status);
    return true;
}

static void stop(struct world *world, const char *when)
{
    kill(world->worker, SIGTERM);
    assert_true(has_ended(world, 0, when));
}

static void on_delivered(int32_t partition, int64_t offset, const char *reason, void *ctx)
{
    struct world *world = ctx;
    if (offset < 0) fail_msg("a record of the test was refused: %s", reason);
    assert_true(offset == world->sent_to[partition]++);
}

static void mark(struct world *world, int32_t partition, int64_t offset)
{
    assert_in_range(partition, 0, PARTITIONS - 1);
    assert_in_range(offset, 0, RECORDS_MAX - 1);
    world->out[partition][offset]++;
}

/* What a broker refuses for good is a dead letter, whose key is TOPIC/PARTITION/OFFSET. */
static void mark_letter(struct world *world, const struct sq_plain_record *letter)
{
    char key[64];
    int partition;
    long offset;
    snprintf(key, sizeof key, "%.*s", (int)letter->key.bytes, letter->key.data);
    assert_int_equal(sscanf(key, "posts/%d/%ld", &partition, &offset), 2);
    mark(world, partition, offset);
}

static void on_record(const struct sq_plain_record *record, void *ctx)
{
    struct world *world = ctx;
    struct sq_score score;
    struct sq_err err;
    if (record->topic == DLQ) {
        mark_letter(world, record);
        return;
    }
    sq_arena_rewind(&world->arena, 0);
    if (sq_score_decode(record->value, &world->arena, &score, &err)) fail_msg("%s", err.message);
    mark(world, score.source.partition, score.source.offset);
}

static void send_some(struct world *world)
{
    struct sq_err err;
    for (unsigned i = 0; i < RECORDS; i++, world->sent++) {
        char value[128];
        int bytes = snprintf(value, sizeof value, "{\"text\":\"the phone is bad %u\",\"entity\":\"e%u\",\"ts\":%u}", world->sent, i % 3, 1700000000 + world->sent);
        if (sq_plain_producer_send(world->producer, "posts", (int32_t)(i % PARTITIONS), (struct sq_str){0}, (struct sq_str){value, (size_t)bytes},
                                   1700000000000, &err))
            fail_msg("%s", err.message);
    }
    while (sq_plain_producer_poll(world->producer, 100)) {}
}

static unsigned missing(const struct world *world)
{
    unsigned count = 0;
    for (int32_t i = 0; i < PARTITIONS; i++)
        for (unsigned j = 0; j < world->sent_to[i]; j++) count += world->out[i][j] == 0;
    return count;
}

/* Until all records are out; a worker that has ended is started again, as a supervisor would. */
static void wait_for_all(struct world *world, const char *when)
{
    uint64_t end_ns = sq_clock_monotonic_ns() + WAIT_S * UINT64_C(1000000000);
    unsigned starts_before = world->starts;
    while (missing(world)) {
        sq_plain_reader_poll(world->reader, 50, 1000, on_record, world);
        if (has_ended(world, WNOHANG, when)) start(world);
        if (world->starts - starts_before > STARTS_MAX || sq_clock_monotonic_ns() > end_ns) {
            struct sq_buf log = test_content(&world->folder, "log");
            fail_msg("%s: %u records are missing after %u starts; the log ends:\n%s", when, missing(world), world->starts - starts_before,
                     log.data + (log.bytes > 3000 ? log.bytes - 3000 : 0));
        }
    }
}

/* The worker is away while the records are sent: errors are for it. The reader of the scores takes its share of those that it can meet. */
static void restart(struct world *world, const char *when)
{
    stop(world, when);
    send_some(world);
    start(world);
    wait_for_all(world, when);
}

static void suffer(struct world *world, const struct request *request, int code)
{
    char when[96];
    snprintf(when, sizeof when, "%s answered with %s", request->name, rd_kafka_err2name((rd_kafka_resp_err_t)code));
    if (request->is_at_start) {
        sq_mock_broker_refuse(world->broker, request->key, code, TIMES);
        restart(world, when);
    } else {
        kill(world->worker, SIGSTOP);
        send_some(world);
        sq_mock_broker_refuse(world->broker, request->key, code, TIMES);
        kill(world->worker, SIGCONT);
        wait_for_all(world, when);
    }
    sq_mock_broker_refuse(world->broker, request->key, 0, 0);
}

static void suffer_all_at_start(struct world *world)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].is_at_start) sq_mock_broker_refuse(world->broker, requests[i].key, requests[i].short_codes[0], TIMES);
    restart(world, "all requests of a start answered with an error");
    for (size_t i = 0; i < REQUESTS; i++) sq_mock_broker_refuse(world->broker, requests[i].key, 0, 0);
}

static void world_open(struct world *world)
{
    static const struct sq_mock_topic topics[] = {{"posts", PARTITIONS}, {"t.scores", PARTITIONS}, {"t.dlq", 1}, {"t.alerts", PARTITIONS}};
    static const char *const outputs[] = {[SCORES] = "t.scores", [DLQ] = "t.dlq"};
    struct sq_err err;
    test_folder_init(&world->folder);
    test_tiny_model_write(&world->folder);
    if (sq_mock_broker_open(&world->broker, topics, sizeof topics / sizeof *topics, &err)) fail_msg("%s", err.message);
    const char *brokers = sq_mock_broker_bootstrap(world->broker);
    if (sq_plain_producer_open(&world->producer, brokers, on_delivered, world, &err)) fail_msg("%s", err.message);
    if (sq_plain_reader_open(&world->reader, brokers, outputs, 2, &err)) fail_msg("%s", err.message);
    assert_int_equal(sq_arena_init(&world->arena, 1 << 20, &err), 0);
    struct sq_buf config;
    sq_buf_init(&config);
    sq_buf_printf(&config,
                  "version: 1\napp: t\ninstance: w\ndelivery: at_least_once\n"
                  "kafka: {brokers: \"%s\", consumer: {session.timeout.ms: 6000, heartbeat.interval.ms: 200}}\n"
                  "input: {topics: [posts]}\noutput: {create_topics: false, partitions: %d}\n"
                  "shutdown_timeout: 5s\nsandbox: false\nhttp: {listen: \"127.0.0.1:0\"}\nmodel: {path: %s, threads: 1}\n", brokers, PARTITIONS, world->folder.path);
    test_folder_write(&world->folder, "config", sq_buf_view(&config));
    sq_buf_deinit(&config);
    start(world);
    send_some(world);
    wait_for_all(world, "at first");
}

static void close_clients(struct world *world)
{
    sq_plain_producer_close(world->producer);
    sq_plain_reader_close(world->reader);
    sq_mock_broker_close(world->broker);
    world->producer = NULL, world->reader = NULL, world->broker = NULL;
}

static void world_close(struct world *world)
{
    unsigned twice = 0;
    for (int32_t i = 0; i < PARTITIONS; i++)
        for (unsigned j = 0; j < world->sent_to[i]; j++) twice += world->out[i][j] - 1;
    printf("%u records, %u starts: none missing, %u came out again\n", world->sent, world->starts, twice);
    if (world->worker) stop(world, "at the end");
    close_clients(world);
    sq_arena_deinit(&world->arena);
    test_folder_deinit(&world->folder);
}

static bool is_long(void) { return getenv("SQUALL_SOAK") != NULL; }

static void whatever_a_broker_answers_nothing_is_lost(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world);
    for (size_t i = 0; i < REQUESTS; i++) {
        for (const int *code = requests[i].short_codes; *code && (is_long() || !requests[i].is_at_start); code++) suffer(world, &requests[i], *code);
        for (const int *code = requests[i].further_codes; *code && is_long(); code++) suffer(world, &requests[i], *code);
    }
    suffer_all_at_start(world);
    world_close(world);
    free(world);
}

/* Nor does a broker that is gone for good keep a worker beyond shutdown_timeout and what closing may take. */
static void however_long_it_takes_nothing_is_lost(void **state)
{
    (void)state;
    static const unsigned round_trips_ms[] = {200, 3000, 0};
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world);
    for (size_t i = 0; i < sizeof round_trips_ms / sizeof *round_trips_ms; i++) {
        if (round_trips_ms[i] > 1000 && !is_long()) continue;
        sq_mock_broker_delay(world->broker, round_trips_ms[i]);
        send_some(world);
        wait_for_all(world, "with a long way to the broker");
    }
    close_clients(world);
    uint64_t asked_ns = sq_clock_monotonic_ns();
    stop(world, "without a broker");
    assert_true(sq_clock_monotonic_ns() - asked_ns < UINT64_C(30000000000));
    world_close(world);
    free(world);
}

/* The mock says yes to every request of a transaction and keeps none of the promises. */
static void exactly_once_is_refused_where_it_is_not_kept(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world_open(world);
    stop(world, "for another delivery");
    char command[1024];
    snprintf(command, sizeof command, "'%s' run -c '%s/config' --set delivery=exactly_once >'%s/log' 2>&1", SQUALL_BINARY, world->folder.path,
             world->folder.path);
    int status = system(command);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 78);
    struct sq_buf log = test_content(&world->folder, "log");
    assert_non_null(strstr(log.data, "is librdkafka's mock: set delivery: at_least_once"));
    sq_buf_deinit(&log);
    world_close(world);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_broker_answers_nothing_is_lost),
        cmocka_unit_test(however_long_it_takes_nothing_is_lost),
        cmocka_unit_test(exactly_once_is_refused_where_it_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
