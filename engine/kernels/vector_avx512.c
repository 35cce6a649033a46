/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#include <immintrin.h>

#define SQ_VECTOR_KERNELS sq_kernels_avx512
#define SQ_VECTOR_ISA "avx512"
#define SQ_VECTOR_ROWS 12
#define SQ_VECTOR_TYPE __m512
#define SQ_VECTOR_SPREAD _mm512_set1_ps
#define SQ_VECTOR_MULTIPLY_ADD _mm512_fmadd_ps
#include "engine/kernels/vector.inc"
#else
struct sq_vector_avx512_unused; /* ISO C wants a declaration in every file */
#endif
