/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as the products read them: [outputs / panel][inputs / group][panel][group], zeros where there is no output or input. */
#include <math.h>
#include <string.h>

#include "engine/kernels/kernels.h"

enum { TURN_MAX = 8 /* inputs whose products a kernel adds up in 16 bits at most */ };

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

/* A kernel that adds up in 16 bits holds so much of weights of one sign, whatever the inputs. */
static int lane_max(const struct sq_rung *rung) { return INT16_MAX / (int)rung->input_max; }

/* Takes from the largest weights of one sign that meet in one 16-bit sum until they fit: of a turn's inputs every other pair. */
static void fit_lane(int8_t *q, size_t turn, size_t lane, int sign, int most)
{
    for (;;) {
        int sum = 0;
        size_t largest = 2 * lane;
        for (size_t i = 0; i < turn; i++) {
            if (i / 2 % 2 != lane || sign * q[i] <= 0) continue;
            sum += sign * q[i];
            if (sign * q[i] > sign * q[largest]) largest = i;
        }
        if (sum <= most) return;
        q[largest] = (int8_t)(q[largest] - sign);
    }
}

static size_t turn_of(const struct sq_rung *rung) { return rung->group * (rung->lane_groups ? rung->lane_groups : 1); }

/* The weights of a turn's inputs, from `first` on, in units. */
static void quantise_turn(const struct sq_linear *linear, const float *row, size_t first, float per_unit, int8_t q[TURN_MAX])
{
    const struct sq_rung *rung = linear->rung;
    float most = (float)rung->weight_max;
    size_t turn = turn_of(rung);
    for (size_t i = 0; i < turn; i++) {
        size_t k = first + i;
        q[i] = k < linear->inputs ? (int8_t)fmaxf(-most, fminf(most, rintf(adapted(linear, k, row[k]) * per_unit))) : 0;
    }
    for (size_t lane = 0; rung->lane_groups && lane < 2; lane++) {
        fit_lane(q, turn, lane, 1, lane_max(rung));
        fit_lane(q, turn, lane, -1, lane_max(rung));
    }
}

/* The sum of squares that a row of weights loses in units of `scale`; some of it, at least `enough`, if it is more than that. */
static float loss(const struct sq_linear *linear, const float *row, float scale, float enough)
{
    float sum = 0;
    for (size_t first = 0; first < linear->inputs && sum <= enough; first += turn_of(linear->rung)) {
        int8_t q[TURN_MAX];
        quantise_turn(linear, row, first, 1.0f / scale, q);
        for (size_t i = 0; i < turn_of(linear->rung) && first + i < linear->inputs; i++) {
            float lost = adapted(linear, first + i, row[first + i]) - scale * (float)q[i];
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

static void pack_row_int8(struct sq_linear *linear, size_t output, const float *row)
{
    int8_t *packed = linear->weight;
    size_t padded = sq_linear_padded_inputs(linear);
    float largest = 0;
    double taken = 0;
    int32_t sum = 0;
    for (size_t k = 0; k < linear->inputs; k++) {
        float weight = adapted(linear, k, row[k]);
        largest = fmaxf(largest, fabsf(weight));
        if (linear->gain) taken += (double)weight * (double)linear->shift[k];
    }
    float scale = choose_scale(linear, row, largest), per_unit = scale > 1e-30f ? 1.0f / scale : 0.0f;
    for (size_t first = 0; first < linear->inputs; first += turn_of(linear->rung)) {
        int8_t q[TURN_MAX];
        quantise_turn(linear, row, first, per_unit, q);
        for (size_t i = 0; i < turn_of(linear->rung); i++) {
            packed[packed_at(linear->rung, padded, output, first + i)] = q[i];
            sum += q[i];
        }
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
