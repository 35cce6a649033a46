/* SPDX-License-Identifier: Apache-2.0 */
/* The group's committed offsets, stable ones: none that an open transaction may still change. */
#ifndef SQ_IO_KAFKA_OFFSETS_H
#define SQ_IO_KAFKA_OFFSETS_H

#include <librdkafka/rdkafka.h>

#include "engine/base/err.h"

/* Asks the group's coordinator; the answer comes as an event on the queue. Doesn't block. */
void sq_kafka_offsets_ask(rd_kafka_t *client, const char *group, const rd_kafka_topic_partition_list_t *parts, rd_kafka_queue_t *queue);

/* The answer's partitions, borrowed from the event. NULL: try again later, *error and *reason (may become NULL) say why. */
const rd_kafka_topic_partition_list_t *sq_kafka_offsets_answer(rd_kafka_event_t *event, rd_kafka_resp_err_t *error, const char **reason);

/* Both, blocking, once. The caller destroys *found. SQ_E_TIMEOUT: try again later; SQ_E_CLOSED: interrupted. */
int sq_kafka_offsets_stable(rd_kafka_t *client, const char *group, const rd_kafka_topic_partition_list_t *parts, const _Atomic bool *is_interrupted,
                            rd_kafka_topic_partition_list_t **found, struct sq_err *err);

#endif
