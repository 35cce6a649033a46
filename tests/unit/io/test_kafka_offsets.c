/* SPDX-License-Identifier: Apache-2.0 */
/* On librdkafka's mock, whose coordinators go where they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "worker/io/kafka_offsets.h"

enum { OFFSET_FETCH = 9, REFUSALS = 100, REST_MS = 300, TRIES = 20 };

struct world {
    rd_kafka_t *cluster_client, *client;
    rd_kafka_mock_cluster_t *cluster;
    struct sq_kafka_offsets offsets;
};

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *brokers)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    rd_kafka_conf_set(conf, "metadata.max.age.ms", "1000", NULL, 0);
    if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set(conf, "group.id", "group", NULL, 0);
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    assert_non_null(client);
    return client;
}

static int open_world(void **state)
{
    static struct world world;
    world.cluster_client = open_client(RD_KAFKA_PRODUCER, "");
    world.cluster = rd_kafka_mock_cluster_new(world.cluster_client, 2);
    assert_non_null(world.cluster);
    assert_int_equal(rd_kafka_mock_topic_create(world.cluster, "posts", 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    world.client = open_client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(world.cluster));
    world.offsets = (struct sq_kafka_offsets){.client = world.client};
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    rd_kafka_destroy(world->client);
    rd_kafka_mock_cluster_destroy(world->cluster);
    rd_kafka_destroy(world->cluster_client);
    return 0;
}

static int ask(struct world *world, struct sq_err *err)
{
    static const _Atomic bool never = false;
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1), *found;
    rd_kafka_topic_partition_list_add(parts, "posts", 0);
    int status = sq_kafka_offsets_stable(&world->offsets, "group", parts, &never, &found, err);
    rd_kafka_topic_partition_list_destroy(parts);
    if (found) rd_kafka_topic_partition_list_destroy(found);
    return status;
}

/* The mock's brokers don't mind being asked as another. */
static void move_coordinator(struct world *world)
{
    rd_kafka_mock_coordinator_set(world->cluster, "group", "group", 2);
    for (int i = 0; i < REFUSALS; i++)
        rd_kafka_mock_broker_push_request_error_rtts(world->cluster, 1, OFFSET_FETCH, 1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 0);
}

static void a_coordinator_that_moved_is_found(void **state)
{
    struct world *world = *state;
    struct sq_err err = {0};
    rd_kafka_mock_coordinator_set(world->cluster, "group", "group", 1);
    if (ask(world, &err)) fail_msg("%s", err.message);
    move_coordinator(world);
    assert_int_equal(ask(world, &err), SQ_E_TIMEOUT);
    assert_non_null(strstr(err.message, "Not coordinator"));
    const struct timespec rest = {.tv_nsec = REST_MS * 1000000L};
    for (int tries = 0; ask(world, &err); tries++) {
        if (tries == TRIES) fail_msg("%s", err.message);
        nanosleep(&rest, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_coordinator_that_moved_is_found)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
