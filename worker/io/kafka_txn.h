/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's transactional producer as a sq_txn_client. */
#ifndef SQ_IO_KAFKA_TXN_H
#define SQ_IO_KAFKA_TXN_H

#include "worker/io/config.h"
#include "worker/io/txn_client.h"

/* config and source are borrowed for the client's life; the source is a Kafka one, whose group the offsets are committed for. */
int sq_kafka_txn_open(struct sq_txn_client **client, const struct sq_config *config, enum sq_stage_name stage, struct sq_source *source,
                      struct sq_err *err);

#endif
