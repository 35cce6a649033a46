/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece's unigram model: of all ways to cut a word into pieces of the vocabulary the one with the largest sum of
 * scores, found by Viterbi (Kudo 2018). A character that is no piece costs ten more than the worst piece and is unknown;
 * neighbours of them are one. */
#ifndef SQ_ENGINE_TOKENIZER_UNIGRAM_H
#define SQ_ENGINE_TOKENIZER_UNIGRAM_H

#include "engine/tokenizer/ids.h"
#include "engine/tokenizer/trie.h"

struct sq_unigram {
    struct sq_trie pieces;
    double *scores;           /* [ids] by id */
    double unknown_score;
    int32_t unknown_id;
    int32_t byte_ids[256];    /* of <0x00> and so on, which stand for what is no piece; the first is -1 where that isn't wanted */
    size_t piece_bytes_max;
};

/* entries: pieces that are not empty with ids below scores_count; sorted in place. scores: of each id, all of which count for
 * the worst. unknown_id is given; byte_fallback: the 256 byte pieces are used where they all are there. */
int sq_unigram_init(struct sq_unigram *unigram, struct sq_trie_entry *entries, size_t entries_count, const double *scores,
                    size_t scores_count, int32_t unknown_id, bool byte_fallback, struct sq_err *err);
void sq_unigram_deinit(struct sq_unigram *unigram);

/* What sq_unigram_split needs for a word of word_bytes or fewer, aligned for double. */
size_t sq_unigram_scratch_bytes(const struct sq_unigram *unigram, size_t word_bytes);

/* word is valid and not empty. */
void sq_unigram_split(const struct sq_unigram *unigram, struct sq_str word, void *scratch, struct sq_ids *ids);

#endif
