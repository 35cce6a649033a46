/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/ring.h"

#include <stdlib.h>

static struct sq_slot *slot_of(const struct sq_ring *ring, int64_t bucket)
{
    return &ring->slots[(uint64_t)bucket & (ring->slots_count - 1)];
}

struct sq_block_extras *sq_ring_extras(const struct sq_ring *ring, int64_t block)
{
    return &ring->extras[(uint64_t)block & (ring->extras_count - 1)];
}

bool sq_ring_init(struct sq_ring *ring, uint32_t slots_count, uint32_t block_buckets)
{
    *ring = (struct sq_ring){.slots_count = slots_count, .extras_count = 1, .block_buckets = block_buckets};
    while (ring->extras_count <= slots_count / block_buckets) ring->extras_count *= 2;
    ring->slots = calloc(1, slots_count * sizeof *ring->slots + ring->extras_count * sizeof *ring->extras);
    ring->extras = ring->slots ? (struct sq_block_extras *)(void *)(ring->slots + slots_count) : NULL;
    return ring->slots != NULL;
}

void sq_ring_deinit(struct sq_ring *ring) { free(ring->slots); }

bool sq_ring_reach(struct sq_ring *ring, int64_t first_block, int64_t bucket)
{
    int64_t first = first_block * ring->block_buckets;
    if (bucket - first < ring->slots_count) return true;
    uint32_t slots_count = ring->slots_count;
    while (bucket - first >= slots_count) slots_count *= 2;
    struct sq_ring larger;
    if (!sq_ring_init(&larger, slots_count, ring->block_buckets)) return false;
    for (int64_t from = first; from < first + ring->slots_count; from++) *slot_of(&larger, from) = *slot_of(ring, from);
    for (int64_t block = first_block; block < first_block + ring->extras_count; block++)
        *sq_ring_extras(&larger, block) = *sq_ring_extras(ring, block);
    sq_ring_deinit(ring);
    *ring = larger;
    return true;
}

void sq_ring_add(struct sq_ring *ring, int64_t bucket, bool matched)
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

struct sq_counts sq_ring_block(const struct sq_ring *ring, int64_t block)
{
    return sq_ring_sum(ring, block * ring->block_buckets, (block + 1) * ring->block_buckets);
}

void sq_ring_clear_block(struct sq_ring *ring, int64_t block)
{
    for (int64_t bucket = block * ring->block_buckets; bucket < (block + 1) * ring->block_buckets; bucket++)
        *slot_of(ring, bucket) = (struct sq_slot){0};
    *sq_ring_extras(ring, block) = (struct sq_block_extras){0};
}
