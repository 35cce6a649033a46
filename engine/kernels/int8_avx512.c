/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product with vpdpbusd on registers of 64 bytes: sixteen sums of four products each, exact in 32 bits. */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 14
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/sums_int8.inc"

typedef uint8_t input_value;
typedef int8_t weight_value;
typedef __m512i lanes;

enum { PANEL = 32, GROUP = 4, TURN_GROUPS = 1 };

static inline ALWAYS_INLINE size_t weight_step(const struct sq_panel *panel) { return (void)panel, PANEL * GROUP; }
static inline ALWAYS_INLINE lanes load_weights(const int8_t *weights) { return _mm512_loadu_si512(weights); }

static inline ALWAYS_INLINE lanes spread_inputs(const uint8_t *inputs)
{
    int32_t four;
    __builtin_memcpy(&four, inputs, sizeof four);
    return _mm512_set1_epi32(four);
}

static inline ALWAYS_INLINE sums add_products(sums sum, const lanes *inputs, const lanes *weights)
{
    return (sums)_mm512_dpbusd_epi32((__m512i)sum, *inputs, *weights);
}

#include "engine/kernels/tile.inc"

const struct sq_rung sq_rung_int8_avx512 = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .cost = 4,
    .multiply = multiply, .prepare = sq_quantise_avx512,
};
#else
struct sq_int8_avx512_unused; /* ISO C wants a declaration in every file */
#endif
