/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#include <immintrin.h>

#define SQ_VECTOR_KERNELS sq_kernels_avx2
#define SQ_VECTOR_ISA "avx2"
#define SQ_VECTOR_ROWS 6
#define SQ_VECTOR_TYPE __m256
#define SQ_VECTOR_SPREAD _mm256_set1_ps
#define SQ_VECTOR_MULTIPLY_ADD _mm256_fmadd_ps
#include "engine/kernels/vector.inc"
#else
struct sq_vector_avx2_unused; /* ISO C wants a declaration in every file */
#endif
