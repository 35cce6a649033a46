/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a topic as it stands, with the worker's own settings: for commands that look at what is there. Joins no group, commits nothing, and
 * sees only what is committed. Every call blocks. */
#ifndef SQ_IO_KAFKA_READER_H
#define SQ_IO_KAFKA_READER_H

#include "worker/io/config.h"
#include "worker/io/kafka_place.h"
#include "worker/io/source.h"

/* Borrowed for the call. */
struct sq_reader_record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    bool is_append_time; /* timestamp_ms is the broker's, not the producer's */
    struct sq_str key, value; /* data NULL: null */
    struct sq_header headers[SQ_HEADERS_MAX]; /* those that fit */
    unsigned headers_count;
};

/* False: enough, stop reading. */
typedef bool (*sq_reader_fn)(const struct sq_reader_record *record, void *ctx);

/* What is read of each partition: from the first place up to the second, which is left out. What came after the call began is never part of it. */
struct sq_reader_range {
    struct sq_kafka_place from, to;
    bool follows; /* `to` is not looked at, and after what is there comes what is written: until the function has enough */
};

/* Gives the records of the range, merged over the partitions by their timestamps, those of a partition in their order: the same range gives the
 * same sequence. What passes by itself, as a topic is made or a leader changes, is asked for again: 10 s, 3 s where there is no such topic.
 * SQ_E_BROKER: no answer, or a record that can't be read, by name; SQ_E_CONFIG: no such topic, or a property librdkafka refuses. */
int sq_kafka_read_range(const struct sq_config *config, const char *topic, const struct sq_reader_range *range, sq_reader_fn each, void *ctx,
                        struct sq_err *err);

/* The same of all records with a timestamp of since_ms or later. */
int sq_kafka_read_topic(const struct sq_config *config, const char *topic, int64_t since_ms, sq_reader_fn each, void *ctx, struct sq_err *err);

/* Gives the record at an offset; SQ_E_BROKER when there is none. */
int sq_kafka_read_record(const struct sq_config *config, const char *topic, int32_t partition, int64_t offset, sq_reader_fn each, void *ctx,
                         struct sq_err *err);

#endif
