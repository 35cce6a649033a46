/* SPDX-License-Identifier: Apache-2.0 */
/* A state reader on Kafka: a thread of its own, since asking for the log's end blocks. */
#ifndef SQ_IO_STATE_READER_KAFKA_H
#define SQ_IO_STATE_READER_KAFKA_H

#include "worker/io/config.h"
#include "worker/io/loop.h"
#include "worker/io/state_reader.h"

/* config is borrowed for the reader's life. Connects when it is first asked to read. */
int sq_state_reader_kafka_open(struct sq_state_reader **reader, struct sq_loop *loop, const struct sq_config *config, struct sq_err *err);

#endif
