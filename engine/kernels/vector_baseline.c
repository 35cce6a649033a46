/* SPDX-License-Identifier: Apache-2.0 */
#define SQ_VECTOR_KERNELS sq_kernels_baseline
#define SQ_VECTOR_ISA "baseline"
#include "engine/kernels/vector.inc"
