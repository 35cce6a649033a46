/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the last layer: from a text's first token to its logits. */
#ifndef SQ_HEAD_H
#define SQ_HEAD_H

#include "engine/encoder.h"

/* logits[t] = classifier(activate(pooler(first[t]))). first and pooled (overwritten) are [rows, hidden] with rows >= texts_count; logits is
 * [texts_count, labels_count]. Any thread; never allocates. */
void sq_head_run(const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *logits);

#endif
