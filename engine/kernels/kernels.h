/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the forward pass: matrix products are OpenBLAS's, everything between them is ours.
 *
 * Ours is plain C in engine/kernels/vector.inc, written so that the compiler turns it into vector code, and compiled once for each
 * instruction set; sq_kernels_choose takes the widest that this CPU has. All of it is row by row or text by text: a row's result never
 * depends on its neighbours. Matrices are row-major; a stride counts floats between rows. Functions only touch what they are given,
 * so any thread may call them. */
#ifndef SQ_KERNELS_H
#define SQ_KERNELS_H

#include <stddef.h>

#include "engine/base/err.h"

/* Attention of one text, over all its heads: head h uses columns [h * head_size, (h + 1) * head_size) of every row. */
struct sq_attention {
    const float *query; /* [queries, heads * head_size], already divided by sqrt(head_size) */
    size_t query_stride;
    unsigned queries;
    const float *key, *value; /* [keys, heads * head_size] each */
    size_t key_stride;        /* of both */
    unsigned keys;
    unsigned heads, head_size;
    float *context; /* out: [queries, heads * head_size] */
    size_t context_stride;
    float *scratch; /* sq_attention_scratch_floats(keys, head_size) */
};

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size);

struct sq_kernels {
    const char *isa; /* "avx512", "avx2" or "baseline" */

    /* x[r] = (x[r] - mean) / sqrt(variance + eps) * gamma + beta; x is [rows, width] */
    void (*layer_norm)(float *x, size_t rows, size_t width, const float *gamma, const float *beta, float eps);

    /* x[r] = f(x[r] + bias); erf and exp within 3e-7 of the true value */
    void (*gelu_erf)(float *x, size_t rows, size_t width, const float *bias);
    void (*gelu_tanh)(float *x, size_t rows, size_t width, const float *bias);
    void (*relu)(float *x, size_t rows, size_t width, const float *bias);

    void (*attention)(const struct sq_attention *attention);
};

extern const struct sq_kernels sq_kernels_baseline;
#if defined(__x86_64__)
extern const struct sq_kernels sq_kernels_avx2;
extern const struct sq_kernels sq_kernels_avx512;
#endif

/* The widest kernels that this CPU and its operating system run; never NULL. */
const struct sq_kernels *sq_kernels_choose(void);

/* c = a * w^T + beta * c: a is [m, k], w is [n, k], c is [m, n]. beta is 0 or 1. */
void sq_matmul(float *c, size_t c_stride, const float *a, size_t a_stride, const float *w, size_t m, size_t n, size_t k, float beta);

/* Pins OpenBLAS to one thread a call and checks that it can be called from many. SQ_E_FAILED with what to install otherwise. Any thread. */
int sq_blas_init(struct sq_err *err);

/* Threads that may be inside OpenBLAS at once: it aborts beyond its compile-time bound. */
unsigned sq_blas_threads_max(void);

#endif
