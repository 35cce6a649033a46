/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product in plain C: what the other files must equal bit for bit, and what CPUs without one of them run. */
#include "engine/kernels/vec_plain.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "engine/kernels/finish_int8.inc"

enum { PANEL = 16, GROUP = 4 };

static void multiply(const struct sq_panel *panel, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        const uint8_t *in = (const uint8_t *)panel->in + row * panel->in_stride_bytes;
        const int8_t *weight = panel->weight;
        int32_t sums[PANEL] = {0};
        for (size_t step = 0; step < panel->steps; step++, in += GROUP, weight += PANEL * GROUP) {
            for (size_t n = 0; n < PANEL; n++) {
                for (size_t k = 0; k < GROUP; k++) sums[n] += in[k] * weight[n * GROUP + k];
            }
        }
        for (size_t n = 0; n < PANEL; n += VEC_FLOATS) {
            const struct finish finish = finish_begin(panel, row, n);
            finish_row(&finish, 0, vec_load_i32(sums + n));
        }
    }
}

const struct sq_rung sq_rung_int8_plain = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127,
    .multiply = multiply, .prepare = sq_quantise_plain,
};
