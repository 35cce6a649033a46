/* SPDX-License-Identifier: Apache-2.0 */
/* Products panel by panel: a panel is used for all rows before the next one is touched, so it stays in the first or second cache. */
#include <math.h>
#include <string.h>

#include "engine/kernels/kernels.h"

enum { ALIGN_BYTES = 64, COLUMN_ROWS = 16 };

static size_t rounded(size_t count, size_t multiple) { return (count + multiple - 1) / multiple * multiple; }

static size_t value_bytes(const struct sq_rung *rung) { return rung->is_int8 ? 1 : rung->is_bf16 ? sizeof(uint16_t) : sizeof(float); }

/* Inputs as they lie in an operand and in packed weights: zeros fill the last cache line of bytes and halves. */
static size_t padded_inputs(const struct sq_rung *rung, size_t inputs)
{
    return rung->is_int8 || rung->is_bf16 ? rounded(inputs, ALIGN_BYTES / value_bytes(rung)) : inputs;
}

size_t sq_linear_padded(size_t outputs) { return rounded(outputs, SQ_PANEL_MAX); }

static size_t weight_bytes(const struct sq_rung *rung, size_t outputs, size_t inputs)
{
    size_t lines = rung->panel ? rounded(outputs, rung->panel) : outputs;
    return rounded(lines * padded_inputs(rung, inputs) * value_bytes(rung), ALIGN_BYTES);
}

static size_t vector_bytes(size_t count) { return sq_linear_padded(count) * sizeof(float); }

size_t sq_linear_bytes(const struct sq_rung *rung, size_t outputs, size_t inputs)
{
    size_t bytes = weight_bytes(rung, outputs, inputs) + vector_bytes(outputs);
    return rung->is_int8 ? bytes + 2 * vector_bytes(outputs) + 2 * vector_bytes(inputs) : bytes;
}

void sq_linear_place(struct sq_linear *linear, void *memory, bool is_smoothed)
{
    unsigned char *at = memory;
    linear->weight = at;
    at += weight_bytes(linear->rung, linear->outputs, linear->inputs);
    float **vectors[] = {&linear->bias, &linear->scale, &linear->sum, &linear->gain, &linear->shift};
    size_t counts[] = {linear->outputs, linear->outputs, linear->outputs, linear->inputs, linear->inputs};
    size_t used = !linear->rung->is_int8 ? 1 : is_smoothed ? 5 : 3;
    for (size_t i = 0; i < used; i++) {
        *vectors[i] = (float *)(void *)at;
        at += vector_bytes(counts[i]);
    }
}

size_t sq_operand_bytes_max(size_t inputs) { return rounded(inputs * sizeof(uint16_t), ALIGN_BYTES); }

size_t sq_linear_padded_inputs(const struct sq_linear *linear) { return padded_inputs(linear->rung, linear->inputs); }

static size_t operand_stride_bytes(const struct sq_linear *linear) { return sq_linear_padded_inputs(linear) * value_bytes(linear->rung); }

struct sq_operand_space sq_operand_space_from(const struct sq_linear *linear, const struct sq_operand_space *space, size_t first)
{
    return (struct sq_operand_space){(unsigned char *)space->rows + first * operand_stride_bytes(linear), space->scales + first, space->offsets + first};
}

struct sq_operand sq_operand_make(const struct sq_linear *linear, const struct sq_operand_space *space, const float *x, size_t x_stride,
                                  size_t rows)
{
    if (!linear->rung->prepare) return (struct sq_operand){x, x_stride * sizeof *x, NULL, NULL};
    size_t stride_bytes = operand_stride_bytes(linear);
    for (size_t row = 0; row < rows; row++)
        linear->rung->prepare(linear, (unsigned char *)space->rows + row * stride_bytes, space->scales + row, space->offsets + row, x + row * x_stride);
    return (struct sq_operand){space->rows, stride_bytes, space->scales, space->offsets};
}

void sq_panel_run(const struct sq_rung *rung, const struct sq_panel *panel, size_t rows, size_t columns)
{
    float square[COLUMN_ROWS * SQ_PANEL_MAX];
    struct sq_panel part = *panel;
    if (columns >= rung->panel) {
        rung->multiply(panel, rows);
        return;
    }
    part.out = square;
    part.out_stride = rung->panel;
    for (size_t row = 0; row < rows; row += COLUMN_ROWS) {
        size_t height = rows - row < COLUMN_ROWS ? rows - row : COLUMN_ROWS;
        float *out = panel->out + row * panel->out_stride;
        for (size_t r = 0; panel->adds && r < height; r++) memcpy(square + r * rung->panel, out + r * panel->out_stride, columns * sizeof *out);
        rung->multiply(&part, height);
        for (size_t r = 0; r < height; r++) memcpy(out + r * panel->out_stride, square + r * rung->panel, columns * sizeof *out);
        part.in = (const unsigned char *)part.in + height * part.in_stride_bytes;
        if (part.in_scales) part.in_scales += height, part.in_offsets += height;
    }
}

static const float *at_or_null(const float *vector, size_t at) { return vector ? vector + at : NULL; }

void sq_linear_apply(const struct sq_linear *linear, size_t first, size_t outputs, float *out, size_t out_stride, const struct sq_operand *in,
                     size_t rows, enum sq_linear_mode mode)
{
    const struct sq_rung *rung = linear->rung;
    size_t output_bytes = padded_inputs(rung, linear->inputs) * value_bytes(rung);
    if (!rung->multiply) {
        sq_blas_apply(linear, first, outputs, out, out_stride, in->rows, in->stride_bytes / sizeof(float), rows, mode);
        return;
    }
    for (size_t n = 0; n < outputs; n += rung->panel) {
        size_t at = first + n;
        const unsigned char *weight = (const unsigned char *)linear->weight + at * output_bytes;
        const struct sq_panel panel = {
            .out = out + n,
            .out_stride = out_stride,
            .in = in->rows,
            .in_stride_bytes = in->stride_bytes,
            .in_scales = in->scales,
            .in_offsets = in->offsets,
            .weight = weight,
            .next = weight + rung->panel * output_bytes, /* behind the last panel, most likely, the next product's first */
            .weight_step_floats = rung->panel,
            .steps = padded_inputs(rung, linear->inputs) / rung->group,
            .bias = linear->bias + at,
            .scale = at_or_null(linear->scale, at),
            .sum = at_or_null(linear->sum, at),
            .adds = mode == SQ_LINEAR_ADD,
        };
        sq_panel_run(rung, &panel, rows, outputs - n);
    }
}

void sq_linear_apply_floats(const struct sq_linear *linear, float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows)
{
    const struct sq_operand operand = {in, in_stride * sizeof *in, NULL, NULL};
    sq_linear_apply(linear, 0, linear->outputs, out, out_stride, &operand, rows, SQ_LINEAR_SET);
}
