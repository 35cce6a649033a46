/* SPDX-License-Identifier: Apache-2.0 */
/* The int8 product in plain C: what the other files must equal bit for bit, and what CPUs without one of them run. */
#include "engine/kernels/rungs.h"

enum { PANEL = 16, GROUP = 4 };

static void finish_row(const struct sq_panel *panel, size_t row, const int32_t sums[PANEL])
{
    float *out = panel->out + row * panel->out_stride, scale = panel->in_scales[row], offset = panel->in_offsets[row];
    for (size_t n = 0; n < PANEL; n++) {
        float y = (float)sums[n] * scale * panel->scale[n] + (offset * panel->sum[n] + panel->bias[n]);
        out[n] = panel->adds ? y + out[n] : y;
    }
}

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
        finish_row(panel, row, sums);
    }
}

const struct sq_rung sq_rung_int8_plain = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127,
    .multiply = multiply, .prepare = sq_quantise_plain,
};
