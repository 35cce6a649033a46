/* SPDX-License-Identifier: Apache-2.0 */
/* The product of 16-bit floats with vdpbf16ps: two products a lane and step, summed up in fp32. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 14
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"

enum { PANEL = 32, GROUP = 2, REGISTER_HALVES = 32 };

static inline ALWAYS_INLINE __m512bh load_halves(const uint16_t *from)
{
    __m512bh halves;
    __builtin_memcpy(&halves, from, sizeof halves);
    return halves;
}

static inline ALWAYS_INLINE __m512bh two_inputs(const uint16_t *in)
{
    int32_t two;
    __m512i all;
    __m512bh halves;
    __builtin_memcpy(&two, in, sizeof two);
    all = _mm512_set1_epi32(two);
    __builtin_memcpy(&halves, &all, sizeof halves);
    return halves;
}

static inline ALWAYS_INLINE void finish_vec(const struct sq_panel *panel, size_t row, size_t column, vec sum)
{
    float *out = panel->out + row * panel->out_stride + column;
    sum = vec_add(sum, vec_load(panel->bias + column));
    if (panel->adds) sum = vec_add(sum, vec_load(out));
    vec_store(out, sum);
}

static inline ALWAYS_INLINE void run_tile(const struct sq_panel *panel, size_t row, const size_t rows)
{
    vec low[SQ_TILE_ROWS], high[SQ_TILE_ROWS];
    size_t stride = panel->in_stride_bytes / sizeof(uint16_t);
    const uint16_t *in = (const uint16_t *)panel->in + row * stride, *weight = panel->weight;
    UNROLLED
    for (size_t r = 0; r < rows; r++) low[r] = high[r] = vec_set(0.0f);
    for (size_t step = panel->steps; step > 0; step--, in += GROUP, weight += PANEL * GROUP) {
        __m512bh weight_low = load_halves(weight), weight_high = load_halves(weight + REGISTER_HALVES);
        UNROLLED
        for (size_t r = 0; r < rows; r++) {
            __m512bh x = two_inputs(in + r * stride);
            low[r] = _mm512_dpbf16_ps(low[r], x, weight_low);
            high[r] = _mm512_dpbf16_ps(high[r], x, weight_high);
        }
    }
    UNROLLED
    for (size_t r = 0; r < rows; r++) {
        finish_vec(panel, row + r, 0, low[r]);
        finish_vec(panel, row + r, VEC_FLOATS, high[r]);
    }
}

#include "engine/kernels/tiles.inc"

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

const struct sq_rung sq_rung_bf16_avx512 = {.name = "bf16", .is_bf16 = true, .panel = PANEL, .group = GROUP, .multiply = multiply, .prepare = round_row};
#else
struct sq_bf16_avx512_unused; /* ISO C wants a declaration in every file */
#endif
