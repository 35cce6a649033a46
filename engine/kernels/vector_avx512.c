/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define SQ_VECTOR_KERNELS sq_kernels_avx512
#define SQ_VECTOR_ISA "avx512"
#define SQ_VECTOR_BYTES 64
#define SQ_VECTOR_ROWS 12
#include "engine/kernels/vector.inc"
#else
struct sq_vector_avx512_unused; /* ISO C wants a declaration in every file */
#endif
