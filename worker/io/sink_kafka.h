/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's producer as a sink, at_least_once: produce everything, wait for every acknowledgement, then commit the offsets. */
#ifndef SQ_IO_SINK_KAFKA_H
#define SQ_IO_SINK_KAFKA_H

#include "worker/io/kafka_conf.h"
#include "worker/io/sink.h"

/* config and source are borrowed for the sink's life; the source is a Kafka one, whose group the offsets are committed for. */
int sq_sink_kafka_open(struct sq_sink **sink, const struct sq_config *config, enum sq_stage_name stage, struct sq_source *source,
                       struct sq_err *err);

#endif
