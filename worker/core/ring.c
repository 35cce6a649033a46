/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/ring.h"

static struct sq_slot *slot_of(const struct sq_ring *ring, int64_t bucket) { return &ring->slots[(uint64_t)bucket & ring->mask]; }

void sq_ring_add(struct sq_ring *ring, int64_t bucket, int matched)
{
    struct sq_slot *slot = slot_of(ring, bucket);
    if (slot->count == UINT16_MAX) return; /* both stop together, so that the share stays */
    slot->count++;
    if (matched) slot->matched++;
}

struct sq_counts sq_ring_sum(const struct sq_ring *ring, int64_t from, int64_t to)
{
    struct sq_counts sum = {0};
    for (int64_t bucket = from; bucket < to; bucket++) {
        const struct sq_slot *slot = slot_of(ring, bucket);
        sum.count += slot->count;
        sum.matched += slot->matched;
    }
    return sum;
}

void sq_ring_clear(struct sq_ring *ring, int64_t from, int64_t to)
{
    for (int64_t bucket = from; bucket < to; bucket++) *slot_of(ring, bucket) = (struct sq_slot){0};
}
