/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define SQ_VECTOR_KERNELS sq_kernels_avx2
#define SQ_VECTOR_ISA "avx2"
#define SQ_VECTOR_BYTES 32
#define SQ_VECTOR_ROWS 6
#include "engine/kernels/vector.inc"
#else
struct sq_vector_avx2_unused; /* ISO C wants a declaration in every file */
#endif
