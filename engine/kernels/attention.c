/* SPDX-License-Identifier: Apache-2.0 */
/* Attention as two small products a head, on the fp32 tiles: scores = queries times the keys as columns, context = weights times values.
 * Values are taken where they lie, as panels whose rows are far apart. */
#include "engine/kernels/kernels.h"

enum { QUERY_ROWS = 56 /* whose scores are held at a time: whole tiles, in the first or second cache */ };

static size_t padded(size_t keys) { return (keys + SQ_PANEL_MAX / 2 - 1) / (SQ_PANEL_MAX / 2) * (SQ_PANEL_MAX / 2); }

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size) { return padded(keys) * ((size_t)head_size + QUERY_ROWS); }

static void add_bias(const struct sq_attention *a, size_t head, size_t row, size_t rows, float *scores, size_t width)
{
    const float *bias = a->bias + head * a->bias_stride - row;
    for (size_t r = 0; r < rows; r++, scores += width, bias--) {
        for (size_t j = 0; j < a->keys; j++) scores[j] += bias[j];
    }
}

static void score(const struct sq_kernels *kernels, const struct sq_attention *a, size_t at, size_t row, size_t rows, float *scores,
                  const float *columns, size_t width)
{
    for (size_t j = 0; j < width; j += kernels->tile->panel) {
        const struct sq_panel panel = {
            .out = scores + j, .out_stride = width,
            .in = a->query + row * a->query_stride + at, .in_stride_bytes = a->query_stride * sizeof(float),
            .weight = columns + j, .weight_step_floats = width, .steps = a->head_size,
        };
        kernels->tile->multiply(&panel, rows);
    }
}

static void mix(const struct sq_kernels *kernels, const struct sq_attention *a, size_t at, size_t row, size_t rows, const float *scores, size_t width)
{
    for (size_t d = 0; d < a->head_size; d += kernels->tile->panel) {
        const struct sq_panel panel = {
            .out = a->context + row * a->context_stride + at + d, .out_stride = a->context_stride,
            .in = scores, .in_stride_bytes = width * sizeof(float),
            .weight = a->value + at + d, .weight_step_floats = a->key_stride, .steps = a->keys,
        };
        sq_panel_run(kernels->tile, &panel, rows, a->head_size - d);
    }
}

void sq_attention_run(const struct sq_kernels *kernels, const struct sq_attention *a)
{
    size_t width = padded(a->keys);
    float *columns = a->scratch, *scores = columns + width * a->head_size;
    for (size_t head = 0; head < a->heads; head++) {
        size_t at = head * a->head_size;
        kernels->vector->transpose(columns, width, a->key + at, a->key_stride, a->keys, a->head_size);
        for (size_t row = 0; row < a->queries; row += QUERY_ROWS) {
            size_t rows = a->queries - row < QUERY_ROWS ? a->queries - row : QUERY_ROWS;
            score(kernels, a, at, row, rows, scores, columns, width);
            if (a->bias) add_bias(a, head, row, rows, scores, width);
            kernels->vector->softmax(scores, width, rows, a->keys);
            mix(kernels, a, at, row, rows, scores, width);
        }
    }
}
