/* SPDX-License-Identifier: Apache-2.0 */
/* Folders without tokenizer.json; for draft_slow.c, draft_tokens.c and the readers of the three kinds of vocabulary. */
#ifndef SQ_ENGINE_TOKENIZER_DRAFT_SLOW_H
#define SQ_ENGINE_TOKENIZER_DRAFT_SLOW_H

#include "engine/tokenizer/draft.h"

/* The special tokens of a tokenizer class, in the order in which transformers adds them, which decides the ids of those that
 * are not in the vocabulary. */
#define SQ_SLOW_NAMES(X) X(bos) X(eos) X(unk) X(sep) X(pad) X(cls) X(mask)

enum sq_slow_name {
#define SQ_SLOW_NAME(name) SQ_SLOW_##name,
    SQ_SLOW_NAMES(SQ_SLOW_NAME)
#undef SQ_SLOW_NAME
    SQ_SLOW_NAMES_COUNT
};

/* What they are called in a folder; empty where the class has none. */
struct sq_slow_tokens {
    struct sq_str names[SQ_SLOW_NAMES_COUNT];
};

struct sq_slow_class {
    const char *name;       /* tokenizer_class, without "Fast" */
    const char *model_type; /* in config.json, where tokenizer_class is absent */
    const char *file;       /* with the vocabulary */
    const char *usual[SQ_SLOW_NAMES_COUNT];
    bool mask_strips;       /* the mask takes the white space before it, unless the folder says otherwise */
    /* Fills the draft from the folder's vocabulary; draft->root is tokenizer_config.json. */
    int (*read)(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens, struct sq_err *err);
};

/* The readers of the table in draft_slow.c. */
int sq_draft_read_vocab(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                        struct sq_err *err);
int sq_draft_read_merges(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                         struct sq_err *err);
int sq_draft_read_xlm(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                      struct sq_err *err);
int sq_draft_read_camembert(struct sq_tokenizer_draft *draft, const char *model_dir, const struct sq_slow_tokens *tokens,
                            struct sq_err *err);

/* The special tokens that draft->root speaks of become added tokens; *tokens is what they are called. */
int sq_draft_read_tokens(struct sq_tokenizer_draft *draft, const struct sq_slow_class *slow_class, struct sq_slow_tokens *tokens,
                         struct sq_err *err);
/* One more, unless it is there already. */
int sq_draft_add_new_token(struct sq_tokenizer_draft *draft, struct sq_added_token token, struct sq_err *err);

#endif
