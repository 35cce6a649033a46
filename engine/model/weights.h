/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of a model in fp32, in the layout that the forward pass reads: one block of memory, read-only once loaded, shared by all
 * threads. Shapes in brackets: H hidden, I intermediate, V vocabulary, P positions, C labels. A matrix [N, K] maps K inputs to N outputs. */
#ifndef SQ_MODEL_WEIGHTS_H
#define SQ_MODEL_WEIGHTS_H

#include <stddef.h>

#include "engine/model/config.h"

struct sq_layer_weights {
    float *qkv_weight;      /* [3H, H]: query, key, value; the query's rows multiplied by 1 / sqrt(head_size) */
    float *qkv_bias;        /* [3H], the query's part likewise */
    float *output_weight;   /* [H, H] */
    float *output_bias;     /* [H] */
    float *attention_gamma; /* [H] of the layer norm after attention */
    float *attention_beta;  /* [H] */
    float *up_weight;       /* [I, H] */
    float *up_bias;         /* [I] */
    float *down_weight;     /* [H, I] */
    float *down_bias;       /* [H] */
    float *ffn_gamma;       /* [H] of the layer norm after the feed-forward part */
    float *ffn_beta;        /* [H] */
};

struct sq_weights {
    float *words;             /* [V, H] */
    float *positions;         /* [P, H], row 0 of the token types added */
    float *embedding_gamma;   /* [H] */
    float *embedding_beta;    /* [H] */
    struct sq_layer_weights layers[SQ_LAYERS_MAX];
    float *pooler_weight;     /* [H, H]: BERT's pooler, DistilBERT's pre_classifier */
    float *pooler_bias;       /* [H] */
    float *classifier_weight; /* [C, H] */
    float *classifier_bias;   /* [C] */

    float *block; /* owned: all of the above */
    size_t bytes;
    const char *dtype; /* of the file's word embeddings; static */
};

/* Reads model_path/model.safetensors. config gets its labels from the classifier where config.json names none. Nothing is allocated for
 * the weights before all of them were found in the file in their right shapes; what is missing or misshapen is listed all at once. Blocks
 * for the reading. SQ_E_MODEL_FILE; nothing is left behind then. */
int sq_weights_open(struct sq_weights *weights, struct sq_model_config *config, const char *model_path, struct sq_err *err);
void sq_weights_close(struct sq_weights *weights);

#endif
