/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product on AVX2, whose only multiplication of bytes adds two products in 16 bits and saturates there. Weights are packed so that four
 * products fit whatever the inputs (lane_groups), so two of these sums of two are added in 16 bits before they are widened to 32, which saves a
 * third of the work. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 4
#include "engine/kernels/vec_avx2.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/sums_int8.inc"
#include "engine/kernels/bytes_avx2.inc"

enum { TURN_GROUPS = 2 };

static inline ALWAYS_INLINE sums add_products(sums sum, const lanes *inputs, const lanes *weights)
{
    __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(inputs[0], weights[0]), _mm256_maddubs_epi16(inputs[1], weights[1]));
    return (sums)_mm256_add_epi32((__m256i)sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "engine/kernels/tile.inc"

const struct sq_rung sq_rung_int8_avx2 = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .cost = 12, .lane_groups = 2,
    .multiply = multiply, .prepare = sq_quantise_avx2,
};
#else
struct sq_int8_avx2_unused; /* ISO C wants a declaration in every file */
#endif
