/* SPDX-License-Identifier: Apache-2.0 */
/* What a model folder says about its tokenizer, read and checked, before it is built. tokenizer.json and vocab.txt both end here. */
#ifndef SQ_ENGINE_TOKENIZER_DRAFT_H
#define SQ_ENGINE_TOKENIZER_DRAFT_H

#include "engine/base/json.h"
#include "engine/tokenizer/added.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/trie.h"

/* Bounds of what a tokenizer's files may hold. Real ones stay far below. */
enum {
    SQ_TOKENIZER_FILE_BYTES_MAX = 64 << 20,
    SQ_TOKENIZER_ENTRIES_MAX = 1 << 20,
    SQ_TOKENIZER_ENTRY_BYTES_MAX = 1024,
    SQ_TOKENIZER_ID_MAX = (1 << 24) - 1,
    SQ_TOKENIZER_ADDED_MAX = 1 << 14,
    SQ_TOKENIZER_ADDED_BYTES_MAX = 256, /* bounds the work at each character of a text */
    SQ_TOKENIZER_WORD_CHARS_MAX = 1024, /* of max_input_chars_per_word */
};

/* A token that stands before or behind every text: by its id, or where that is -1 by its text in the vocabulary. */
struct sq_draft_special {
    int32_t id;
    struct sq_str text;
};

struct sq_tokenizer_draft {
    bool clean, chinese, strip, lower;
    struct sq_str prefix; /* continuing_subword_prefix */
    struct sq_str unknown;
    unsigned chars_max;

    struct sq_trie_entry *entries; /* owned */
    size_t entries_count;
    struct sq_added_token *added;  /* owned, in the order of the file; their ids are set when building */
    size_t added_count, added_max;
    struct sq_draft_special first, last; /* [CLS] and [SEP] */

    json_t *root;       /* owned; all texts belong to it or to `file` */
    struct sq_buf file; /* owned */
};

void sq_draft_deinit(struct sq_tokenizer_draft *draft);

/* Each fills a zeroed draft from one file of the folder, to be deinitialised whatever it returns. Errors are SQ_E_MODEL_FILE,
 * naming file and field, or SQ_E_NOMEM. */
int sq_draft_read_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err);
/* The same of a text; path stands in errors. */
int sq_draft_parse_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_str text, struct sq_err *err);
/* vocab.txt, and what tokenizer_config.json, special_tokens_map.json and added_tokens.json beside it say. */
int sq_draft_read_vocab(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err);

/* The tokenizer of a draft, which may be deinitialised after. SQ_E_MODEL_FILE: the message has the field but not the file. */
int sq_tokenizer_build(struct sq_tokenizer **tokenizer, const struct sq_tokenizer_draft *draft, enum sq_normalise normalise,
                       struct sq_err *err);

/* What both need. `entries` has room for the entry. */
int sq_draft_add_entry(struct sq_tokenizer_draft *draft, struct sq_str text, int64_t id, struct sq_err *err);
int sq_draft_add_token(struct sq_tokenizer_draft *draft, struct sq_added_token token, struct sq_err *err);
/* The members of an added token; flags that are absent stay as they are. */
int sq_draft_read_token(const json_t *object, struct sq_added_token *token, struct sq_err *err);

enum { SQ_DRAFT_PATH_BYTES = 4096 };
/* model_dir/file; too long a path is an error. */
int sq_draft_path(char path[SQ_DRAFT_PATH_BYTES], const char *model_dir, const char *file, struct sq_err *err);

#endif
