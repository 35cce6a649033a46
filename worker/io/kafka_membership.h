/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer's place in its group, out of librdkafka's opaque metadata and back into it. */
#ifndef SQ_IO_KAFKA_MEMBERSHIP_H
#define SQ_IO_KAFKA_MEMBERSHIP_H

#include <librdkafka/rdkafka.h>

#include "worker/io/source.h"

/* What the consumer is now; generation -1 when it is no member. Asks librdkafka's main thread and waits for the answer. */
void sq_kafka_membership_read(rd_kafka_t *consumer, struct sq_membership *membership);

/* Of the form that rd_kafka_consumer_group_metadata_write gives: "CGMDv2:", the generation as an int32 in host order, group and member
 * each with a NUL, a byte that is 0 where an instance with a NUL follows. False: it is something else. Pure. */
bool sq_kafka_membership_parse(const void *data, size_t bytes, struct sq_membership *membership);

/* For rd_kafka_send_offsets_to_transaction; the caller destroys it. */
rd_kafka_consumer_group_metadata_t *sq_kafka_membership_metadata(const char *group, const struct sq_membership *membership);

#endif
