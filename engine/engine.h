/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder as a library: text in, label probabilities out. Nothing here knows Kafka.
 *
 *     struct sq_engine *engine;     the model: weights and tokenizer, read-only after open, shared by all threads
 *     struct sq_session *session;   one thread's arena; whole forward passes of packed batches run on it
 *     struct sq_pool *pool;         (engine/pool.h) threads with a session each, fed from one queue
 *
 *     sq_engine_open(&engine, &options, &err);
 *     sq_session_open(&session, engine, &err);
 *     sq_session_score(session, texts, texts_count, predictions);
 */
#ifndef SQ_ENGINE_H
#define SQ_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum {
    SQ_LABELS_MAX = 64,
    SQ_TOKENS_MAX = 8192,          /* bound of model.max_tokens; the model's positions bound it further */
    SQ_BATCH_TEXTS_MAX = 256,      /* texts of one packed batch */
    SQ_MEMBERS_MAX = 8,            /* models of an ensemble */
    SQ_LAYERS_MAX = 128,           /* of a model */
    SQ_TEXT_BYTES_MAX = 1 << 20,   /* longer texts are refused with SQ_E_TOO_LARGE */
};

enum sq_precision { SQ_PRECISION_AUTO, SQ_PRECISION_FP32, SQ_PRECISION_BF16, SQ_PRECISION_INT8 };
/* The products of a layer: queries, keys and values; attention's output; the two of the feed-forward part. */
enum sq_product { SQ_PRODUCT_QKV, SQ_PRODUCT_OUTPUT, SQ_PRODUCT_UP, SQ_PRODUCT_DOWN, SQ_PRODUCTS };
enum sq_task { SQ_TASK_CLASSIFY, SQ_TASK_EMBED };
enum sq_function { SQ_FUNCTION_AUTO, SQ_FUNCTION_SOFTMAX, SQ_FUNCTION_SIGMOID, SQ_FUNCTION_NONE }; /* what makes scores of logits */
enum sq_normalise { SQ_NORMALISE_AUTO, SQ_NORMALISE_NONE, SQ_NORMALISE_TWEET };

struct sq_engine_options {
    const char *model_path;       /* a Hugging Face folder */
    enum sq_task task;            /* EMBED: any encoder's folder, pooled as its sentence-transformers files say, else by mean */
    const char *const *further_paths; /* NULL-terminated: these too, an ensemble whose probabilities are averaged; NULL: none */
    enum sq_precision precision;  /* AUTO: the fastest whose answers are fp32's, tried as the model is opened; INT8: in every layer; BF16: where the CPU multiplies it */
    enum sq_normalise normalise;  /* AUTO: the folder's "squall_normalise" key */
    unsigned tokens_max;          /* a longer text is cut, special tokens kept; 0: 128, or to embed the folder's own. At most the model's
                                   * positions. */
    unsigned batch_tokens_max;    /* tokens of one packed batch; 0: 256. A session's arena is sized from it. */
    const char *isa;              /* NULL: the widest kernels of this CPU; else a name of sq_kernels_name */
    const char *cache_dir;        /* where packed weights and AUTO's verdict are kept for the next start and shared between processes; it
                                   * needs not be there or writable. NULL or "": nowhere */
};

struct sq_model_info {
    const char *name;             /* the folder's last path component */
    const char *architecture;     /* "BertForSequenceClassification" */
    const char *dtype;            /* of the weights file: "F16" */
    char xxh128[33];               /* digest of config, tokenizer and weights, hex; names the model in scores */
    uint64_t digest;              /* its first 64 bits */
    unsigned layers, hidden, heads, intermediate, positions, vocabulary;
    unsigned tokens_max;          /* in force: min(option, positions) */
    unsigned batch_tokens_max;
    enum sq_task task;
    const char *pooling;          /* "mean" or "cls": what a vector is made of, and what the head reads */
    unsigned outputs_count;       /* numbers that a text gives: labels_count, or of a vector hidden */
    unsigned labels_count;        /* 0 to embed */
    const char *labels[SQ_LABELS_MAX]; /* in id order */
    enum sq_function function;    /* SOFTMAX; SIGMOID: each label for itself; NONE: scores are the logits (regression) */
    enum sq_normalise normalise;  /* in force: NONE or TWEET */
    char precision_text[64];      /* in force: "int8", or where products differ "int8, 3 of 24 products bf16" */
    const char *precisions[SQ_LAYERS_MAX][SQ_PRODUCTS]; /* of each layer's products; static */
    double precision_agreement;   /* tried by AUTO: the share of its texts that get the label of fp32, */
    double precision_difference;  /* and the mean difference of their probabilities; 1 and 0 where nothing was tried */
    const char *isa;              /* the kernels in use, */
    const char *isa_caveat;       /* and what users should know of them, or NULL */
    bool is_shared;               /* the weights are a mapped file of cache_dir: one copy for all processes that have it mapped */
    char cache_trouble[256];      /* "", or what was not as it should be with cache_dir, for people */
    size_t weights_bytes;         /* resident, shared */
    size_t session_bytes;         /* of one thread's arena */
};

/* What the model says of one text. Plain data, no pointers into the engine. */
struct sq_prediction {
    int code;                     /* 0, or SQ_E_INVALID_UTF8, _TOO_LARGE, _TOKENIZE, _INFERENCE: the rest is then unset */
    unsigned label;               /* id of the largest probability */
    float score;                  /* that probability */
    float probabilities[SQ_LABELS_MAX];
    float logits[SQ_LABELS_MAX];  /* of one model; an ensemble has none */
    unsigned tokens;              /* special ones included, after cutting; an ensemble: of its first model */
    bool truncated;               /* an ensemble: by any of its models */
    uint64_t text_hash;           /* sq_text_hash of the raw text */
    uint64_t text_simhash;        /* sq_text_simhash of it */
    float *vector;                /* to embed: the caller's room for outputs_count floats, set before and filled; label, score, probabilities
                                   * and logits are then unset. To classify: NULL. */
};

struct sq_engine;
struct sq_session;

/* Loads and checks the whole folder; blocks for as long as reading and packing take. On error the message names file and field. */
int sq_engine_open(struct sq_engine **engine, const struct sq_engine_options *options, struct sq_err *err);
void sq_engine_close(struct sq_engine *engine); /* after all its sessions */
/* Of an ensemble: labels, kind and shape of its first model; the name joins all names by "+", the digest covers all digests, and
 * sizes are sums. */
const struct sq_model_info *sq_engine_info(const struct sq_engine *engine);

/* An ensemble's models, each an engine of its own; a single model has itself as the only one. */
unsigned sq_engine_members_count(const struct sq_engine *engine);
const struct sq_engine *sq_engine_member(const struct sq_engine *engine, unsigned member);

/* One thread's scratch: allocates session_bytes once, nothing later. */
int sq_session_open(struct sq_session **session, const struct sq_engine *engine, struct sq_err *err);
void sq_session_close(struct sq_session *session);

/* Tokenises texts and runs them as packed batches of at most batch_tokens_max tokens (a longer text runs alone). Fills one prediction a
 * text, in order; a text that can't be scored has its own code and disturbs no other. Thread: the session's owner. Never allocates.
 * A text gives the same probabilities alone and in any batch: the same bits, but within 1e-6 where OpenBLAS multiplies (fp32 with isa
 * openblas). An empty
 * text is scored like any other ([CLS] [SEP]), as transformers does; who wants it refused looks before. */
void sq_session_score(struct sq_session *session, const struct sq_str *texts, size_t texts_count, struct sq_prediction *predictions);

/* Makes its length 1, as sentence vectors are compared (a vector of zeros stays). */
void sq_vector_normalise(float *vector, unsigned count);

/* Token ids as encoded, special ones included, after normalising and cutting. ids has room for info->tokens_max. */
int sq_session_tokenise(struct sq_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, struct sq_err *err);

/* Tokens a text will take at most, from its bytes alone: what batching goes by before tokenising. */
unsigned sq_engine_tokens_bound(const struct sq_engine *engine, size_t text_bytes);

#endif
