/* SPDX-License-Identifier: Apache-2.0 */
#define SQ_VECTOR_KERNELS sq_kernels_openblas
#define SQ_VECTOR_ISA "openblas"
#include "engine/kernels/vector.inc"
