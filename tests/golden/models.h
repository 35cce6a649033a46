/* SPDX-License-Identifier: Apache-2.0 */
/* The random-weight models whose answers are kept in probabilities/NAME.jsonl. Changing one means asking the oracle again. */
#ifndef SQ_GOLDEN_MODELS_H
#define SQ_GOLDEN_MODELS_H

#include "tests/lib/testmodel.h"

#define GOLDEN_VOCABULARY(name) SQUALL_SOURCE_DIR "/tests/golden/vocab/" name ".txt"

static const struct {
    const char *name;
    struct test_model model;
} golden_models[] = {
    {"bert-base", {.layers = 12, .hidden = 768, .heads = 12, .intermediate = 3072, .positions = 512, .labels = 3, .dtype = "BF16",
                   .seed = 101, .vocabulary = GOLDEN_VOCABULARY("bert-base-uncased")}},
    {"distilbert", {.is_distilbert = true, .layers = 6, .hidden = 768, .heads = 12, .intermediate = 3072, .positions = 512, .labels = 2,
                    .dtype = "F16", .seed = 202, .vocabulary = GOLDEN_VOCABULARY("bert-base-uncased")}},
    {"odd-shape", {.layers = 3, .hidden = 132, .heads = 6, .intermediate = 250, .positions = 40, .labels = 7, .dtype = "F32",
                   .activation = "gelu_new", .seed = 303, .vocabulary = GOLDEN_VOCABULARY("bert-base-chinese")}},
};
enum { GOLDEN_MODELS_COUNT = sizeof golden_models / sizeof *golden_models };

#endif
