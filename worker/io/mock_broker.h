/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded broker for the demo and for tests: librdkafka's mock cluster. Any client on this machine can talk to it.
 *
 * It is no Kafka: no transactions, no CreateTopics, no look-ups by time, 5 MiB a partition and then the oldest goes silently, a port of its
 * own choice. Members of a group with different assignors abort its process, so it gets a process of its own. The API is marked as
 * experimental, which is why this file alone includes it. Thread: any one; it runs on threads of its own. */
#ifndef SQ_IO_MOCK_BROKER_H
#define SQ_IO_MOCK_BROKER_H

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

const char *sq_mock_broker_bootstrap(const struct sq_mock_broker *broker); /* "127.0.0.1:35763" */

#endif
