/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded broker for the demo and for tests: librdkafka's mock cluster. Any client on this machine can talk to it.
 *
 * It is no Kafka: no transactions, no CreateTopics, no look-ups by time, 5 MiB a partition and then the oldest goes silently, a port of its
 * own choice. Members of a group with different assignors abort its process, so it gets a process of its own. The API is marked as
 * experimental, which is why this file alone includes it. Thread: any one; it runs on threads of its own. */
#ifndef SQ_IO_MOCK_BROKER_H
#define SQ_IO_MOCK_BROKER_H

#include <stdint.h>

#include "engine/base/err.h"

enum { SQ_MOCK_PARTITION_BYTES_MAX = 5 << 20 };

struct sq_mock_topic {
    const char *name;
    int partitions;
};

struct sq_mock_broker;

/* One node with these topics; clients may make others by asking for them. */
int sq_mock_broker_open(struct sq_mock_broker **broker, const struct sq_mock_topic *topics, unsigned topics_count, struct sq_err *err);
void sq_mock_broker_close(struct sq_mock_broker *broker); /* NULL is fine */

/* For tests: the next `times` requests with that number in Kafka's protocol, whoever sends them, are answered with an rd_kafka_resp_err_t;
 * _TRANSPORT cuts the connection. What was asked for before is forgotten; 0 times: no more. */
void sq_mock_broker_refuse(struct sq_mock_broker *broker, int16_t request, int code, unsigned times);

/* For tests: each answer takes so much longer. */
void sq_mock_broker_delay(struct sq_mock_broker *broker, unsigned round_trip_ms);

const char *sq_mock_broker_bootstrap(const struct sq_mock_broker *broker); /* "127.0.0.1:35763" */

#endif
