/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka for tools: a producer that says where each record went, and a reader of whole topics that joins no group. The worker itself uses
 * source_kafka.h and sink_kafka.h.
 *
 * Thread: one at a time a handle; callbacks run inside the calls. */
#ifndef SQ_IO_KAFKA_PLAIN_H
#define SQ_IO_KAFKA_PLAIN_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

struct sq_plain_producer;

/* A record was acknowledged at `offset`; -1: it will never be, and `reason` says why. */
typedef void (*sq_plain_delivered_fn)(int32_t partition, int64_t offset, const char *reason, void *ctx);

int sq_plain_producer_open(struct sq_plain_producer **producer, const char *brokers, sq_plain_delivered_fn delivered, void *ctx,
                           struct sq_err *err);
void sq_plain_producer_close(struct sq_plain_producer *producer); /* drops what was not acknowledged; NULL is fine */

/* Copies and queues. SQ_E_FULL: poll, then again; SQ_E_FAILED. */
int sq_plain_producer_send(struct sq_plain_producer *producer, const char *topic, int32_t partition, struct sq_str key, struct sq_str value,
                           int64_t timestamp_ms, struct sq_err *err);
/* Calls `delivered` for what came back, waiting up to wait_ms for the first. Returns how many are still under way. */
unsigned sq_plain_producer_poll(struct sq_plain_producer *producer, int wait_ms);

struct sq_plain_record {
    unsigned topic; /* index into the reader's topics */
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct sq_str key, value; /* borrowed for the call */
};
typedef void (*sq_plain_record_fn)(const struct sq_plain_record *record, void *ctx);

struct sq_plain_reader;
enum { SQ_PLAIN_TOPICS_MAX = 8 };

/* Starts at the beginning of every partition of the topics. Blocks up to 10 s for metadata; SQ_E_BROKER. */
int sq_plain_reader_open(struct sq_plain_reader **reader, const char *brokers, const char *const *topics, unsigned topics_count,
                         struct sq_err *err);
void sq_plain_reader_close(struct sq_plain_reader *reader); /* NULL is fine */

/* Gives at most `limit` records, waiting up to wait_ms for the first; returns how many. */
unsigned sq_plain_reader_poll(struct sq_plain_reader *reader, int wait_ms, unsigned limit, sq_plain_record_fn each, void *ctx);

#endif
