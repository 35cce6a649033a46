/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product with vpdpbusd on registers of 32 bytes, for CPUs that have it without AVX-512. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 6
#include "engine/kernels/vec_avx2.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/sums_int8.inc"
#include "engine/kernels/bytes_avx2.inc"

enum { TURN_GROUPS = 1 };

static inline ALWAYS_INLINE sums add_products(sums sum, const lanes *inputs, const lanes *weights)
{
    return (sums)_mm256_dpbusd_avx_epi32((__m256i)sum, *inputs, *weights);
}

#include "engine/kernels/tile.inc"

const struct sq_rung sq_rung_int8_avxvnni = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .cost = 8,
    .multiply = multiply, .prepare = sq_quantise_avx2,
};
#else
struct sq_int8_avxvnni_unused; /* ISO C wants a declaration in every file */
#endif
