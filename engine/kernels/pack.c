/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as the products read them: [outputs / panel][inputs / group][panel][group], zeros where there is no output or input. */
#include <math.h>
#include <string.h>

#include "engine/kernels/kernels.h"

/* Where weight [output, input] lies, counted in values. */
static size_t packed_at(const struct sq_rung *rung, size_t padded_inputs, size_t output, size_t input)
{
    size_t panel = rung->panel, group = rung->group;
    return output / panel * panel * padded_inputs + input / group * panel * group + output % panel * group + input % group;
}

/* The nearest 16-bit float, to even where two are as near. */
static uint16_t round_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static void pack_row_fp32(struct sq_linear *linear, size_t output, const float *row)
{
    float *packed = linear->weight;
    for (size_t k = 0; k < linear->inputs; k++) packed[packed_at(linear->rung, linear->inputs, output, k)] = row[k];
}

static void pack_row_bf16(struct sq_linear *linear, size_t output, const float *row)
{
    uint16_t *packed = linear->weight;
    size_t padded = sq_linear_padded_inputs(linear);
    for (size_t k = 0; k < linear->inputs; k++) packed[packed_at(linear->rung, padded, output, k)] = round_bf16(row[k]);
}

/* x is quantised as gain * x + shift, so the weight is divided by the gain, and what the shift adds is taken off the bias:
 * w x = (w / gain) (gain x + shift) - (w / gain) shift. */
static float adapted(const struct sq_linear *linear, size_t k, float weight) { return linear->gain ? weight / linear->gain[k] : weight; }

static void pack_row_int8(struct sq_linear *linear, size_t output, const float *row)
{
    int8_t *packed = linear->weight;
    size_t padded = sq_linear_padded_inputs(linear);
    float largest = 0, weight_max = (float)linear->rung->weight_max;
    double taken = 0;
    int32_t sum = 0;
    for (size_t k = 0; k < linear->inputs; k++) {
        float weight = adapted(linear, k, row[k]);
        largest = fmaxf(largest, fabsf(weight));
        if (linear->gain) taken += (double)weight * (double)linear->shift[k];
    }
    float scale = largest / weight_max, per_unit = scale > 1e-30f ? 1.0f / scale : 0.0f;
    for (size_t k = 0; k < linear->inputs; k++) {
        float q = rintf(adapted(linear, k, row[k]) * per_unit);
        int8_t value = (int8_t)fmaxf(-weight_max, fminf(weight_max, q));
        packed[packed_at(linear->rung, padded, output, k)] = value;
        sum += value;
    }
    linear->scale[output] = scale;
    linear->sum[output] = scale * (float)sum;
    linear->bias[output] -= (float)taken;
}

void sq_linear_pack(struct sq_linear *linear, const float *weight)
{
    const struct sq_rung *rung = linear->rung;
    void (*pack_row)(struct sq_linear *, size_t, const float *) = rung->is_int8 ? pack_row_int8 : rung->is_bf16 ? pack_row_bf16 : pack_row_fp32;
    if (!rung->panel) {
        memcpy(linear->weight, weight, linear->outputs * linear->inputs * sizeof *weight);
        return;
    }
    for (size_t output = 0; output < linear->outputs; output++) pack_row(linear, output, weight + output * linear->inputs);
}
