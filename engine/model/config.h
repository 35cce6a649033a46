/* SPDX-License-Identifier: Apache-2.0 */
/* What a Hugging Face config.json says of a model, checked: after sq_model_config_parse every number is in its range and the ones
 * that divide each other do. What this build can't run is refused by name. */
#ifndef SQ_MODEL_CONFIG_H
#define SQ_MODEL_CONFIG_H

#include <stdbool.h>

#include "engine/engine.h"
#include "engine/model/architecture.h"
#include "engine/model/pooling.h"

enum {
    SQ_LABEL_BYTES_MAX = 128,
    SQ_HIDDEN_MAX = 16384,
    SQ_INTERMEDIATE_MAX = 65536,
    SQ_HEADS_MAX = 1024,
    SQ_VOCABULARY_MAX = 4 * 1024 * 1024,
    SQ_POSITIONS_MAX = 1024 * 1024,
    SQ_TOKEN_TYPES_MAX = 1024,
    SQ_BIAS_BUCKETS = 32, /* MPNet's number, fixed in transformers */
    SQ_CONFIG_BYTES_MAX = 1024 * 1024,
};

struct sq_model_config {
    enum sq_task task;
    enum sq_pooling pooling; /* FIRST to classify; to embed, what sq_pooling_read says */
    const struct sq_architecture *architecture;
    unsigned layers, hidden, heads, intermediate, vocabulary;
    unsigned head_size;     /* hidden / heads */
    unsigned stored_layers; /* in the weights file: as many as layers, fewer where layers share their weights */
    unsigned embedding;     /* width of words and positions; hidden where nothing projects them */
    unsigned position_rows; /* of the table of positions */
    unsigned first_position; /* of a text's first token */
    unsigned tokens_max;    /* to embed: what the folder cuts texts to; 0: it doesn't say */
    unsigned positions;     /* tokens that a text can have: position_rows - first_position */
    int padding_id;         /* a token that stays at the position of this number and is not counted; -1: every token counts */
    unsigned token_types;   /* 0: the architecture has none */
    unsigned bias_buckets;  /* of the table of position biases; 0: none */
    float layer_norm_eps;
    enum sq_activation activation;
    unsigned labels_count; /* 0: config.json doesn't say, the classifier's rows do */
    char labels[SQ_LABELS_MAX][SQ_LABEL_BYTES_MAX + 1];
    enum sq_function function; /* AUTO until the labels are counted */
    enum sq_normalise normalise;
};

/* `text` is the file's contents; `name` stands in errors. To embed, any class of a known model_type will do, and labels are not read.
 * SQ_E_MODEL_FILE with file and field. */
int sq_model_config_parse(struct sq_model_config *config, enum sq_task task, const char *name, struct sq_str text, struct sq_err *err);

/* Once the classifier's rows are known: checks them against the labels, or names the labels LABEL_0, LABEL_1, ...; settles
 * the function where it was AUTO: a sigmoid for one label, else a softmax. */
int sq_model_config_set_labels_count(struct sq_model_config *config, unsigned rows, struct sq_err *err);

/* Whether the embeddings are made as wide as the layers by a product. */
bool sq_model_config_projects(const struct sq_model_config *config);

/* What to call the model: the class that classifies, or to embed its model_type. Static. */
const char *sq_model_config_class(const struct sq_model_config *config);

#endif
