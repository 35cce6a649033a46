/* SPDX-License-Identifier: Apache-2.0 */
/* The group's committed offsets, stable ones: none that an open transaction may still change. */
#ifndef SQ_IO_KAFKA_OFFSETS_H
#define SQ_IO_KAFKA_OFFSETS_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "engine/base/err.h"

/* Whom to ask. librdkafka keeps the coordinator that it found for this question until it hasn't been asked for `metadata.max.age.ms`, moved or
 * gone as that may be (2.0.2, measured): who asks on and on would ask the wrong one for ever. So after an answer that looks like it nobody asks
 * for that long. Threads: any. */
struct sq_kafka_offsets {
    rd_kafka_t *client;         /* borrowed */
    _Atomic uint64_t ask_at_ns; /* not before, on the monotonic clock */
};

/* Asks the group's coordinator, whatever the time; the answer comes as an event on the queue. Doesn't block. */
void sq_kafka_offsets_ask(const struct sq_kafka_offsets *offsets, const char *group, const rd_kafka_topic_partition_list_t *parts,
                          rd_kafka_queue_t *queue);

/* The answer's partitions, borrowed from the event. NULL: try again later, *error and *reason (may become NULL) say why. */
const rd_kafka_topic_partition_list_t *sq_kafka_offsets_answer(struct sq_kafka_offsets *offsets, rd_kafka_event_t *event, rd_kafka_resp_err_t *error,
                                                               const char **reason);

/* Both, blocking, once. The caller destroys *found. SQ_E_TIMEOUT: try again later; SQ_E_CLOSED: interrupted. */
int sq_kafka_offsets_stable(struct sq_kafka_offsets *offsets, const char *group, const rd_kafka_topic_partition_list_t *parts,
                            const _Atomic bool *is_interrupted, rd_kafka_topic_partition_list_t **found, struct sq_err *err);

#endif
