/* SPDX-License-Identifier: Apache-2.0 */
/* The product of 16-bit floats with vdpbf16ps: two products a lane and step, summed up in fp32. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 14
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/finish_float.inc"

typedef uint16_t input_value, weight_value;
typedef __m512bh lanes;

enum { PANEL = 32, GROUP = 2, TURN_GROUPS = 1 };

static inline ALWAYS_INLINE size_t weight_step(const struct sq_panel *panel) { return (void)panel, PANEL * GROUP; }

static inline ALWAYS_INLINE lanes load_weights(const uint16_t *weights)
{
    lanes halves;
    __builtin_memcpy(&halves, weights, sizeof halves);
    return halves;
}

static inline ALWAYS_INLINE lanes spread_inputs(const uint16_t *inputs)
{
    int32_t two;
    __builtin_memcpy(&two, inputs, sizeof two);
    __m512i all = _mm512_set1_epi32(two);
    lanes halves;
    __builtin_memcpy(&halves, &all, sizeof halves);
    return halves;
}

static inline ALWAYS_INLINE sums add_products(sums sum, const lanes *inputs, const lanes *weights)
{
    return _mm512_dpbf16_ps(sum, *inputs, *weights);
}

#include "engine/kernels/tile.inc"

static void round_row(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x)
{
    uint16_t *to = row;
    (void)scale, (void)offset;
    for (size_t i = 0; i < sq_linear_padded_inputs(linear); i += VEC_FLOATS) {
        size_t left = i < linear->inputs ? linear->inputs - i : 0; /* zeros to the end: weights are zero there, but that times NaN is NaN */
        vec some = left < VEC_FLOATS ? vec_load_some(x + i, left, 0.0f) : vec_load(x + i);
        __m256bh halves = _mm512_cvtneps_pbh(some);
        __builtin_memcpy(to + i, &halves, sizeof halves);
    }
}

const struct sq_rung sq_rung_bf16_avx512 = {.name = "bf16", .is_bf16 = true, .cost = 8, .panel = PANEL, .group = GROUP, .multiply = multiply, .prepare = round_row};
#else
struct sq_bf16_avx512_unused; /* ISO C wants a declaration in every file */
#endif
