/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by event-time bucket, from the oldest block not yet in the baseline to the newest bucket that anyone has written to.
 *
 * A slot is addressed by its bucket number modulo the ring's size; the owner clears a block before its slots can be met again. The ring
 * starts at a size for sources that run together and grows when one runs ahead; SQ_SKEW_MS_MAX bounds that. Windows up to one block end
 * at any bucket; longer ones begin at a five-minute edge, so that a store of this state may keep older buckets five, and still older
 * ones fifteen minutes at a time, without changing a single decision. */
#ifndef SQ_CORE_RING_H
#define SQ_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>

struct sq_counts {
    uint32_t count, matched;
};

struct sq_slot {
    uint16_t count, matched; /* saturate */
};

/* What an alert tells besides, a block of 15 minutes each. */
struct sq_block_extras {
    uint16_t collapsed, late; /* saturate */
};

struct sq_ring {
    struct sq_slot *slots;          /* [slots_count], then the extras; owned */
    struct sq_block_extras *extras; /* [extras_count] */
    uint32_t slots_count, extras_count; /* powers of two */
    uint32_t block_buckets;         /* buckets of a block */
};

/* slots_count: a power of two. False without memory. */
bool sq_ring_init(struct sq_ring *ring, uint32_t slots_count, uint32_t block_buckets);
void sq_ring_deinit(struct sq_ring *ring);

/* Grows the ring until it holds `bucket` and all from the start of block first_block on. False without memory: it is as before. */
bool sq_ring_reach(struct sq_ring *ring, int64_t first_block, int64_t bucket);

void sq_ring_add(struct sq_ring *ring, int64_t bucket, bool matched);
struct sq_block_extras *sq_ring_extras(const struct sq_ring *ring, int64_t block);

/* Of the buckets in [from, to). */
struct sq_counts sq_ring_sum(const struct sq_ring *ring, int64_t from, int64_t to);

struct sq_counts sq_ring_block(const struct sq_ring *ring, int64_t block);
void sq_ring_clear_block(struct sq_ring *ring, int64_t block);

#endif
