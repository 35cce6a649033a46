/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define SQ_VECTOR_KERNELS sq_kernels_avx2
#define SQ_VECTOR_ISA "avx2"
#include "engine/kernels/vector.inc"
#else
typedef int sq_vector_; /* ISO C wants a declaration in every file */
#endif
