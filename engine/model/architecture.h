/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of encoder that can be run, a row each: what config.json calls the numbers, what the weights file calls the tensors, and where
 * the forward pass differs. Nothing else in the engine asks which kind a model is. Source of names and rules: the configuration and
 * modelling files of Hugging Face's transformers. */
#ifndef SQ_MODEL_ARCHITECTURE_H
#define SQ_MODEL_ARCHITECTURE_H

#include <stdbool.h>
#include <stddef.h>

enum sq_activation { SQ_ACTIVATION_GELU_ERF, SQ_ACTIVATION_GELU_TANH, SQ_ACTIVATION_RELU, SQ_ACTIVATION_TANH };

/* Keys of config.json. */
struct sq_config_names {
    const char *hidden, *layers, *heads, *intermediate, *activation;
};

/* Modules of a layer; each has a weight and a bias ("attention.self.query.weight"). */
struct sq_layer_names {
    const char *prefix; /* before the layer's number: "encoder.layer." */
    const char *infix;  /* between the number and the module: "." */
    const char *query, *key, *value, *output, *attention_norm;
    const char *up, *down, *ffn_norm;
};

/* What comes after the last layer's first token: classifier(activation(pooler(first))). */
struct sq_head_names {
    const char *pooler;
    bool pooler_is_inside; /* of the base model: named with its prefix */
    enum sq_activation activation;
    const char *classifier; /* never inside */
};

struct sq_architecture {
    const char *model_type; /* of config.json */
    const char *class_name; /* the class that classifies */
    const char *prefix;     /* of the base model's tensors; some tools leave it out */
    const struct sq_config_names *config;
    const struct sq_layer_names *layer;
    const struct sq_head_names *head;
    const char *projection;    /* from the words' width to hidden where "embedding_size" differs from it; NULL: they are the same */
    const char *position_bias; /* [buckets, heads]: a table of what attention adds by distance; NULL: none */
    bool projects_always;      /* even where the two widths are the same */
    bool has_token_types;
    bool shares_layers;        /* num_hidden_groups of them, one after the other */
    bool counts_from_padding;  /* the first token stands at position pad_token_id + 1, and a padding token at pad_token_id */
    int padding_id;            /* where config.json doesn't say */
    bool has_fixed_eps;        /* 1e-12, whatever config.json says */
};

/* By position; NULL beyond the last. */
const struct sq_architecture *sq_architecture_at(size_t index);

/* Why a model_type is not among them and what to do, or NULL. */
const char *sq_architecture_advice(const char *model_type);

#endif
