/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of a model in the layout that the forward pass reads: one block of memory, read-only once loaded, shared by all
 * threads. Shapes in brackets: H hidden, E embedding, I intermediate, V vocabulary, P position_rows, N positions, C labels. */
#ifndef SQ_MODEL_WEIGHTS_H
#define SQ_MODEL_WEIGHTS_H

#include <stddef.h>

#include <stdint.h>

#include "engine/calibration.h"
#include "engine/precision.h"

struct sq_norm_weights {
    float *gamma; /* [H] */
    float *beta;  /* [H] */
};

struct sq_layer_weights {
    struct sq_linear qkv;    /* H to three times H, each padded to whole panels: queries multiplied by 1 / sqrt(head_size), keys, values */
    struct sq_linear output; /* H to H */
    struct sq_norm_weights attention_norm;
    struct sq_linear up;    /* H to I */
    struct sq_linear down;  /* I to H */
    struct sq_norm_weights ffn_norm;
};

struct sq_weights {
    void *words; /* [V, E] of words_type: what the file has, converted at each look-up */
    enum sq_table_type words_type;
    size_t words_row_bytes;
    float *positions; /* [P, E], row 0 of the token types added */
    struct sq_norm_weights embedding_norm; /* of E */
    struct sq_linear projection; /* E to H; outputs 0: the embeddings are as wide as the layers */
    float *position_bias;        /* [heads, 2 N - 1]: what attention adds for key j and query i is column N - 1 + j - i; NULL: nothing */
    struct sq_layer_weights layers[SQ_LAYERS_MAX]; /* where layers share their weights, so do their pointers */
    struct sq_linear pooler;     /* H to H, to classify */
    struct sq_linear classifier; /* H to C, to classify */

    unsigned char *block; /* all of the above */
    size_t bytes;
    bool is_lent; /* the block is somebody else's memory */
    const char *dtype; /* of the file's word embeddings; static */
};

/* What to know of a block besides its bytes, to use it again. */
struct sq_weights_facts {
    char dtype[8];
    uint32_t labels_count, reserved;
};

struct sq_linear *sq_weights_product(struct sq_layer_weights *layer, enum sq_product product);

/* Reads the folder's safetensors. config gets its labels from the classifier where config.json names none. Matrices of the layers
 * are laid out for the plan's rungs, in int8 for inputs as the calibration has them (NULL: taken as they come), the others for fp32. Nothing is allocated for the weights before all of them were found in their right shapes; what is missing or misshapen is
 * listed all at once. Blocks for the reading. SQ_E_MODEL_FILE; nothing is left behind then. */
int sq_weights_open(struct sq_weights *weights, struct sq_model_config *config, const struct sq_kernels *kernels,
                    const struct sq_precision_plan *plan, const struct sq_calibration *calibration, const char *model_path, struct sq_err *err);
void sq_weights_close(struct sq_weights *weights);

/* The block of weights that were opened for the same configuration, kernels and plan, with a calibration, to be used where it lies now: at 64 bytes, in memory
 * that outlives the weights and may be read-only. config as above. SQ_E_MODEL_FILE: it can't be theirs. */
void sq_weights_facts(struct sq_weights_facts *facts, const struct sq_weights *weights, const struct sq_model_config *config);
int sq_weights_lend(struct sq_weights *weights, struct sq_model_config *config, const struct sq_kernels *kernels,
                    const struct sq_precision_plan *plan, const struct sq_weights_facts *facts, const void *block, size_t bytes, struct sq_err *err);

#endif
