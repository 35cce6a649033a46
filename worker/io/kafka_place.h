/* SPDX-License-Identifier: Apache-2.0 */
/* A place in a topic as the command line names it, the same for each of its partitions. */
#ifndef SQ_IO_KAFKA_PLACE_H
#define SQ_IO_KAFKA_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum sq_kafka_anchor { SQ_PLACE_START, SQ_PLACE_END, SQ_PLACE_OFFSET, SQ_PLACE_TIME };

struct sq_kafka_place {
    enum sq_kafka_anchor anchor;
    int64_t value; /* records after the start, before the end; an offset; or milliseconds: the first record as young or younger */
};

/* "start", "end", "+N" (after the start), "-N" (before the end), "N" (an offset), "@T" with T as RFC 3339, in milliseconds since 1970, or "-2h" for
 * so long before now_ms. False: none of these. */
bool sq_kafka_place_parse(struct sq_kafka_place *place, const char *text, int64_t now_ms);

/* The offset that a place is in a partition that has records from low up to high. time_offset: what the broker says of a TIME, -1: none so young. */
int64_t sq_kafka_place_offset(const struct sq_kafka_place *place, int64_t low, int64_t high, int64_t time_offset);

#endif
