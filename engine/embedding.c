/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/embedding.h"

#include <string.h>

/* Adds the words and positions of one text; returns the row after its last. Where positions are counted from the padding's, a padding token
 * in the text (people write "<pad>") stays at its own and moves nobody, as in transformers. */
static float *add_text(const struct sq_encoder *encoder, const int32_t *ids, unsigned count, float *row)
{
    const struct sq_weights *weights = encoder->weights;
    size_t width = encoder->config->embedding, next = encoder->config->first_position;
    int padding_id = encoder->config->padding_id;
    for (unsigned token = 0; token < count; token++, row += width) {
        const void *word = (const unsigned char *)weights->words + (size_t)ids[token] * weights->words_row_bytes;
        const float *position = weights->positions + (ids[token] == padding_id ? (size_t)padding_id : next++) * width;
        encoder->kernels->vector->add_table[weights->words_type](row, word, position, width);
    }
    return row;
}

void sq_embedding_run(const struct sq_encoder *encoder, const struct sq_batch *batch, float *x, float *narrow, size_t rows)
{
    const struct sq_norm_weights *norm = &encoder->weights->embedding_norm;
    const struct sq_linear *projection = &encoder->weights->projection;
    size_t width = encoder->config->embedding;
    float *embedded = projection->outputs ? narrow : x, *row = embedded;
    for (unsigned text = 0; text < batch->texts_count; text++) {
        unsigned start = batch->starts[text];
        row = add_text(encoder, batch->ids + start, batch->starts[text + 1] - start, row);
    }
    memset(row, 0, (rows - batch->tokens_count) * width * sizeof *row);
    encoder->kernels->vector->layer_norm(embedded, rows, width, norm->gamma, norm->beta, encoder->config->layer_norm_eps);
    if (projection->outputs) sq_linear_apply_floats(projection, x, projection->outputs, narrow, width, rows);
}
