/* SPDX-License-Identifier: Apache-2.0 */
/* Added tokens: strings that get their id wherever they stand in a text, before it is split into words. `[SEP]` is one. Those with
 * normalized = false are looked for in the raw text, the others in the normalised text between those. */
#ifndef SQ_ENGINE_TOKENIZER_ADDED_H
#define SQ_ENGINE_TOKENIZER_ADDED_H

#include "engine/tokenizer/trie.h"

struct sq_added_token {
    struct sq_str content; /* as in the file, or normalised; used while building only */
    int32_t id;
    bool single_word; /* only where no word character stands beside it */
    bool lstrip;      /* takes the white space before it */
    bool rstrip;      /* takes the white space behind it */
    bool normalized;
};

struct sq_added {
    struct sq_trie trie;           /* value: index of the token */
    struct sq_added_token *tokens; /* owned; content is unset */
    size_t tokens_count;
    bool starts[256];              /* bytes with which a token begins */
};

/* Takes those of tokens whose `normalized` is as given; one of which normalising left nothing is never found. */
int sq_added_init(struct sq_added *added, const struct sq_added_token *tokens, size_t tokens_count, bool normalized,
                  struct sq_err *err);
void sq_added_deinit(struct sq_added *added);

/* Walks a text: `struct sq_added_walk walk = {.text = text}; while (sq_added_next(added, &walk)) ...`. Each step gives the text
 * before the next token and, unless it is the rest of the text, the token's id. The text is valid UTF-8. */
struct sq_added_walk {
    struct sq_str text;
    size_t search_at; /* matches begin here or later */
    size_t done_at;   /* given out up to here */
    bool finished;

    struct sq_str before; /* may be empty */
    int32_t id;           /* or -1: `before` is the rest */
};
bool sq_added_next(const struct sq_added *added, struct sq_added_walk *walk);

#endif
