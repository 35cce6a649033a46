/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by event-time bucket, from the oldest block not yet in the baseline to the newest bucket the watermark has not reached.
 *
 * A slot is addressed by its bucket number modulo the ring's size; the owner clears a bucket before its slot can be met again. Exact, and
 * bounded by sq_plan.slots. Windows up to one block end at any bucket; longer ones begin at a five-minute edge, so that a store of this
 * state may keep older buckets five, and still older ones fifteen minutes at a time, without changing a single decision. */
#ifndef SQ_CORE_RING_H
#define SQ_CORE_RING_H

#include <stdint.h>

struct sq_counts {
    uint32_t count, matched;
};

struct sq_slot {
    uint16_t count, matched; /* saturate */
};

struct sq_ring {
    struct sq_slot *slots; /* borrowed memory, zeroed by its owner */
    uint32_t mask;         /* size - 1 */
};

void sq_ring_add(struct sq_ring *ring, int64_t bucket, int matched);

/* Of the buckets in [from, to). */
struct sq_counts sq_ring_sum(const struct sq_ring *ring, int64_t from, int64_t to);
void sq_ring_clear(struct sq_ring *ring, int64_t from, int64_t to);

#endif
