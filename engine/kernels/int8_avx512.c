/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product with vpdpbusd on registers of 64 bytes: sixteen sums of four products each, exact in 32 bits. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 14
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/int8_finish.inc"

enum { PANEL = 32, GROUP = 4, REGISTER_BYTES = 64, AHEAD_BYTES = 1024 };

static inline ALWAYS_INLINE __m512i four_inputs(const uint8_t *in)
{
    int32_t four;
    __builtin_memcpy(&four, in, sizeof four);
    return _mm512_set1_epi32(four);
}

static inline ALWAYS_INLINE void run_tile(const struct sq_panel *panel, size_t row, const size_t rows)
{
    sums low[SQ_TILE_ROWS], high[SQ_TILE_ROWS];
    size_t stride = panel->in_stride_bytes;
    const uint8_t *in = (const uint8_t *)panel->in + row * stride;
    const int8_t *weight = panel->weight;
    UNROLLED
    for (size_t r = 0; r < rows; r++) low[r] = high[r] = (sums){0};
    for (size_t step = panel->steps; step > 0; step--, in += GROUP, weight += PANEL * GROUP) {
        __m512i weight_low = _mm512_loadu_si512(weight), weight_high = _mm512_loadu_si512(weight + REGISTER_BYTES);
        _mm_prefetch((const char *)weight + AHEAD_BYTES, _MM_HINT_T0);
        _mm_prefetch((const char *)weight + AHEAD_BYTES + REGISTER_BYTES, _MM_HINT_T0);
        UNROLLED
        for (size_t r = 0; r < rows; r++) {
            __m512i x = four_inputs(in + r * stride);
            low[r] = (sums)_mm512_dpbusd_epi32((__m512i)low[r], x, weight_low);
            high[r] = (sums)_mm512_dpbusd_epi32((__m512i)high[r], x, weight_high);
        }
    }
    finish_tile(panel, row, rows, 0, low);
    finish_tile(panel, row, rows, VEC_FLOATS, high);
}

#include "engine/kernels/tiles.inc"

const struct sq_rung sq_rung_int8_avx512 = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127,
    .multiply = multiply, .prepare = sq_quantise_avx512,
};
#else
struct sq_int8_avx512_unused; /* ISO C wants a declaration in every file */
#endif
