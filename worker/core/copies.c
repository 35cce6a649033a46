/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/copies.h"

#include <string.h>

enum { MINUTE_MS = 60000, FORGET_MINUTES = SQ_COPIES_FORGET_MS / MINUTE_MS, COUNT_MASK = 0xff };

/* The top 24 bits, in place; a hash with none of them set would look free, so its lowest is set. */
static uint32_t key_of(uint64_t hash)
{
    uint32_t key = (uint32_t)(hash >> 32) & ~(uint32_t)COUNT_MASK;
    return key ? key : COUNT_MASK + 1;
}

static bool is_dead(const struct sq_copies_entry *entry, uint32_t minute)
{
    return minute > entry->minute && minute - entry->minute >= FORGET_MINUTES;
}

/* Where the key stands, or the last place, which is the one to give up. */
static unsigned find(const struct sq_copies *copies, uint32_t key)
{
    unsigned i = 0;
    while (i < SQ_COPIES_ENTRIES - 1 && (copies->entries[i].key & ~(uint32_t)COUNT_MASK) != key && copies->entries[i].key) i++;
    return i;
}

static bool is_near(uint64_t a, uint64_t b) { return a && b && __builtin_popcountll(a ^ b) <= SQ_COPIES_NEAR_BITS; }

/* The place of a near-copy, or `otherwise`. */
static unsigned find_near(const struct sq_copies *copies, const uint64_t *simhashes, uint64_t simhash, unsigned otherwise)
{
    for (unsigned i = 0; i < SQ_COPIES_ENTRIES && copies->entries[i].key; i++)
        if (is_near(simhashes[i], simhash)) return i;
    return otherwise;
}

unsigned sq_copies_see_near(struct sq_copies *copies, uint64_t *simhashes, uint64_t hash, uint64_t simhash, int64_t ts_ms)
{
    if (hash == 0) return 0;
    uint32_t key = key_of(hash);
    uint32_t minute = (uint32_t)(ts_ms / MINUTE_MS);
    unsigned at = find(copies, key);
    bool known = (copies->entries[at].key & ~(uint32_t)COUNT_MASK) == key;
    if (!known && simhashes) {
        unsigned near = find_near(copies, simhashes, simhash, SQ_COPIES_ENTRIES);
        known = near < SQ_COPIES_ENTRIES;
        if (known) at = near;
    }
    struct sq_copies_entry entry = copies->entries[at];
    if (!known || is_dead(&entry, minute)) entry = (struct sq_copies_entry){key, minute};

    unsigned before = entry.key & COUNT_MASK;
    if (before < COUNT_MASK) entry.key++;
    if (entry.minute < minute) entry.minute = minute;
    memmove(&copies->entries[1], &copies->entries[0], at * sizeof entry);
    copies->entries[0] = entry;
    if (simhashes) memmove(&simhashes[1], &simhashes[0], at * sizeof *simhashes);
    if (simhashes) simhashes[0] = simhash; /* the latest version: an edit of an edit is a copy too */
    return before;
}

unsigned sq_copies_see(struct sq_copies *copies, uint64_t hash, int64_t ts_ms) { return sq_copies_see_near(copies, NULL, hash, 0, ts_ms); }

unsigned sq_copies_count_since(const struct sq_copies *copies, int64_t since_ms)
{
    int64_t since = since_ms / MINUTE_MS;
    unsigned count = 0;
    for (unsigned i = 0; i < SQ_COPIES_ENTRIES; i++)
        if (copies->entries[i].key && copies->entries[i].minute >= since) count++;
    return count;
}
