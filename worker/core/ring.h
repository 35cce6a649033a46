/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by event-time bucket, from the oldest block not yet in the baseline to the newest bucket that anyone has written to.
 *
 * Only buckets that hold something take memory. Windows up to one block begin at any bucket, longer ones at a five-minute edge, so buckets
 * that have left the short windows can be merged five minutes at a time, and those that have left all windows a block at a time, without
 * changing a single decision: about forty entries hold two hours and a quarter, in memory as in any store. */
#ifndef SQ_CORE_RING_H
#define SQ_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>

struct sq_counts {
    uint32_t count, matched;   /* with weight */
    uint32_t collapsed, late;  /* copies without weight; messages that came after their bucket was judged */
    uint32_t skipped;          /* messages that weren't scored, so that nothing can be said of them */
};

struct sq_bucket {
    uint32_t at; /* buckets from the ring's base */
    struct sq_counts counts;
};

struct sq_ring {
    struct sq_bucket *buckets; /* owned; in order of time */
    int64_t base;              /* number of the bucket at which `at` is 0 */
    uint32_t count, capacity;
};

/* How far back buckets are needed, and how finely. */
struct sq_ring_edges {
    int64_t first;           /* nothing comes before this bucket, the start of a block */
    int64_t fine;            /* merge into edges what ends at or before this bucket */
    int64_t coarse;          /* merge into blocks what ends at or before this one */
    uint32_t edge, block;    /* buckets of each */
};

void sq_ring_deinit(struct sq_ring *ring);

/* The counts of a bucket at or after edges->first, to be added to; NULL without memory. Valid until the next call. */
struct sq_counts *sq_ring_at(struct sq_ring *ring, int64_t bucket, const struct sq_ring_edges *edges);

/* Of the buckets in [from, to). */
struct sq_counts sq_ring_sum(const struct sq_ring *ring, int64_t from, int64_t to);

/* Sums and drops all before `end`, which becomes the base. */
struct sq_counts sq_ring_take_until(struct sq_ring *ring, int64_t end);

void sq_ring_merge(struct sq_ring *ring, const struct sq_ring_edges *edges);

#endif
