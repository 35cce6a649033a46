/* SPDX-License-Identifier: Apache-2.0 */
#define SQ_TILE_ROWS 4
#define SQ_VECTOR sq_vector_plain
#define SQ_QUANTISE sq_quantise_plain
#include "engine/kernels/vec_plain.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/vector.inc"
#include "engine/kernels/float_tile.inc"

const struct sq_rung sq_rung_fp32_plain = {.name = "fp32", .panel = 2 * VEC_FLOATS, .group = 1, .multiply = multiply};
