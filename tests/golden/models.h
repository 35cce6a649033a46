/* SPDX-License-Identifier: Apache-2.0 */
/* The random-weight models whose answers are kept in probabilities/NAME.jsonl. Changing one means asking the oracle again. */
#ifndef SQ_GOLDEN_MODELS_H
#define SQ_GOLDEN_MODELS_H

#include "tests/lib/testmodel.h"

#define GOLDEN_VOCABULARY(name) SQUALL_SOURCE_DIR "/tests/golden/vocab/" name ".txt"

/* 510 tokens where the first stands at position 2. */
#define TINY_GOLDEN .layers = 4, .hidden = 64, .heads = 4, .intermediate = 160, .positions = 512, \
    .vocabulary = GOLDEN_VOCABULARY("bert-base-uncased")

static const struct golden_model {
    const char *name;
    struct test_model model;
} golden_models[] = {
    {"bert-base", {.layers = 12, .hidden = 768, .heads = 12, .intermediate = 3072, .positions = 512, .labels = 3, .dtype = "BF16",
                   .seed = 101, .vocabulary = GOLDEN_VOCABULARY("bert-base-uncased")}},
    {"distilbert", {.type = "distilbert", .layers = 6, .hidden = 768, .heads = 12, .intermediate = 3072, .positions = 512, .labels = 2,
                    .dtype = "F16", .seed = 202, .vocabulary = GOLDEN_VOCABULARY("bert-base-uncased")}},
    {"odd-shape", {.layers = 3, .hidden = 132, .heads = 6, .intermediate = 250, .positions = 40, .labels = 7, .dtype = "F32",
                   .activation = "gelu_new", .seed = 303, .vocabulary = GOLDEN_VOCABULARY("bert-base-chinese")}},
    {"roberta", {.type = "roberta", TINY_GOLDEN, .labels = 3, .padding_id = 1, .eps = "1e-5", .dtype = "F32", .seed = 404}},
    {"xlm-roberta", {.type = "xlm-roberta", TINY_GOLDEN, .labels = 1, .padding_id = 1, .eps = "1e-5", .dtype = "BF16", .seed = 505}},
    {"camembert", {.type = "camembert", TINY_GOLDEN, .labels = 2, .padding_id = 1, .eps = "1e-5", .dtype = "F16", .seed = 606}},
    {"electra-small", {.type = "electra", TINY_GOLDEN, .embedding = 24, .labels = 28, .problem_type = "multi_label_classification",
                       .dtype = "F32", .seed = 707}},
    {"electra", {.type = "electra", TINY_GOLDEN, .labels = 3, .dtype = "F32", .seed = 808}},
    {"mpnet", {.type = "mpnet", TINY_GOLDEN, .labels = 1, .problem_type = "regression", .padding_id = 1, .eps = "1e-5", .dtype = "F32",
               .seed = 909}},
    {"albert", {.type = "albert", TINY_GOLDEN, .embedding = 24, .groups = 2, .activation = "gelu_new", .labels = 3, .dtype = "F32",
                .seed = 1010}},
};
enum { GOLDEN_MODELS_COUNT = sizeof golden_models / sizeof *golden_models };

#endif
