/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "engine/kernels/rungs.h"

static bool always(void) { return true; }

#if defined(__x86_64__)
/* The compiler's check covers both the CPU and the operating system's saving of the registers. clang 14 has no name for F16C. */
static bool has_avx2(void)
{
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 29 & 1u);
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw");
}

static bool has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
static bool has_bf16(void) { return has_vnni() && __builtin_cpu_supports("avx512bf16"); }

/* AMX-TILE and AMX-INT8, and Linux's leave to use the tiles' 8 KiB of state, which holds for all threads from then on; it is refused where the
 * kernel doesn't save them. No CPU with AMX was at hand when ours was written, so it is tried before it is used. */
static bool has_amx(void)
{
    enum { TILE_BIT = 24, INT8_BIT = 25, TILE_DATA = 18 };
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!has_bf16() || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(edx >> TILE_BIT & 1u) || !(edx >> INT8_BIT & 1u)) return false;
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0 && sq_rung_agrees(&sq_rung_int8_amx, &sq_rung_int8_avx512);
}

/* Leaf 7, subleaf 1: the compilers' check has no name for this bit yet. */
static bool has_avxvnni(void)
{
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1u);
}
#endif

#define FP32_AVX512 .tile = &sq_rung_fp32_avx512, .vector = &sq_vector_avx512, .rows_multiple = 1
#define FP32_AVX2 .tile = &sq_rung_fp32_avx2, .vector = &sq_vector_avx2, .rows_multiple = 1

/* Widest first. avx512 without vpdpbusd multiplies bytes as avx2 does. */
static const struct {
    struct sq_kernels kernels;
    bool (*runs_here)(void);
} choices[] = {
#if defined(__x86_64__)
    {{.isa = "amx", .caveat = "int8 with AMX has run on a model of its instructions only; here it agreed with AVX-512 before it was chosen",
      .ladder = {&sq_rung_int8_amx, &sq_rung_bf16_avx512, &sq_rung_fp32_avx512}, FP32_AVX512}, has_amx},
    {{.isa = "avx512bf16", .ladder = {&sq_rung_int8_avx512, &sq_rung_bf16_avx512, &sq_rung_fp32_avx512}, FP32_AVX512}, has_bf16},
    {{.isa = "avx512vnni", .ladder = {&sq_rung_int8_avx512, &sq_rung_fp32_avx512}, FP32_AVX512}, has_vnni},
    {{.isa = "avx512", .ladder = {&sq_rung_int8_avx2, &sq_rung_a8w7_avx2, &sq_rung_fp32_avx512}, FP32_AVX512}, has_avx512},
    {{.isa = "avxvnni", .ladder = {&sq_rung_int8_avxvnni, &sq_rung_fp32_avx2}, FP32_AVX2}, has_avxvnni},
    {{.isa = "avx2", .ladder = {&sq_rung_int8_avx2, &sq_rung_a8w7_avx2, &sq_rung_fp32_avx2}, FP32_AVX2}, has_avx2},
#endif
    {{.isa = "openblas", .ladder = {&sq_rung_int8_plain, &sq_rung_fp32_blas}, .tile = &sq_rung_fp32_plain, .vector = &sq_vector_plain,
      .rows_multiple = 12 /* OpenBLAS's tiles: see encoder.c */, .is_blas = true}, always},
};

const struct sq_kernels *sq_kernels_choose(const char *isa)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (isa && strcmp(isa, choices[i].kernels.isa) != 0) continue;
        if (choices[i].runs_here()) return &choices[i].kernels;
    }
    return NULL;
}

const char *sq_kernels_name(size_t index) { return index < sizeof choices / sizeof *choices ? choices[index].kernels.isa : NULL; }

const struct sq_rung *sq_kernels_rung(const struct sq_kernels *kernels, const char *name)
{
    for (size_t i = 0; kernels->ladder[i]; i++) {
        if (strcmp(kernels->ladder[i]->name, name) == 0) return kernels->ladder[i];
    }
    return NULL;
}

const struct sq_rung *sq_kernels_fp32(const struct sq_kernels *kernels) { return sq_kernels_rung(kernels, "fp32"); }
