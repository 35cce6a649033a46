/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that choose.c puts together, one file each with compile flags of its own. */
#ifndef SQ_KERNELS_RUNGS_H
#define SQ_KERNELS_RUNGS_H

#include "engine/kernels/kernels.h"

extern const struct sq_vector sq_vector_plain;
extern const struct sq_rung sq_rung_fp32_blas;  /* products of rows and outputs of any number, by OpenBLAS */
extern const struct sq_rung sq_rung_fp32_plain; /* attention's */
extern const struct sq_rung sq_rung_int8_plain;

#if defined(__x86_64__)
extern const struct sq_vector sq_vector_avx2, sq_vector_avx512;
extern const struct sq_rung sq_rung_fp32_avx2, sq_rung_fp32_avx512;
extern const struct sq_rung sq_rung_bf16_avx512;
extern const struct sq_rung sq_rung_int8_avx2;   /* adds four products in 16 bits */
extern const struct sq_rung sq_rung_a8w7_avx2;   /* adds two: slower, and nearer to fp32 */
extern const struct sq_rung sq_rung_int8_avxvnni, sq_rung_int8_avx512, sq_rung_int8_amx;
#endif

/* sq_rung.prepare of the int8 rungs, and of bf16. */
void sq_quantise_plain(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x);
void sq_quantise_avx2(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x);
void sq_quantise_avx512(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x);

#endif
