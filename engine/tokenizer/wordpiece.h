/* SPDX-License-Identifier: Apache-2.0 */
/* WordPiece: a word becomes the longest vocabulary entry that it begins with, then the longest continuing entry ("##ing") that
 * the rest begins with, and so on; a word that can't be covered so, or that has too many characters, is one [UNK]. */
#ifndef SQ_ENGINE_TOKENIZER_WORDPIECE_H
#define SQ_ENGINE_TOKENIZER_WORDPIECE_H

#include "engine/tokenizer/ids.h"
#include "engine/tokenizer/trie.h"

struct sq_wordpiece {
    struct sq_trie whole;      /* every entry, as a word or its beginning */
    struct sq_trie continuing; /* the entries that carry the prefix, without it */
    int32_t unknown_id;
    unsigned chars_max; /* characters of a word; longer ones are [UNK] */
};

/* word is not empty and has at most chars_max characters. */
void sq_wordpiece_split(const struct sq_wordpiece *wordpiece, struct sq_str word, struct sq_ids *ids);

#endif
