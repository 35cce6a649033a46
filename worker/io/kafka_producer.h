/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's producer: the topics it writes, outputs sent, and the broker's answer to each.
 *
 * Thread: the committer's, all of it. Calls block: for each message until its report, which message.timeout.ms bounds; an interruption
 * shortens that. */
#ifndef SQ_IO_KAFKA_PRODUCER_H
#define SQ_IO_KAFKA_PRODUCER_H

#include <stdatomic.h>

#include "worker/io/kafka_conf.h"
#include "worker/io/sink.h"

struct sq_kafka_producer {
    enum sq_stage_name stage;
    const struct sq_config *config;
    const _Atomic bool *is_interrupted; /* the sink's */
    rd_kafka_t *rk;                     /* NULL: closed */
    rd_kafka_topic_t *topics[SQ_TOPIC_COUNT]; /* NULL: not written in this delivery */
    int32_t partitions[SQ_TOPIC_COUNT];
    size_t unanswered;                  /* messages without a delivery report */
};

/* Fills in what is set for life, and connects in the background. Opens again after close. */
int sq_kafka_producer_open(struct sq_kafka_producer *producer, struct sq_err *err);
void sq_kafka_producer_close(struct sq_kafka_producer *producer); /* what is unanswered is dropped, and told */

/* Makes sure of the topics. 0; a RETRY class: again later; SQ_E_CONFIG. */
int sq_kafka_producer_prepare(struct sq_kafka_producer *producer, struct sq_err *err);

/* Queues an output; its status follows, at the latest by sq_kafka_producer_wait: 0, SQ_E_PRODUCE (the broker refuses it, or a neighbour in
 * the same request), or SQ_E_TIMEOUT. Strings and headers stay the batch's and must live until then. */
void sq_kafka_producer_send(struct sq_kafka_producer *producer, struct sq_output *output);
void sq_kafka_producer_wait(struct sq_kafka_producer *producer);

#endif
