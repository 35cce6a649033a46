/* SPDX-License-Identifier: Apache-2.0 */
/* What a model folder says about its tokenizer, read and checked, before it is built. tokenizer.json and vocab.txt both end
 * here. */
#ifndef SQ_ENGINE_TOKENIZER_DRAFT_H
#define SQ_ENGINE_TOKENIZER_DRAFT_H

#include "engine/base/json.h"
#include "engine/tokenizer/added.h"
#include "engine/tokenizer/metaspace.h"
#include "engine/tokenizer/normaliser.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/trie.h"

/* Bounds of what a tokenizer's files may hold. Real ones stay far below. */
enum {
    SQ_TOKENIZER_FILE_BYTES_MAX = 64 << 20,
    SQ_TOKENIZER_ENTRIES_MAX = 1 << 20,
    SQ_TOKENIZER_MERGES_MAX = 1 << 20,
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

enum sq_model { SQ_MODEL_WORDPIECE, SQ_MODEL_BPE, SQ_MODEL_UNIGRAM };

/* How a text is cut into words. */
enum sq_split { SQ_SPLIT_BERT, SQ_SPLIT_BYTE_LEVEL, SQ_SPLIT_METASPACE };

struct sq_draft_merge {
    struct sq_str left, right;
};

struct sq_tokenizer_draft {
    struct sq_step steps[SQ_NORMALISER_STEPS_MAX];
    size_t steps_count;

    enum sq_split split;
    bool add_prefix_space, use_regex; /* SQ_SPLIT_BYTE_LEVEL */
    struct sq_metaspace metaspace;

    enum sq_model model;
    struct sq_trie_entry *entries; /* owned; the vocabulary */
    size_t entries_count;
    struct sq_str unknown;         /* WordPiece; BPE, where it may be unset (data is NULL) */
    struct sq_str prefix;          /* WordPiece: continuing_subword_prefix */
    unsigned chars_max;            /* WordPiece */
    struct sq_draft_merge *merges; /* BPE; owned, by rank */
    size_t merges_count;
    bool ignore_merges, fuse_unknown; /* BPE */
    double *scores;                /* Unigram; owned, [entries_count] of each entry, whose ids are its positions */
    int64_t unknown_id;            /* Unigram */
    bool byte_fallback;            /* Unigram */

    struct sq_added_token *added;  /* owned, in the order of the file; their ids are set when building */
    size_t added_count, added_max;
    struct sq_draft_special first, last; /* [CLS] and [SEP] */

    const char *source;  /* the file with the vocabulary, static */
    json_t *root;        /* owned; all texts belong to it, to the next, or to the buffers */
    json_t *vocabulary;  /* owned: vocab.json */
    struct sq_buf file;  /* owned */
    struct sq_buf extra; /* owned: merges.txt, or a charsmap out of base64 */
};

void sq_draft_deinit(struct sq_tokenizer_draft *draft);

/* Each fills a zeroed draft from the files of a folder, to be deinitialised whatever it returns. Errors are SQ_E_MODEL_FILE,
 * naming file and field, or SQ_E_NOMEM. path stands in errors. */
int sq_draft_parse_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_str text, struct sq_err *err);
/* vocab.txt, vocab.json with merges.txt or sentencepiece.bpe.model, and what tokenizer_config.json, special_tokens_map.json and
 * added_tokens.json beside it say. */
int sq_draft_read_slow(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err);

/* The tokenizer of a draft, which may be deinitialised after. SQ_E_MODEL_FILE: the message has the field but not the file. */
int sq_tokenizer_build(struct sq_tokenizer **tokenizer, const struct sq_tokenizer_draft *draft, enum sq_normalise normalise,
                       struct sq_err *err);

/* ---- what the readers share ---- */

/* Room for count entries, once; refused if there is none or too many. */
int sq_draft_reserve_entries(struct sq_tokenizer_draft *draft, size_t count, struct sq_err *err);
/* `entries` has room for the entry. */
int sq_draft_add_entry(struct sq_tokenizer_draft *draft, struct sq_str text, int64_t id, struct sq_err *err);
int sq_draft_add_token(struct sq_tokenizer_draft *draft, struct sq_added_token token, struct sq_err *err);
/* The members of an added token; flags that are absent stay as they are. */
int sq_draft_read_token(const json_t *object, struct sq_added_token *token, struct sq_err *err);

/* {"token": id, ...} */
int sq_draft_read_vocabulary(struct sq_tokenizer_draft *draft, json_t *vocab, struct sq_err *err);
/* Room for count merges, once. */
int sq_draft_reserve_merges(struct sq_tokenizer_draft *draft, size_t count, struct sq_err *err);
/* "left right"; `merges` has room for it. */
int sq_draft_add_merge(struct sq_tokenizer_draft *draft, struct sq_str line, struct sq_err *err);

/* Members that must be there, of this type; a text belongs to the object. */
int sq_draft_want_text(const json_t *object, const char *key, struct sq_str *text, struct sq_err *err);
int sq_draft_want_bool(const json_t *object, const char *key, bool *value, struct sq_err *err);
int sq_draft_want_int(const json_t *object, const char *key, int64_t max, int64_t *value, struct sq_err *err);
/* A section's "type". */
int sq_draft_want_type(const json_t *section, const char **type, struct sq_err *err);
/* SQ_E_MODEL_FILE: a type that isn't supported; `supported` lists those that are. */
int sq_draft_refuse(const char *type, const char *supported, struct sq_err *err);

/* The sections of tokenizer.json, each in a file of its own. */
int sq_draft_read_normalizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err);
int sq_draft_read_pre_tokenizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err);
int sq_draft_read_model(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err);
int sq_draft_read_post_processor(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err);

enum { SQ_DRAFT_PATH_BYTES = 4096 };
/* model_dir/file; too long a path is an error. */
int sq_draft_path(char path[SQ_DRAFT_PATH_BYTES], const char *model_dir, const char *file, struct sq_err *err);

#endif
