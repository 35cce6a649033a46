/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's consumer as a source. The stage's group is <app>-score or <app>-alert; the topics are input.topics or <app>.scores.
 *
 * The main queue carries events only and is always served, so that the group sees a live member whatever the engine does; records of all
 * partitions are forwarded to one work queue, from which the source takes only while the handler has room. Both queues write to a pipe
 * when they turn non-empty, and the loop watches the pipe. At most 500 records a turn. */
#ifndef SQ_IO_SOURCE_KAFKA_H
#define SQ_IO_SOURCE_KAFKA_H

#include "worker/io/kafka_conf.h"
#include "worker/io/kafka_offsets.h"
#include "worker/io/loop.h"
#include "worker/io/source.h"

/* config is borrowed for the source's life. Connects in the background: a broker that is away is no error here. */
int sq_source_kafka_open(struct sq_source **source, struct sq_loop *loop, const struct sq_config *config, enum sq_stage_name stage,
                         struct sq_err *err);

/* The consumer, for committing its offsets; belongs to the source. */
rd_kafka_t *sq_source_kafka_client(struct sq_source *source);

/* To look up what was committed through it; belongs to the source. */
struct sq_kafka_offsets *sq_source_kafka_offsets_of(struct sq_source *source);

#endif
