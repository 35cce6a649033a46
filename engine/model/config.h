/* SPDX-License-Identifier: Apache-2.0 */
/* What a Hugging Face config.json says of a model, checked: after sq_model_config_parse every number is in its range and the ones
 * that divide each other do. What this build can't run is refused by name. */
#ifndef SQ_MODEL_CONFIG_H
#define SQ_MODEL_CONFIG_H

#include <stdbool.h>

#include "engine/engine.h"

enum sq_architecture { SQ_ARCHITECTURE_BERT, SQ_ARCHITECTURE_DISTILBERT };
enum sq_activation { SQ_ACTIVATION_GELU_ERF, SQ_ACTIVATION_GELU_TANH, SQ_ACTIVATION_RELU };

enum {
    SQ_LABEL_BYTES_MAX = 128,
    SQ_LAYERS_MAX = 128,
    SQ_HIDDEN_MAX = 16384,
    SQ_INTERMEDIATE_MAX = 65536,
    SQ_HEADS_MAX = 1024,
    SQ_VOCABULARY_MAX = 4 * 1024 * 1024,
    SQ_POSITIONS_MAX = 1024 * 1024,
    SQ_TOKEN_TYPES_MAX = 1024,
    SQ_CONFIG_BYTES_MAX = 1024 * 1024,
};

struct sq_model_config {
    enum sq_architecture architecture;
    const char *architecture_name; /* static: "BertForSequenceClassification" */
    unsigned layers, hidden, heads, intermediate, positions, vocabulary;
    unsigned head_size;   /* hidden / heads */
    unsigned token_types; /* 0: the architecture has none */
    float layer_norm_eps;
    enum sq_activation activation;
    unsigned labels_count; /* 0: config.json doesn't say, the classifier's rows do */
    char labels[SQ_LABELS_MAX][SQ_LABEL_BYTES_MAX + 1];
    bool multi_label;      /* sigmoid instead of softmax */
    enum sq_normalise normalise;
};

/* `text` is the file's contents; `name` stands in errors. SQ_E_MODEL_FILE with file and field. */
int sq_model_config_parse(struct sq_model_config *config, const char *name, struct sq_str text, struct sq_err *err);

/* Once the classifier's rows are known: checks them against the labels, or names the labels LABEL_0, LABEL_1, ... */
int sq_model_config_set_labels_count(struct sq_model_config *config, unsigned rows, struct sq_err *err);

#endif
