/* SPDX-License-Identifier: Apache-2.0 */
/* Who was just seen: two tables of eight a rule and entity, texts and authors, and the latest authors of matching messages.
 *
 * A text or author past its limit weighs nothing. Eight entries suffice: a source below an eighth of the traffic can't make a spike
 * alone, and one above it stays among the latest eight. Entries are kept in order of their last sight, the latest first. */
#ifndef SQ_CORE_COPIES_H
#define SQ_CORE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SQ_COPIES_ENTRIES = 8,
    SQ_COPIES_NEAR_BITS = 3,
    SQ_COPIES_FORGET_MS = 60 * 60 * 1000, /* unseen for this long, an entry is dead */
};

struct sq_copies_entry {
    uint32_t key;   /* 24 bits of the hash above a count of 8 bits; 0: free */
    uint32_t minute; /* of the latest sight */
};

struct sq_copies {
    struct sq_copies_entry entries[SQ_COPIES_ENTRIES];
};

/* Sees a hash at an event time. Returns how often it was seen before, at most 255; hash 0 is never known. */
unsigned sq_copies_see(struct sq_copies *copies, uint64_t hash, int64_t ts_ms);

/* The same for texts that may be near-copies. simhashes: of the entries, in their order, or NULL for exact copies only. A text is known by its
 * hash, else by a simhash that differs in at most SQ_COPIES_NEAR_BITS; 0 is no simhash. */
unsigned sq_copies_see_near(struct sq_copies *copies, uint64_t *simhashes, uint64_t hash, uint64_t simhash, int64_t ts_ms);

/* Distinct hashes last seen at or after a time; never more than SQ_COPIES_ENTRIES. */
unsigned sq_copies_count_since(const struct sq_copies *copies, int64_t since_ms);

#endif
