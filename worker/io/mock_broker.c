/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/mock_broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

enum { NODES = 1 };

struct sq_mock_broker {
    rd_kafka_t *client; /* whose threads the cluster runs on */
    rd_kafka_mock_cluster_t *cluster;
};

static int open_cluster(struct sq_mock_broker *broker, struct sq_err *err)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    broker->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!broker->client) {
        rd_kafka_conf_destroy(conf);
        return sq_err_set(err, SQ_E_FAILED, "the embedded broker would not start: %s", reason);
    }
    broker->cluster = rd_kafka_mock_cluster_new(broker->client, NODES);
    if (!broker->cluster) return sq_err_set(err, SQ_E_FAILED, "the embedded broker would not start: it can't listen on 127.0.0.1");
    return 0;
}

int sq_mock_broker_open(struct sq_mock_broker **out, const struct sq_mock_topic *topics, unsigned topics_count, struct sq_err *err)
{
    *out = NULL;
    struct sq_mock_broker *broker = calloc(1, sizeof *broker);
    if (!broker) return sq_err_set(err, SQ_E_NOMEM, "no memory for the embedded broker");
    int status = open_cluster(broker, err);
    for (unsigned i = 0; status == 0 && i < topics_count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(broker->cluster, topics[i].name, topics[i].partitions, 1);
        if (error) status = sq_err_set(err, SQ_E_FAILED, "the embedded broker refused the topic %s: %s", topics[i].name, rd_kafka_err2str(error));
    }
    if (status == 0) *out = broker;
    else sq_mock_broker_close(broker);
    return status;
}

void sq_mock_broker_close(struct sq_mock_broker *broker)
{
    if (!broker) return;
    if (broker->cluster) rd_kafka_mock_cluster_destroy(broker->cluster);
    if (broker->client) rd_kafka_destroy(broker->client);
    free(broker);
}

const char *sq_mock_broker_bootstrap(const struct sq_mock_broker *broker) { return rd_kafka_mock_cluster_bootstraps(broker->cluster); }

void sq_mock_broker_refuse(struct sq_mock_broker *broker, int16_t request, int code, unsigned times)
{
    rd_kafka_mock_clear_request_errors(broker->cluster, request);
    for (unsigned i = 0; i < times; i++) rd_kafka_mock_push_request_errors(broker->cluster, request, 1, (rd_kafka_resp_err_t)code);
}

void sq_mock_broker_delay(struct sq_mock_broker *broker, unsigned round_trip_ms)
{
    for (int32_t i = 1; i <= NODES; i++) rd_kafka_mock_broker_set_rtt(broker->cluster, i, (int)round_trip_ms);
}
