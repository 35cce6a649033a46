/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/kernels/kernels.h"

enum { LANES = 16 }; /* as in vector.inc */

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size)
{
    size_t width = ((size_t)keys + LANES - 1) / LANES * LANES;
    return width * ((size_t)head_size + 1); /* one query's scores, and the keys as columns */
}

static bool always(void) { return true; }

#if defined(__x86_64__)
/* The compiler's check covers both the CPU and the operating system's saving of the registers. */
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw");
}
#endif

/* Widest first. */
static const struct {
    const struct sq_kernels *kernels;
    bool (*runs_here)(void);
} choices[] = {
#if defined(__x86_64__)
    {&sq_kernels_avx512, has_avx512},
    {&sq_kernels_avx2, has_avx2},
#endif
    {&sq_kernels_openblas, always},
};

const struct sq_kernels *sq_kernels_choose(const char *isa)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (isa && strcmp(isa, choices[i].kernels->isa) != 0) continue;
        if (choices[i].runs_here()) return choices[i].kernels;
    }
    return NULL;
}

static size_t panels(const struct sq_kernels *kernels, size_t outputs) { return (outputs + kernels->panel - 1) / kernels->panel; }

size_t sq_kernels_packed_floats(const struct sq_kernels *kernels, size_t outputs, size_t inputs)
{
    return kernels->panel ? panels(kernels, outputs) * kernels->panel * inputs : outputs * inputs;
}

void sq_kernels_pack(const struct sq_kernels *kernels, float *packed, const float *weight, size_t outputs, size_t inputs)
{
    if (!kernels->panel) {
        memcpy(packed, weight, outputs * inputs * sizeof *packed);
        return;
    }
    for (size_t first = 0; first < outputs; first += kernels->panel) {
        for (size_t k = 0; k < inputs; k++) {
            for (size_t i = 0; i < kernels->panel; i++) *packed++ = first + i < outputs ? weight[(first + i) * inputs + k] : 0.0f;
        }
    }
}
