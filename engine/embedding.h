/* SPDX-License-Identifier: Apache-2.0 */
/* What the first layer reads: a vector for each token of a batch. */
#ifndef SQ_EMBEDDING_H
#define SQ_EMBEDDING_H

#include "engine/encoder.h"

/* x = norm(words[id] + positions[i]), i counted from each text's start, made as wide as the layers where it isn't. x is [rows, hidden] with
 * rows >= batch->tokens_count; those beyond the tokens hold numbers that nobody looks at. narrow: [rows, embedding] to work in where
 * sq_model_config_projects, else unused. Any thread; never allocates. */
void sq_embedding_run(const struct sq_encoder *encoder, const struct sq_batch *batch, float *x, float *narrow, size_t rows);

#endif
