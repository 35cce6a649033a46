/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the cluster with the worker's own settings, for `squall validate`: who answers, which topics are there, and a sample of the
 * newest input records. Joins no group, commits nothing, creates nothing. Every call blocks, up to the time-outs named. */
#ifndef SQ_IO_KAFKA_PROBE_H
#define SQ_IO_KAFKA_PROBE_H

#include "worker/io/config.h"
#include "worker/io/sink.h"

struct sq_kafka_probe;

/* Connects and asks for all metadata. SQ_E_BROKER after timeout_ms, with what librdkafka had to say; SQ_E_CONFIG for a property it
 * refuses. config is borrowed. */
int sq_kafka_probe_open(struct sq_kafka_probe **probe, const struct sq_config *config, int timeout_ms, struct sq_err *err);
void sq_kafka_probe_close(struct sq_kafka_probe *probe); /* NULL is fine */

unsigned sq_kafka_probe_brokers(const struct sq_kafka_probe *probe);
double sq_kafka_probe_answer_ms(const struct sq_kafka_probe *probe); /* of the metadata, connecting included */
int32_t sq_kafka_probe_partitions(const struct sq_kafka_probe *probe, const char *topic); /* 0: there is no such topic */
bool sq_kafka_probe_output_is_used(const struct sq_config *config, enum sq_output_topic topic);
void sq_kafka_probe_output_name(const struct sq_config *config, enum sq_output_topic topic, char *name, size_t name_bytes);

/* Topics that an entry of input.topics means: itself, or all that match its pattern. `each` may be NULL. Returns how many. */
unsigned sq_kafka_probe_match(const struct sq_kafka_probe *probe, const char *entry, void (*each)(const char *topic, int32_t partitions, void *ctx),
                              void *ctx);

/* One record of the sample; borrowed for the call. */
struct sq_kafka_probe_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    struct sq_record record;
};
typedef void (*sq_kafka_probe_record_fn)(const struct sq_kafka_probe_record *record, void *ctx);

/* Gives about records_max of the newest input records, spread over the first 64 partitions. 0, also when there are none; SQ_E_BROKER. */
int sq_kafka_probe_sample(struct sq_kafka_probe *probe, unsigned records_max, int timeout_ms, sq_kafka_probe_record_fn each, void *ctx,
                          struct sq_err *err);

#endif
