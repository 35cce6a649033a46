/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/kernels/kernels.h"

enum { ROWS = 39, INPUTS = 128, FLOATS = SQ_PANEL_MAX + ROWS };

/* Bytes that look random and are the same everywhere (the upper ones of a linear congruence). */
static void fill(uint8_t *bytes, size_t count)
{
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

bool sq_rung_agrees(const struct sq_rung *rung, const struct sq_rung *twin)
{
    uint8_t in[ROWS * INPUTS], weight[SQ_PANEL_MAX * INPUTS];
    float out[2][ROWS * SQ_PANEL_MAX], factors[FLOATS], offsets[FLOATS];
    fill(in, sizeof in);
    fill(weight, sizeof weight);
    for (size_t i = 0; i < FLOATS; i++) {
        factors[i] = 0.01f + 0.001f * (float)i;
        offsets[i] = 0.5f - 0.01f * (float)i;
    }
    for (int i = 0; i < 2; i++) {
        const struct sq_panel panel = {
            .out = out[i], .out_stride = rung->panel, .in = in, .in_stride_bytes = INPUTS, .in_scales = factors, .in_offsets = offsets,
            .weight = weight, .steps = INPUTS / rung->group, .bias = offsets, .scale = factors, .sum = offsets,
        };
        (i == 0 ? rung : twin)->multiply(&panel, ROWS);
    }
    return memcmp(out[0], out[1], ROWS * rung->panel * sizeof(float)) == 0;
}
