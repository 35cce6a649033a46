/* SPDX-License-Identifier: Apache-2.0 */
/* On librdkafka's mock, which can be told to know nothing of a topic for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <time.h>

#include "worker/io/kafka_reader.h"

enum { PASSES_MS = 500, LIST_OFFSETS = 2, TIMES = 6 };

struct world {
    rd_kafka_t *client;
    rd_kafka_mock_cluster_t *cluster;
    struct sq_config *config;
};

static int open_world(void **state)
{
    static struct world world;
    struct sq_err err;
    char reason[256];
    world.client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    assert_non_null(world.client);
    world.cluster = rd_kafka_mock_cluster_new(world.client, 1);
    assert_non_null(world.cluster);
    assert_int_equal(rd_kafka_mock_topic_create(world.cluster, "fresh", 3, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(sq_config_default(&world.config, &err), 0);
    snprintf(world.config->kafka.brokers, sizeof world.config->kafka.brokers, "%s", rd_kafka_mock_cluster_bootstraps(world.cluster));
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    sq_config_close(world->config);
    rd_kafka_mock_cluster_destroy(world->cluster);
    rd_kafka_destroy(world->client);
    return 0;
}

static void *let_pass(void *ctx)
{
    const struct timespec time = {.tv_nsec = PASSES_MS * 1000000L};
    nanosleep(&time, NULL);
    rd_kafka_mock_topic_set_error(((struct world *)ctx)->cluster, "fresh", RD_KAFKA_RESP_ERR_NO_ERROR);
    return NULL;
}

static bool take(const struct sq_reader_record *record, void *ctx)
{
    (void)record;
    (void)ctx;
    return true;
}

static void read_it(const struct world *world)
{
    struct sq_err err = {0};
    if (sq_kafka_read_topic(world->config, "fresh", 0, take, NULL, &err)) fail_msg("%s", err.message);
}

static void a_topic_that_was_made_just_now_is_asked_for_again(void **state)
{
    static const rd_kafka_resp_err_t passing[] = {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        pthread_t later;
        rd_kafka_mock_topic_set_error(world->cluster, "fresh", passing[i]);
        assert_int_equal(pthread_create(&later, NULL, let_pass, world), 0);
        read_it(world);
        pthread_join(later, NULL);
    }
}

static void a_partition_whose_leader_changes_is_asked_for_again(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < TIMES; i++)
        rd_kafka_mock_push_request_errors(world->cluster, LIST_OFFSETS, 1, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    read_it(world);
}

static void another_error_is_told_at_once(void **state)
{
    struct world *world = *state;
    struct sq_err err = {0};
    rd_kafka_mock_topic_set_error(world->cluster, "fresh", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(sq_kafka_read_topic(world->config, "fresh", 0, take, NULL, &err), SQ_E_BROKER);
    assert_non_null(strstr(err.message, "fresh: Broker: Topic authorization failed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_that_was_made_just_now_is_asked_for_again),
        cmocka_unit_test(a_partition_whose_leader_changes_is_asked_for_again),
        cmocka_unit_test(another_error_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
