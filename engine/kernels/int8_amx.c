/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product with AMX: 16 rows by 16 outputs by 64 inputs an instruction, exact in 32 bits. */
#if defined(__x86_64__)
#include "engine/kernels/vec_avx512.h"
#include "engine/kernels/amx_tiles.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/finish_int8.inc"
#include "engine/kernels/int8_amx.inc"

const struct sq_rung sq_rung_int8_amx = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .cost = 1,
    .multiply = multiply, .prepare = sq_quantise_avx512,
};
#else
struct sq_int8_amx_unused; /* ISO C wants a declaration in every file */
#endif
