/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Hugging Face folders with random weights, BERT or DistilBERT of any shape: the same bytes on every machine, so that an oracle's
 * answers about them can be kept in the repository instead of the weights.
 *
 * Value i of a tensor is low + (high - low) * u, in double and rounded once, where u in [0, 1) is the top 53 bits of
 * splitmix64(seed + FNV1a64(tensor's name without prefix) + i). Matrices [N, K] are uniform in +-sqrt(3 / K), word embeddings in +-1,
 * other embeddings in +-0.3, biases and beta in +-0.1, gamma in [0.8, 1.2], the classifier in +-4 sqrt(3 / K). */
#ifndef SQ_TEST_TESTMODEL_H
#define SQ_TEST_TESTMODEL_H

#include <stdbool.h>
#include <stdint.h>

struct test_model {
    bool is_distilbert;
    unsigned layers, hidden, heads, intermediate, positions, labels;
    const char *dtype;      /* "F32", "F16" or "BF16" */
    const char *activation; /* NULL: "gelu" */
    const char *prefix;     /* of the tensors' names; NULL: the class's own ("bert.") */
    bool old_norm_names;    /* LayerNorm.gamma and .beta */
    uint64_t seed;
    const char *vocabulary; /* a vocab.txt, lower-cased; NULL: a built-in one of letters and digits */
};

/* A tiny BERT that runs in no time: what most tests start from. */
extern const struct test_model test_model_tiny;

/* Fills the existing folder: config.json, vocab.txt, tokenizer_config.json, model.safetensors. Aborts when it can't. */
void test_model_write(const char *folder, const struct test_model *model);

#endif
