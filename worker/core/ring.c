/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/ring.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 8 };

void sq_ring_deinit(struct sq_ring *ring)
{
    free(ring->buckets);
    *ring = (struct sq_ring){0};
}

static void add(struct sq_counts *sum, const struct sq_counts *counts)
{
    sum->count += counts->count;
    sum->matched += counts->matched;
    sum->collapsed += counts->collapsed;
    sum->late += counts->late;
    sum->skipped += counts->skipped;
}

/* Where a bucket goes once it is merged. */
static uint32_t place_of(uint32_t at, int64_t base, const struct sq_ring_edges *edges)
{
    uint32_t block = at - at % edges->block, edge = at - at % edges->edge;
    if (base + block + edges->block <= edges->coarse) return block;
    return base + edge + edges->edge <= edges->fine ? edge : at;
}

void sq_ring_merge(struct sq_ring *ring, const struct sq_ring_edges *edges)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ring->count; i++) {
        struct sq_bucket bucket = ring->buckets[i];
        bucket.at = place_of(bucket.at, ring->base, edges);
        if (kept > 0 && ring->buckets[kept - 1].at == bucket.at) add(&ring->buckets[kept - 1].counts, &bucket.counts);
        else ring->buckets[kept++] = bucket;
    }
    ring->count = kept;
}

static bool make_room(struct sq_ring *ring, const struct sq_ring_edges *edges)
{
    if (ring->count < ring->capacity) return true;
    sq_ring_merge(ring, edges);
    if (ring->count < ring->capacity * 3 / 4) return true;
    uint32_t capacity = ring->capacity ? ring->capacity + ring->capacity / 2 : CAPACITY_MIN;
    struct sq_bucket *buckets = realloc(ring->buckets, capacity * sizeof *buckets);
    if (!buckets) return false;
    ring->buckets = buckets;
    ring->capacity = capacity;
    return true;
}

/* The first place behind all buckets before this one; records come nearly in order, so it is looked for from the end. */
static uint32_t find(const struct sq_ring *ring, uint32_t at)
{
    uint32_t i = ring->count;
    while (i > 0 && ring->buckets[i - 1].at >= at) i--;
    return i;
}

struct sq_counts *sq_ring_at(struct sq_ring *ring, int64_t bucket, const struct sq_ring_edges *edges)
{
    if (ring->count == 0) ring->base = edges->first;
    uint32_t at = (uint32_t)(bucket - ring->base), i = find(ring, at);
    if (i < ring->count && ring->buckets[i].at == at) return &ring->buckets[i].counts;
    if (!make_room(ring, edges)) return NULL;
    i = find(ring, at);
    memmove(&ring->buckets[i + 1], &ring->buckets[i], (ring->count - i) * sizeof *ring->buckets);
    ring->buckets[i] = (struct sq_bucket){.at = at};
    ring->count++;
    return &ring->buckets[i].counts;
}

struct sq_counts sq_ring_sum(const struct sq_ring *ring, int64_t from, int64_t to)
{
    struct sq_counts sum = {0};
    int64_t first = from - ring->base, end = to - ring->base;
    for (uint32_t i = ring->count; i > 0 && (int64_t)ring->buckets[i - 1].at >= first; i--)
        if ((int64_t)ring->buckets[i - 1].at < end) add(&sum, &ring->buckets[i - 1].counts);
    return sum;
}

struct sq_counts sq_ring_take_until(struct sq_ring *ring, int64_t end)
{
    struct sq_counts sum = {0};
    uint32_t taken = 0, by = (uint32_t)(end - ring->base);
    for (; taken < ring->count && ring->buckets[taken].at < by; taken++) add(&sum, &ring->buckets[taken].counts);
    ring->count -= taken;
    if (taken > 0) memmove(ring->buckets, &ring->buckets[taken], ring->count * sizeof *ring->buckets);
    for (uint32_t i = 0; i < ring->count; i++) ring->buckets[i].at -= by;
    ring->base = end;
    return sum;
}
