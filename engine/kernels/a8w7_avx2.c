/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product on AVX2 with inputs of all 8 bits: two products are 255 * 64 * 2 = 32640 at most, so each sum of two is widened to 32 bits
 * at once. A third slower than 7 bits by 7, and nearer to fp32. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 4
#include "engine/kernels/vec_avx2.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/int8_finish.inc"

enum { PANEL = 16, GROUP = 4, REGISTER_BYTES = 32 };

static inline ALWAYS_INLINE __m256i load_weights(const int8_t *weight) { return _mm256_loadu_si256((const __m256i *)(const void *)weight); }

static inline ALWAYS_INLINE __m256i four_inputs(const uint8_t *in)
{
    int32_t four;
    __builtin_memcpy(&four, in, sizeof four);
    return _mm256_set1_epi32(four);
}

static inline ALWAYS_INLINE __m256i add_four(__m256i sum, __m256i inputs, __m256i weights)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(inputs, weights), _mm256_set1_epi16(1)));
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
        __m256i weight_low = load_weights(weight), weight_high = load_weights(weight + REGISTER_BYTES);
        UNROLLED
        for (size_t r = 0; r < rows; r++) {
            __m256i x = four_inputs(in + r * stride);
            low[r] = (sums)add_four((__m256i)low[r], x, weight_low);
            high[r] = (sums)add_four((__m256i)high[r], x, weight_high);
        }
    }
    finish_tile(panel, row, rows, 0, low);
    finish_tile(panel, row, rows, VEC_FLOATS, high);
}

#include "engine/kernels/tiles.inc"

const struct sq_rung sq_rung_a8w7_avx2 = {
    .name = "a8w7", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 64,
    .multiply = multiply, .prepare = sq_quantise_avx2,
};
#else
struct sq_a8w7_avx2_unused; /* ISO C wants a declaration in every file */
#endif
