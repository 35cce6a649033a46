/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define SQ_TILE_ROWS 14
#define SQ_VECTOR sq_vector_avx512
#define SQ_QUANTISE sq_quantise_avx512
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/vector.inc"
#include "engine/kernels/float_tile.inc"

const struct sq_rung sq_rung_fp32_avx512 = {.name = "fp32", .cost = 16, .panel = 2 * VEC_FLOATS, .group = 1, .multiply = multiply};
#else
struct sq_float_avx512_unused; /* ISO C wants a declaration in every file */
#endif
