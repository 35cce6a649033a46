/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the forward pass, in a table of functions a instruction set.
 *
 * engine/kernels/vector.inc is plain C, written so that the compiler turns it into vector code, and compiled once for each instruction
 * set; AVX2 and AVX-512 have their own matrix product there, everything else takes OpenBLAS's. All of it is row by row or text by
 * text, and what a row's result is made of is added in one order, so its bits don't depend on its neighbours. Matrices are row-major; a
 * stride counts floats between rows. Functions only touch what they are given, so any thread may call them. */
#ifndef SQ_KERNELS_H
#define SQ_KERNELS_H

#include <stdbool.h>
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
    const float *bias;  /* NULL, or added to the scores: bias[h * bias_stride + j - i] for head h, query i and key j */
    size_t bias_stride; /* from head to head */
    float *context; /* out: [queries, heads * head_size] */
    size_t context_stride;
    float *scratch; /* sq_attention_scratch_floats(keys, head_size) */
};

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size);

/* y = x W^T + b: W is [outputs, inputs], laid out by sq_kernels_pack, b is [outputs]. */
struct sq_linear {
    float *weight;
    float *bias;
    size_t outputs, inputs;
};

enum sq_linear_mode { SQ_LINEAR_SET, SQ_LINEAR_ADD }; /* out = y, out = out + y */

struct sq_kernels {
    const char *isa;      /* "avx512", "avx2" or "openblas" */
    size_t panel;         /* outputs that lie side by side in a packed weight; 0: weights stay [outputs, inputs] */
    size_t rows_multiple; /* `linear` gives a row the same bits in every batch if it is called with a multiple of this many rows */
    bool is_blas;         /* `linear` is OpenBLAS's, which only so many threads may use at once */

    /* in [rows, inputs], out [rows, outputs] */
    void (*linear)(float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows, const struct sq_linear *linear,
                   enum sq_linear_mode mode);

    /* x[r] = (x[r] - mean) / sqrt(variance + eps) * gamma + beta; x is [rows, width] */
    void (*layer_norm)(float *x, size_t rows, size_t width, const float *gamma, const float *beta, float eps);

    /* In place; erf and exp within 3e-7 of the true value. */
    void (*gelu_erf)(float *x, size_t count);
    void (*gelu_tanh)(float *x, size_t count);
    void (*relu)(float *x, size_t count);

    void (*attention)(const struct sq_attention *attention);
};

/* The widest kernels that this CPU and its operating system run; isa NULL asks for the best, a name for that one or, where it can't
 * run, NULL. */
const struct sq_kernels *sq_kernels_choose(const char *isa);

/* Floats of a packed [outputs, inputs] weight. */
size_t sq_kernels_packed_floats(const struct sq_kernels *kernels, size_t outputs, size_t inputs);

/* Lays out `weight` [outputs, inputs] for `linear`: [outputs / panel][inputs][panel], zeros beyond the last output. */
void sq_kernels_pack(const struct sq_kernels *kernels, float *packed, const float *weight, size_t outputs, size_t inputs);

extern const struct sq_kernels sq_kernels_openblas;
#if defined(__x86_64__)
extern const struct sq_kernels sq_kernels_avx2;
extern const struct sq_kernels sq_kernels_avx512;
#endif

/* sq_kernels.linear by OpenBLAS. */
void sq_blas_linear(float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows, const struct sq_linear *linear,
                    enum sq_linear_mode mode);

/* Pins OpenBLAS to one thread a call and checks that it can be called from many. SQ_E_FAILED with what to install otherwise. Any thread. */
int sq_blas_init(struct sq_err *err);

/* Threads that may be inside OpenBLAS at once: it aborts beyond its compile-time bound. */
unsigned sq_blas_threads_max(void);

#endif
