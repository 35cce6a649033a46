/* SPDX-License-Identifier: Apache-2.0 */
/* How a draft becomes a tokenizer; for the build*.c files. */
#ifndef SQ_ENGINE_TOKENIZER_BUILD_H
#define SQ_ENGINE_TOKENIZER_BUILD_H

#include "engine/tokenizer/tokenizer_parts.h"

/* A tokenizer in the making. */
struct sq_build {
    const struct sq_tokenizer_draft *draft;
    struct sq_tokenizer *made;
    struct sq_trie vocabulary; /* id by entry, as the file writes it */
    size_t vocabulary_size;    /* where ids of added tokens go on */
};

/* Room for all entries, to be freed; NULL is SQ_E_NOMEM. */
struct sq_trie_entry *sq_build_new_entries(const struct sq_tokenizer_draft *draft, struct sq_err *err);
/* The entries that have any text; returns how many. */
size_t sq_build_copy_entries(struct sq_trie_entry *entries, const struct sq_tokenizer_draft *draft);

int sq_build_model(struct sq_build *build, struct sq_err *err);
/* Behind the model and the normaliser. */
int sq_build_added(struct sq_build *build, struct sq_err *err);

#endif
