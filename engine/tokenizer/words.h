/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of text becomes words, and each word its ids, in one sweep: normalising, splitting and WordPiece work character by
 * character on a word that is never longer than WordPiece would look at. */
#ifndef SQ_ENGINE_TOKENIZER_WORDS_H
#define SQ_ENGINE_TOKENIZER_WORDS_H

#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/wordpiece.h"

struct sq_words {
    const struct sq_wordpiece *wordpiece;
    struct sq_ids *ids;
    char *word;            /* [4 * chars_max] the word so far, UTF-8 */
    size_t word_bytes;
    unsigned word_chars;   /* may pass chars_max: the characters beyond are counted and not kept */
    struct sq_char *run;   /* [SQ_WORDS_RUN_MAX] combining characters not yet appended, in canonical order */
    unsigned run_count;
};

/* One more than a word may have: what does not fit no longer matters. */
#define SQ_WORDS_RUN_MAX(chars_max) ((chars_max) + 1)

/* Bytes of sq_words_init's scratch. */
size_t sq_words_scratch_bytes(unsigned chars_max);

/* scratch: aligned for sq_char, of sq_words_scratch_bytes(wordpiece->chars_max). Everything is borrowed. */
void sq_words_init(struct sq_words *words, const struct sq_wordpiece *wordpiece, struct sq_ids *ids, void *scratch);

/* Appends the ids of all words of a valid piece of text; words do not reach over its ends. Stops once ids are more than fit. */
void sq_words_feed(struct sq_words *words, const struct sq_chars *chars, struct sq_str piece);

#endif
