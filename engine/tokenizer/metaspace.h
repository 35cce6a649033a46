/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece's way of cutting a text into words: a space becomes U+2581 and belongs to the word behind it. `Metaspace` of
 * Hugging Face's `tokenizers`, alone or behind `WhitespaceSplit`, which takes all white space out first. */
#ifndef SQ_ENGINE_TOKENIZER_METASPACE_H
#define SQ_ENGINE_TOKENIZER_METASPACE_H

#include "engine/base/str.h"

enum sq_metaspace_prepend { SQ_PREPEND_NEVER, SQ_PREPEND_FIRST, SQ_PREPEND_ALWAYS };

struct sq_metaspace {
    bool split_white;                  /* at white space, which goes */
    bool split;                        /* before each U+2581 */
    enum sq_metaspace_prepend prepend; /* to a text, or with split_white to a word; FIRST: only where a whole text begins */
};

/* Walks a valid text: `struct sq_metaspace_walk walk = {.rest = text, ...}; while (sq_metaspace_next(metaspace, &walk, &word))
 * ...`. */
struct sq_metaspace_walk {
    struct sq_str rest;
    bool is_first; /* the text's beginning is that of the whole */
    bool inside;   /* not at the beginning of the text, or with split_white of a word */
    char *word;    /* [word_bytes_max] where a word is put together */
    size_t word_bytes_max;
    bool is_full;  /* a word did not fit */
};

/* What a word of text_bytes may take. */
static inline size_t sq_metaspace_word_bytes_max(size_t text_bytes) { return 3 * text_bytes + 3; }

/* The next word, not empty; it is valid until the next call. False at the end, or when walk->is_full. */
bool sq_metaspace_next(const struct sq_metaspace *metaspace, struct sq_metaspace_walk *walk, struct sq_str *word);

#endif
