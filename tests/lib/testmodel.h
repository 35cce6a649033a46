/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Hugging Face folders with random weights, of any architecture that can be run and of any shape: the same bytes on every machine, so that an oracle's
 * answers about them can be kept in the repository instead of the weights.
 *
 * Value i of a tensor is low + (high - low) * u, in double and rounded once, where u in [0, 1) is the top 53 bits of
 * splitmix64(seed + FNV1a64(tensor's name without prefix) + i). Matrices [N, K] are uniform in +-sqrt(3 / K), word embeddings in +-1,
 * other embeddings in +-0.3, position biases in +-1, biases and beta in +-0.1, gamma in [0.8, 1.2], the classifier in +-4 sqrt(3 / K). */
#ifndef SQ_TEST_TESTMODEL_H
#define SQ_TEST_TESTMODEL_H

#include <stdbool.h>
#include <stdint.h>

struct test_model {
    const char *type;       /* config.json's model_type; NULL: "bert" */
    unsigned layers, hidden, heads, intermediate, positions, labels;
    const char *dtype;      /* "F32", "F16" or "BF16" */
    const char *activation; /* NULL: "gelu" */
    const char *prefix;     /* of the tensors' names; NULL: the class's own ("bert.") */
    bool old_norm_names;    /* LayerNorm.gamma and .beta */
    unsigned embedding;     /* width of the words, ELECTRA and ALBERT; 0: hidden */
    unsigned groups;        /* of layers that share their weights, ALBERT */
    unsigned padding_id;
    const char *eps;        /* NULL: "1e-12" */
    const char *problem_type; /* NULL: config.json doesn't say */
    bool is_headless;       /* no pooler and no classifier */
    unsigned shards;        /* more than 1: the weights are split over so many files, with an index */
    uint64_t seed;
    const char *vocabulary; /* a vocab.txt, lower-cased; NULL: a built-in one of letters and digits */
};

/* A tiny BERT that runs in no time: what most tests start from. */
extern const struct test_model test_model_tiny;

/* Fills the existing folder: config.json, vocab.txt, tokenizer_config.json, model.safetensors or its shards. Aborts when it can't. */
void test_model_write(const char *folder, const struct test_model *model);

#endif
