/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/kernels/kernels.h"

enum { LANES = 16 };

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size)
{
    size_t width = ((size_t)keys + LANES - 1) / LANES * LANES;
    return width * ((size_t)head_size + 1); /* one query's scores, and the keys as columns */
}

const struct sq_kernels *sq_kernels_choose(void)
{
#if defined(__x86_64__)
    /* The compiler's check covers both the CPU and the operating system's saving of the registers. */
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return &sq_kernels_avx512;
    if (__builtin_cpu_supports("avx2")) return &sq_kernels_avx2;
#endif
    return &sq_kernels_baseline;
}
