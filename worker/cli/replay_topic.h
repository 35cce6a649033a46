/* SPDX-License-Identifier: Apache-2.0 */
/* The input of a replay out of Kafka: a range of a topic, of records as a worker takes them or of the scores it has written. */
#ifndef SQ_CLI_REPLAY_TOPIC_H
#define SQ_CLI_REPLAY_TOPIC_H

#include "worker/cli/replay_scorer.h"
#include "worker/io/kafka_reader.h"

struct sq_replay_topic {
    const struct sq_config *config;
    const char *name;
    struct sq_reader_range range;
    uint64_t taken; /* records so far */
};

/* Reads from and to as the command line has them, NULL being start and end. SQ_E_USAGE: not a place in a topic. */
int sq_replay_topic_init(struct sq_replay_topic *topic, const struct sq_config *config, const char *name, const char *from, const char *to,
                         struct sq_err *err);

/* All records of the range to the scorer, which need not be drained afterwards. SQ_E_BROKER as sq_kafka_read_range. */
int sq_replay_topic_score(struct sq_replay_topic *topic, struct sq_replay_scorer *scorer, struct sq_err *err);

/* All scores of the range, in the scores partitions they stand in. */
int sq_replay_topic_read(struct sq_replay_topic *topic, sq_replay_result_fn each, void *ctx, struct sq_err *err);

#endif
