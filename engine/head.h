/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the last layer: from a text's first token to its logits, or from its tokens to its vector. */
#ifndef SQ_HEAD_H
#define SQ_HEAD_H

#include "engine/encoder.h"

/* outputs[t] = classifier(activate(pooler(first[t]))), or to embed first[t] itself. first and pooled (overwritten) are [rows, hidden] with
 * rows >= texts_count; outputs is [texts_count, labels_count], or to embed [texts_count, hidden]. Any thread; never allocates. */
void sq_head_run(const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *outputs);

/* outputs[t] = the mean of text t's rows of x; x is [tokens_count, hidden], outputs [texts_count, hidden]. */
void sq_head_mean(const struct sq_encoder *encoder, const struct sq_batch *batch, const float *x, float *outputs);

#endif
