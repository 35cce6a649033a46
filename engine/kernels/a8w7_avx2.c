/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product on AVX2 with weights packed so that two products fit 16 bits (lane_groups), each such sum widened to 32 bits at once. A
 * third slower than adding four, and nearer to fp32: two weights of one sign need less room than four. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 4
#include "engine/kernels/vec_avx2.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/sums_int8.inc"
#include "engine/kernels/bytes_avx2.inc"

enum { TURN_GROUPS = 1 };

static inline ALWAYS_INLINE sums add_products(sums sum, const lanes *inputs, const lanes *weights)
{
    __m256i pairs = _mm256_maddubs_epi16(*inputs, *weights);
    return (sums)_mm256_add_epi32((__m256i)sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "engine/kernels/tile.inc"

const struct sq_rung sq_rung_a8w7_avx2 = {
    .name = "a8w7", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .cost = 16, .lane_groups = 1,
    .multiply = multiply, .prepare = sq_quantise_avx2,
};
#else
struct sq_a8w7_avx2_unused; /* ISO C wants a declaration in every file */
#endif
