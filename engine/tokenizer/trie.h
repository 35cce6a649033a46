/* SPDX-License-Identifier: Apache-2.0 */
/* A read-only trie over byte strings: the longest entry that a text begins with, in one walk.
 *
 * Nodes are numbered level by level, so the children of a node stand side by side, sorted by their byte, and one array of first
 * children is all the structure there is. Built in time linear in the entries' bytes, after a sort; no hashing that a hostile
 * vocabulary could make slow. */
#ifndef SQ_ENGINE_TOKENIZER_TRIE_H
#define SQ_ENGINE_TOKENIZER_TRIE_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

struct sq_trie_entry {
    struct sq_str text; /* not empty; need not live longer than the call that builds */
    int32_t value;      /* not negative */
};

struct sq_trie {
    uint32_t *first;       /* [nodes_count + 1] node n's children are first[n] .. first[n + 1] - 1 */
    unsigned char *labels; /* [nodes_count] the byte that leads to a node */
    int32_t *values;       /* [nodes_count] of the entry that ends here, or -1 */
    uint32_t nodes_count;
    uint32_t entries_count; /* without duplicates */
};

/* Sorts entries in place; of equal texts the one with the largest value counts. A trie of no entries is fine. */
int sq_trie_init(struct sq_trie *trie, struct sq_trie_entry *entries, size_t entries_count, struct sq_err *err);
void sq_trie_deinit(struct sq_trie *trie);

/* The child of node under this byte, or 0: the root, node 0, is nobody's child. trie->values[node] is the entry that ends there. */
static inline uint32_t sq_trie_child(const struct sq_trie *trie, uint32_t node, unsigned char label)
{
    uint32_t low = trie->first[node], high = trie->first[node + 1];
    while (high - low > 8) {
        uint32_t middle = low + (high - low) / 2;
        if (trie->labels[middle] <= label) low = middle;
        else high = middle;
    }
    for (; low < high; low++)
        if (trie->labels[low] == label) return low;
    return 0;
}

/* Bytes of the longest entry that text begins with, and its value; 0 if there is none. Looks at no more bytes than the longest
 * entry has. */
size_t sq_trie_longest(const struct sq_trie *trie, struct sq_str text, int32_t *value);

/* The value of exactly this text, or -1. */
int32_t sq_trie_find(const struct sq_trie *trie, struct sq_str text);

#endif
