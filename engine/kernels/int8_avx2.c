/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product on AVX2, whose only multiplication of bytes adds two products in 16 bits and saturates there. With inputs of 7 bits and
 * weights to 64, four products are 127 * 64 * 4 = 32512 at most and fit: so two of these sums of two are added in 16 bits before they are
 * widened to 32, which saves a third of the work. */
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

static inline ALWAYS_INLINE __m256i add_eight(__m256i sum, __m256i first, __m256i second, __m256i weight_first, __m256i weight_second)
{
    __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(first, weight_first), _mm256_maddubs_epi16(second, weight_second));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static inline ALWAYS_INLINE void run_tile(const struct sq_panel *panel, size_t row, const size_t rows)
{
    sums low[SQ_TILE_ROWS], high[SQ_TILE_ROWS];
    size_t stride = panel->in_stride_bytes;
    const uint8_t *in = (const uint8_t *)panel->in + row * stride;
    const int8_t *weight = panel->weight;
    UNROLLED
    for (size_t r = 0; r < rows; r++) low[r] = high[r] = (sums){0};
    for (size_t step = panel->steps; step > 0; step -= 2, in += 2 * GROUP, weight += 2 * PANEL * GROUP) {
        __m256i first_low = load_weights(weight), first_high = load_weights(weight + REGISTER_BYTES);
        __m256i second_low = load_weights(weight + 2 * REGISTER_BYTES), second_high = load_weights(weight + 3 * REGISTER_BYTES);
        UNROLLED
        for (size_t r = 0; r < rows; r++) {
            __m256i first = four_inputs(in + r * stride), second = four_inputs(in + r * stride + GROUP);
            low[r] = (sums)add_eight((__m256i)low[r], first, second, first_low, second_low);
            high[r] = (sums)add_eight((__m256i)high[r], first, second, first_high, second_high);
        }
    }
    finish_tile(panel, row, rows, 0, low);
    finish_tile(panel, row, rows, VEC_FLOATS, high);
}

#include "engine/kernels/tiles.inc"

const struct sq_rung sq_rung_int8_avx2 = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 127, .weight_max = 64,
    .multiply = multiply, .prepare = sq_quantise_avx2,
};
#else
struct sq_int8_avx2_unused; /* ISO C wants a declaration in every file */
#endif
