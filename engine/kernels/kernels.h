/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the forward pass, in a table of functions an instruction set. ops/docs/KERNELS.md tells how it works and why.
 *
 * A product runs on a rung: a way to multiply, of some precision. Each instruction set has a ladder of them. Everything is row by row
 * or text by text, and what a row's result is made of is added in one order, so its bits don't depend on its neighbours. Matrices are
 * row-major; a stride counts floats between rows unless it says bytes. Functions only touch what they are given, so any thread may
 * call them. */
#ifndef SQ_KERNELS_H
#define SQ_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

enum {
    SQ_PANEL_MAX = 64,       /* outputs of a panel, of any rung */
    SQ_OPERAND_ALIGN_BYTES = 64, /* an operand's rows of bytes and 16-bit floats start at multiples of this */
    SQ_RUNGS_MAX = 4,        /* of a ladder */
};

/* The rows that a product takes, as its rung wants them: floats, 16-bit floats, or bytes q with x = scale * q + offset a row. */
struct sq_operand {
    const void *rows;
    size_t stride_bytes;
    const float *scales, *offsets; /* [rows]; int8 only */
};

/* One panel of a product: `panel` outputs side by side, for all the rows. out[r][n] = in[r] . weight[n] + bias[n], added to what is
 * there in mode ADD. Bytes come with in_scales and in_offsets, and their weights with scale and sum:
 * out = in_scales[r] * scale[n] * dot + in_offsets[r] * sum[n] + bias[n], the dot product exact in 32 bits. */
struct sq_panel {
    float *out; /* [rows, panel] of a matrix with out_stride */
    size_t out_stride;
    const void *in;
    size_t in_stride_bytes;
    const float *in_scales, *in_offsets;
    const void *weight;        /* [steps][panel][group] */
    const void *next;          /* the weights that are used after these, to be fetched meanwhile; NULL: none */
    size_t weight_step_floats; /* from step to step; fp32 only, the others are dense */
    size_t steps;              /* inputs / group, rounded up */
    const float *bias, *scale, *sum; /* [panel]; bias NULL: none */
    bool adds;
};

struct sq_linear;
enum sq_linear_mode { SQ_LINEAR_SET, SQ_LINEAR_ADD }; /* out = y, out = out + y */

/* A way to multiply. Weights are packed at load: a panel's outputs side by side, `group` inputs of each together. */
struct sq_rung {
    const char *name;      /* "int8", "bf16", "fp32"; unique in a ladder */
    bool is_int8, is_bf16; /* neither: fp32 */
    unsigned panel, group;
    unsigned input_max;  /* int8: the largest byte that an input becomes, */
    unsigned weight_max; /* and the largest magnitude of a weight */
    unsigned lane_groups; /* int8 that first adds up in 16 bits: over so many groups of 4 inputs, their first pairs in one sum and their second
                           * pairs in another; weights are packed so that no inputs overflow it. 0: in 32 bits at once */
    unsigned cost;       /* time of a product next to other rungs, measured by bench_products on a core that has them all */
    void (*multiply)(const struct sq_panel *panel, size_t rows);
    /* Makes one row of an operand; NULL: floats are taken as they are. */
    void (*prepare)(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x);
};

/* y = x W^T + b. All memory is the caller's (sq_linear_place); outputs are padded to whole panels with zeros. */
struct sq_linear {
    const struct sq_rung *rung;
    void *weight; /* packed; on OpenBLAS [outputs, inputs] */
    float *bias;  /* [outputs] */
    float *scale, *sum;   /* [outputs], int8: of a weight's unit, and the sum over the inputs of the weights it stands for */
    float *gain, *shift;  /* [inputs], int8: what is quantised is gain * x + shift. NULL: x */
    size_t outputs, inputs;
};

/* Attention of one text, over all its heads: head h uses columns [h * head_size, (h + 1) * head_size) of every row. */
struct sq_attention {
    const float *query; /* [queries, heads * head_size], already divided by sqrt(head_size) */
    size_t query_stride;
    unsigned queries;
    const float *key, *value; /* [keys, heads * head_size] each; SQ_PANEL_MAX floats behind the last value may be read */
    size_t key_stride;        /* of both */
    unsigned keys;
    unsigned heads, head_size;
    const float *bias;  /* NULL, or added to the scores: bias[h * bias_stride + j - i] for head h, query i and key j */
    size_t bias_stride; /* from head to head */
    float *context; /* out: [queries, heads * head_size] */
    size_t context_stride;
    float *scratch; /* sq_attention_scratch_floats(keys, head_size) */
};

/* Of the values of a table whose rows are looked up. */
enum sq_table_type { SQ_TABLE_F32, SQ_TABLE_F16, SQ_TABLE_BF16, SQ_TABLE_TYPES };

/* What isn't a product. */
struct sq_vector {
    /* x[r] = (x[r] - mean) / sqrt(variance + eps) * gamma + beta; x is [rows, width] */
    void (*layer_norm)(float *x, size_t rows, size_t width, const float *gamma, const float *beta, float eps);

    /* In place; erf and exp within 3e-7 of the true value. */
    void (*gelu_erf)(float *x, size_t count);
    void (*gelu_tanh)(float *x, size_t count);
    void (*relu)(float *x, size_t count);

    /* keys [count, head_size] to columns [head_size, width], zeros beyond the last key; width is a multiple of 16 */
    void (*transpose)(float *columns, size_t width, const float *keys, size_t stride, size_t count, size_t head_size);

    /* Rows of scores [rows, width] to weights that sum up to 1; what is beyond `count` becomes 0. */
    void (*softmax)(float *scores, size_t width, size_t rows, size_t count);

    /* sums[i] = table[i] + other[i], a table's row made fp32 on the way: exact */
    void (*add_table[SQ_TABLE_TYPES])(float *sums, const void *table, const float *other, size_t count);
};

struct sq_kernels {
    const char *isa;                                /* a name of sq_kernels_name */
    const char *caveat;                             /* what users should know of them, or NULL */
    const struct sq_rung *ladder[SQ_RUNGS_MAX + 1]; /* fastest first, fp32 last, then NULL */
    const struct sq_rung *tile;                     /* fp32 of our own, for attention's small products */
    const struct sq_vector *vector;
    size_t rows_multiple; /* fp32 products give a row the same bits in every batch if they take a multiple of this many rows */
    bool is_blas;         /* the fp32 rung is OpenBLAS's, which only so many threads may use at once */
};

/* The widest kernels that this CPU and its operating system run; isa NULL asks for the best, a name for that one or, where it can't
 * run, NULL. */
const struct sq_kernels *sq_kernels_choose(const char *isa);

/* What sq_kernels_choose knows, widest first; NULL beyond the last. */
const char *sq_kernels_name(size_t index);

/* The rung of that name, or NULL where these kernels have none. */
const struct sq_rung *sq_kernels_rung(const struct sq_kernels *kernels, const char *name);
const struct sq_rung *sq_kernels_fp32(const struct sq_kernels *kernels);

/* True when both int8 rungs, of panels of one width, give the same bits for a product of random bytes with rows left over. */
bool sq_rung_agrees(const struct sq_rung *rung, const struct sq_rung *twin);

/* ---- products ---- */

/* Outputs rounded up to whole panels of any rung. */
size_t sq_linear_padded(size_t outputs);

/* Bytes of a row of an operand for this many inputs, at most, whatever the rung. */
size_t sq_operand_bytes_max(size_t inputs);

/* What sq_linear_place needs for outputs (padded) and inputs, a multiple of 64 bytes. */
size_t sq_linear_bytes(const struct sq_rung *rung, size_t outputs, size_t inputs);

/* Gives linear, whose rung, outputs and inputs are set, its places in memory at 64 bytes. is_smoothed: with gain and shift, which
 * only int8 has. */
void sq_linear_place(struct sq_linear *linear, void *memory, bool is_smoothed);

/* Inputs as they lie in an operand and in packed weights, zeros at the end. */
size_t sq_linear_padded_inputs(const struct sq_linear *linear);

/* Packs weight [outputs, inputs] into memory that was zero. Where the linear is smoothed, gain and shift must be set: the weight is
 * adapted, and what that costs is added to the bias, which is never set here. */
void sq_linear_pack(struct sq_linear *linear, const float *weight);

/* Makes rows [first, first + rows) of an operand from x [rows, inputs]. buffer, scales and offsets are where it lives; what it says is in
 * *operand, which is x itself on rungs that take floats: then first must be 0 or x already lie in one matrix. */
struct sq_operand_space {
    void *rows;
    float *scales, *offsets;
};
struct sq_operand sq_operand_make(const struct sq_linear *linear, const struct sq_operand_space *space, const float *x, size_t x_stride,
                                  size_t rows);
/* The space from its row `first` on. */
struct sq_operand_space sq_operand_space_from(const struct sq_linear *linear, const struct sq_operand_space *space, size_t first);

/* out [rows, outputs] from output `first` (a multiple of SQ_PANEL_MAX) to first + outputs; out is the first of these columns. */
void sq_linear_apply(const struct sq_linear *linear, size_t first, size_t outputs, float *out, size_t out_stride,
                     const struct sq_operand *in, size_t rows, enum sq_linear_mode mode);

/* All outputs, from floats, for products that always run in fp32. */
void sq_linear_apply_floats(const struct sq_linear *linear, float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows);

/* Runs a panel of which only `columns` outputs are wanted and may be written. */
void sq_panel_run(const struct sq_rung *rung, const struct sq_panel *panel, size_t rows, size_t columns);

/* ---- attention ---- */

size_t sq_attention_scratch_floats(unsigned keys, unsigned head_size);
void sq_attention_run(const struct sq_kernels *kernels, const struct sq_attention *attention);

/* ---- OpenBLAS ---- */

void sq_blas_apply(const struct sq_linear *linear, size_t first, size_t outputs, float *out, size_t out_stride, const float *in,
                   size_t in_stride, size_t rows, enum sq_linear_mode mode);

/* Pins OpenBLAS to one thread a call and checks that it can be called from many. SQ_E_FAILED with what to install otherwise. Any thread. */
int sq_blas_init(struct sq_err *err);

/* Threads that may be inside OpenBLAS at once: it aborts beyond its compile-time bound. */
unsigned sq_blas_threads_max(void);

#endif
