/* SPDX-License-Identifier: Apache-2.0 */
/* For loops of constant length whose array of sums is to live in registers. */
#ifndef SQ_KERNELS_UNROLL_H
#define SQ_KERNELS_UNROLL_H

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define ALWAYS_INLINE __attribute__((always_inline))

#endif
