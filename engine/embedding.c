/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/embedding.h"

#include <string.h>

/* Adds the words and positions of one text; returns the row after its last. */
static float *add_text(const struct sq_encoder *encoder, const int32_t *ids, unsigned count, float *row)
{
    const struct sq_weights *weights = encoder->weights;
    size_t hidden = encoder->config->hidden;
    const float *position = weights->positions;
    for (unsigned token = 0; token < count; token++, row += hidden, position += hidden) {
        const float *word = weights->words + (size_t)ids[token] * hidden;
        for (size_t i = 0; i < hidden; i++) row[i] = word[i] + position[i];
    }
    return row;
}

void sq_embedding_run(const struct sq_encoder *encoder, const struct sq_batch *batch, float *x, size_t rows)
{
    const struct sq_norm_weights *norm = &encoder->weights->embedding_norm;
    size_t hidden = encoder->config->hidden;
    float *row = x;
    for (unsigned text = 0; text < batch->texts_count; text++) {
        unsigned start = batch->starts[text];
        row = add_text(encoder, batch->ids + start, batch->starts[text + 1] - start, row);
    }
    memset(row, 0, (rows - batch->tokens_count) * hidden * sizeof *row);
    encoder->kernels->layer_norm(x, rows, hidden, norm->gamma, norm->beta, encoder->config->layer_norm_eps);
}
