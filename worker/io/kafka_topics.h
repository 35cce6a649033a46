/* SPDX-License-Identifier: Apache-2.0 */
/* The topics that Squall writes: made at start if they are missing, and checked if they are there. */
#ifndef SQ_IO_KAFKA_TOPICS_H
#define SQ_IO_KAFKA_TOPICS_H

#include <librdkafka/rdkafka.h>

#include "worker/io/config.h"
#include "worker/io/sink.h"

enum { SQ_TOPIC_NAME_BYTES = SQ_CONFIG_NAME_BYTES + 16 };

/* Whether this configuration writes it: the state is only of use where it is written in one transaction with the offsets. */
bool sq_kafka_topic_is_used(const struct sq_config *config, enum sq_output_topic topic);

/* "<app>.scores", ... */
void sq_kafka_topic_name(char *out, size_t out_bytes, const struct sq_config *config, enum sq_output_topic topic);

/* Refuses input topics that are, or whose pattern matches, what Squall itself writes: it would score its own output for ever. Pure.
 * SQ_E_CONFIG. */
int sq_kafka_topics_check_input(const struct sq_config *config, struct sq_err *err);

/* Makes sure of every topic in use and fills partitions[topic], 0 for those that aren't. Blocks for seconds; *is_interrupted ends it. 0; SQ_E_BROKER: no answer, try again;
 * SQ_E_CONFIG: a topic is missing and may not be created, or has another partition count than output.partitions. */
int sq_kafka_topics_prepare(rd_kafka_t *rk, const struct sq_config *config, const _Atomic bool *is_interrupted,
                            int32_t partitions[SQ_TOPIC_COUNT], struct sq_err *err);

#endif
