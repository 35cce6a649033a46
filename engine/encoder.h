/* SPDX-License-Identifier: Apache-2.0 */
/* The forward pass: token ids of a packed batch in, logits or sentence vectors out.
 *
 * A batch is its texts' tokens one behind the other, [tokens, hidden], with no padding between them; `starts` says where each text
 * begins. Everything but attention works on rows; attention works on one text and head at a time and so needs no mask. */
#ifndef SQ_ENCODER_H
#define SQ_ENCODER_H

#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/kernels/kernels.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"

struct sq_encoder {
    const struct sq_model_config *config;
    const struct sq_weights *weights;
    const struct sq_kernels *kernels;
};

struct sq_batch {
    const int32_t *ids;     /* [tokens_count], each below the vocabulary */
    const unsigned *starts; /* [texts_count + 1]; starts[texts_count] == tokens_count; no text is empty or over the positions */
    unsigned texts_count;
    unsigned tokens_count;
};

/* One thread's buffers for batches of at most tokens_max tokens and texts_max texts. */
struct sq_workspace {
    float *x;       /* [tokens, hidden]: the residual stream */
    float *narrow;  /* [tokens, embedding], where that is narrower than the layers */
    float *qkv;     /* [tokens, 3, hidden in whole panels] */
    float *context; /* [tokens, hidden] */
    float *up;      /* [rows of a block, intermediate] */
    float *first;   /* [texts, hidden]: each text's first token in the last layer */
    float *query;   /* [texts, hidden in whole panels]: their queries, later the pooled output */
    float *scratch; /* attention's, for a text of tokens_max */
    struct sq_operand_space inputs; /* [tokens]: what the next product takes, from x or context */
    struct sq_operand_space inner;  /* [rows of a block]: from up */
};

/* What sq_workspace_init takes from an arena. */
size_t sq_workspace_bytes(const struct sq_model_config *config, unsigned tokens_max, unsigned texts_max);
int sq_workspace_init(struct sq_workspace *workspace, struct sq_arena *arena, const struct sq_model_config *config, unsigned tokens_max,
                      unsigned texts_max, struct sq_err *err);

/* outputs: logits, [texts_count, labels_count], or to embed vectors, [texts_count, hidden], not normalised. Never allocates. Any thread, each with its own workspace. */
void sq_encoder_run(const struct sq_encoder *encoder, const struct sq_workspace *workspace, const struct sq_batch *batch, float *outputs);

#endif
