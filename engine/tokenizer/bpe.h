/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-pair encoding on bytes: a word begins as its single bytes, and of all neighbours in it that the file lists as a merge
 * the pair listed first becomes one, leftmost first, until none is left (Sennrich et al. 2016; byte-level as in GPT-2).
 *
 * Most words of a text are entries of the vocabulary, found in one look; the others are merged in n log n time with a heap. */
#ifndef SQ_ENGINE_TOKENIZER_BPE_H
#define SQ_ENGINE_TOKENIZER_BPE_H

#include "engine/tokenizer/ids.h"
#include "engine/tokenizer/trie.h"

struct sq_bpe_merge {
    int32_t left, right, merged; /* ids */
};

/* A merge under its left id. */
struct sq_bpe_right {
    int32_t right;
    uint32_t rank;
};

struct sq_bpe {
    struct sq_trie whole;        /* words, as bytes, that become one id */
    int32_t bytes[256];          /* the id of each byte, or -1 */
    uint32_t *first;             /* [lefts_count + 1] the merges of left id l are rights[first[l]] .. rights[first[l + 1] - 1] */
    uint32_t lefts_count;
    struct sq_bpe_right *rights; /* [merges_count] sorted by right under each left */
    int32_t *merged;             /* [merges_count] by rank */
    uint32_t merges_count;
    int32_t unknown_id;          /* for bytes without an id; -1 leaves them out */
    bool fuse_unknown;           /* one for a run of them */
};

/* merges: by rank; of equal pairs the last one counts. bpe->bytes and what follows merged are the caller's to set, before
 * sq_bpe_find_whole. */
int sq_bpe_init(struct sq_bpe *bpe, const struct sq_bpe_merge *merges, size_t merges_count, struct sq_err *err);
void sq_bpe_deinit(struct sq_bpe *bpe);

/* entries: words as bytes and their ids; sorted in place. Those that merging turns into their own id are found whole from now
 * on, with `all` also the others, as `ignore_merges` wants it. */
int sq_bpe_find_whole(struct sq_bpe *bpe, struct sq_trie_entry *entries, size_t entries_count, bool all, struct sq_err *err);

/* What sq_bpe_split needs for a word of word_bytes or fewer, aligned for uint64_t. */
size_t sq_bpe_scratch_bytes(size_t word_bytes);

/* word is not empty. */
void sq_bpe_split(const struct sq_bpe *bpe, struct sq_str word, void *scratch, struct sq_ids *ids);

#endif
