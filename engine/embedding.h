/* SPDX-License-Identifier: Apache-2.0 */
/* What the first layer reads: a vector for each token of a batch. */
#ifndef SQ_EMBEDDING_H
#define SQ_EMBEDDING_H

#include "engine/encoder.h"

/* x = norm(words[id] + positions[i]), i counted from each text's start; x is [rows, hidden] with rows >= batch->tokens_count, and those
 * beyond the tokens become the norm's beta. Any thread; never allocates. */
void sq_embedding_run(const struct sq_encoder *encoder, const struct sq_batch *batch, float *x, size_t rows);

#endif
