/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as the products read them: [outputs / panel][inputs / group][panel][group], zeros where there is no output or input. */
#include <math.h>
#include <string.h>

#include "engine/kernels/kernels.h"

enum { CHUNK = 64 /* inputs at a time: whole turns of any kernel; packed rows are padded to it */ };

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

/* A kernel that adds up in 16 bits holds so much of weights of one sign, whatever the inputs. */
static int lane_max(const struct sq_rung *rung) { return INT16_MAX / (int)rung->input_max; }

/* What weights of one sign can add to one of the two 16-bit sums of a turn's inputs: every other pair. */
static int lane_sum(const int8_t *q, size_t turn, size_t lane, int sign)
{
    int sum = 0;
    for (size_t i = 2 * lane; i < turn; i += 4) {
        int first = sign * q[i], second = sign * q[i + 1];
        sum += (first > 0 ? first : 0) + (second > 0 ? second : 0);
    }
    return sum;
}

/* Takes from the largest of these weights until they fit. */
static void fit_lane(int8_t *q, size_t turn, size_t lane, int sign, int most)
{
    for (int sum = lane_sum(q, turn, lane, sign); sum > most; sum--) {
        size_t largest = 2 * lane;
        for (size_t i = 2 * lane; i < turn; i += i % 2 ? 3 : 1) {
            if (sign * q[i] > sign * q[largest]) largest = i;
        }
        q[largest] = (int8_t)(q[largest] - sign);
    }
}

/* Weights of a row, from `first` on, and what they are in units. */
struct chunk {
    float weights[CHUNK];
    int8_t q[CHUNK];
    size_t count; /* what follows is zero */
};

/* x is quantised as gain * x + shift, so the weight is divided by the gain, and what the shift adds is taken off the bias:
 * w x = (w / gain) (gain x + shift) - (w / gain) shift. */
static void adapt(struct chunk *chunk, const struct sq_linear *linear, const float *row, size_t first)
{
    size_t left = linear->inputs - first;
    *chunk = (struct chunk){.count = left < CHUNK ? left : CHUNK};
    for (size_t i = 0; i < chunk->count; i++) chunk->weights[i] = linear->gain ? row[first + i] / linear->gain[first + i] : row[first + i];
}

static void quantise(struct chunk *chunk, const struct sq_rung *rung, float per_unit)
{
    const float most = (float)rung->weight_max, whole = 0x1.8p23f; /* a float so large has no fraction: adding it rounds to even */
    size_t turn = rung->group * rung->lane_groups;
    for (size_t i = 0; i < CHUNK; i++) {
        float units = chunk->weights[i] * per_unit + whole - whole;
        units = units > most ? most : units;
        chunk->q[i] = (int8_t)(units < -most ? -most : units);
    }
    for (size_t i = 0; turn && i < CHUNK; i += turn) {
        for (size_t lane = 0; lane < 2; lane++) {
            fit_lane(chunk->q + i, turn, lane, 1, lane_max(rung));
            fit_lane(chunk->q + i, turn, lane, -1, lane_max(rung));
        }
    }
}

/* The sum of squares that a row of weights loses in units of `scale`; some of it, at least `enough`, if it is more than that. */
static float loss(const struct sq_linear *linear, const float *row, float scale, float enough)
{
    float sum = 0;
    for (size_t first = 0; first < linear->inputs && sum <= enough; first += CHUNK) {
        struct chunk chunk;
        adapt(&chunk, linear, row, first);
        quantise(&chunk, linear->rung, 1.0f / scale);
        for (size_t i = 0; i < chunk.count; i++) {
            float lost = chunk.weights[i] - scale * (float)chunk.q[i];
            sum += lost * lost;
        }
    }
    return sum;
}

/* The unit in which a row whose largest weight is `largest` is kept: the finest that holds it. Where sums have 16 bits, finer units cut more
 * weights short, so the one that loses least is looked for. */
static float choose_scale(const struct sq_linear *linear, const float *row, float largest)
{
    static const float shares[] = {0.7f, 1.0f, 0.85f, 0.6f, 0.5f, 0.4f, 0.25f}; /* of weight_max that the largest weight gets; likely ones first */
    float weight_max = (float)linear->rung->weight_max, best = largest / weight_max, least = INFINITY;
    if (!linear->rung->lane_groups || best <= 1e-30f) return best;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        float scale = largest / (weight_max * shares[i]), lost = loss(linear, row, scale, least);
        if (lost >= least) continue;
        least = lost;
        best = scale;
    }
    return best;
}

/* The largest magnitude among a row's weights, and what the shift adds to their product. */
static float look_at_row(const struct sq_linear *linear, const float *row, double *shifted)
{
    float largest = 0;
    for (size_t first = 0; first < linear->inputs; first += CHUNK) {
        struct chunk chunk;
        adapt(&chunk, linear, row, first);
        for (size_t i = 0; i < chunk.count; i++) {
            largest = fmaxf(largest, fabsf(chunk.weights[i]));
            if (linear->gain) *shifted += (double)chunk.weights[i] * (double)linear->shift[first + i];
        }
    }
    return largest;
}

static void pack_row_int8(struct sq_linear *linear, size_t output, const float *row)
{
    int8_t *packed = linear->weight;
    size_t padded = sq_linear_padded_inputs(linear);
    double shifted = 0;
    int32_t sum = 0;
    float scale = choose_scale(linear, row, look_at_row(linear, row, &shifted)), per_unit = scale > 1e-30f ? 1.0f / scale : 0.0f;
    for (size_t first = 0; first < linear->inputs; first += CHUNK) {
        struct chunk chunk;
        adapt(&chunk, linear, row, first);
        quantise(&chunk, linear->rung, per_unit);
        for (size_t i = 0; i < CHUNK; i++) {
            packed[packed_at(linear->rung, padded, output, first + i)] = chunk.q[i];
            sum += chunk.q[i];
        }
    }
    linear->scale[output] = scale;
    linear->sum[output] = scale * (float)sum;
    linear->bias[output] -= (float)shifted;
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
