/* SPDX-License-Identifier: Apache-2.0 */
/* The plain C kernels with nothing else, for CPUs that only an emulator runs: ops/bench/arm builds it for two CPUs. The int8 product is held against
 * plain sums, and every kernel's results over many shapes become a digest a line, to be the same on every CPU. Exit code 1 when a sum is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernels/rungs.h"

enum { ROWS = 29, OUTPUTS = 48, INPUTS_MAX = 200, FLOATS = 8192 };

static uint64_t state;
static float in[FLOATS], weight[OUTPUTS * INPUTS_MAX], out[FLOATS];
static _Alignas(64) unsigned char packed[1 << 17], rows[1 << 16];
static float scales[ROWS], offsets[ROWS];

/* -1 to 1, all bits of it random; splitmix64. */
static float random_float(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (float)((double)((z ^ z >> 31) >> 11) * 0x1p-52 - 1);
}

static void fill(float *to, size_t count, float scale)
{
    for (size_t i = 0; i < count; i++) to[i] = scale * random_float();
}

/* FNV-1a over the bits. */
static uint64_t digest(uint64_t hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return hash;
}

void sq_blas_apply(const struct sq_linear *linear, size_t first, size_t outputs, float *to, size_t out_stride, const float *from, size_t in_stride, size_t count,
                   enum sq_linear_mode mode)
{
    (void)linear, (void)first, (void)outputs, (void)to, (void)out_stride, (void)from, (void)in_stride, (void)count, (void)mode;
    abort(); /* OpenBLAS's rung isn't plain C */
}

static void place(struct sq_linear *linear, size_t inputs)
{
    *linear = (struct sq_linear){.rung = linear->rung, .outputs = OUTPUTS, .inputs = inputs};
    memset(packed, 0, sizeof packed);
    memset(rows, 0, sizeof rows);
    if (sq_linear_bytes(linear->rung, OUTPUTS, inputs) > sizeof packed || ROWS * sq_operand_bytes_max(inputs) > sizeof rows) abort();
    sq_linear_place(linear, packed, false);
    fill(weight, OUTPUTS * inputs, 1);
    fill(in, ROWS * inputs, 2);
    sq_linear_pack(linear, weight);
    fill(linear->bias, OUTPUTS, 1);
}

/* Packs, quantises and multiplies. */
static uint64_t product(const struct sq_rung *rung, size_t inputs, size_t count, uint64_t hash)
{
    struct sq_linear linear = {.rung = rung};
    const struct sq_operand_space space = {rows, scales, offsets};
    place(&linear, inputs);
    struct sq_operand operand = sq_operand_make(&linear, &space, in, inputs, count);
    sq_linear_apply(&linear, 0, OUTPUTS, out, OUTPUTS, &operand, count, SQ_LINEAR_SET);
    return digest(digest(digest(hash, out, count * OUTPUTS * sizeof *out), packed, sizeof packed), rows, sizeof rows);
}

/* The last operand's whole numbers, scales 1 and no bias, against sums of their own. */
static int is_exact(size_t inputs, size_t count)
{
    static const float zeros[SQ_PANEL_MAX];
    float ones[SQ_PANEL_MAX];
    const struct sq_rung *rung = &sq_rung_int8_plain;
    size_t padded = (inputs + 63) / 64 * 64;
    for (size_t i = 0; i < SQ_PANEL_MAX; i++) ones[i] = 1;
    const struct sq_panel panel = {.out = out, .out_stride = rung->panel, .in = rows, .in_stride_bytes = padded, .in_scales = ones, .in_offsets = zeros,
                                   .weight = packed, .steps = padded / rung->group, .bias = zeros, .scale = ones, .sum = zeros};
    rung->multiply(&panel, count);
    for (size_t row = 0; row < count; row++) {
        for (size_t n = 0; n < rung->panel; n++) {
            int32_t sum = 0;
            for (size_t k = 0; k < padded; k++)
                sum += rows[row * padded + k] * (int8_t)packed[k / rung->group * rung->panel * rung->group + n * rung->group + k % rung->group];
            if (out[row * rung->panel + n] != (float)sum) return 0;
        }
    }
    return 1;
}

static uint64_t attention(unsigned keys)
{
    static const struct sq_kernels kernels = {.tile = &sq_rung_fp32_plain, .vector = &sq_vector_plain};
    enum { HEADS = 2, HEAD_SIZE = 16, HIDDEN = HEADS * HEAD_SIZE };
    static float scratch[1 << 16];
    fill(in, FLOATS, 2);
    const struct sq_attention a = {.query = in, .query_stride = 3 * HIDDEN, .queries = keys, .key = in + HIDDEN, .value = in + 2 * HIDDEN, .key_stride = 3 * HIDDEN,
                                   .keys = keys, .heads = HEADS, .head_size = HEAD_SIZE, .context = out, .context_stride = HIDDEN, .scratch = scratch};
    if (sq_attention_scratch_floats(keys, HEAD_SIZE) > sizeof scratch / sizeof *scratch || keys * 3 * HIDDEN + SQ_PANEL_MAX > FLOATS) abort();
    sq_attention_run(&kernels, &a);
    return digest(0, out, keys * HIDDEN * sizeof *out);
}

static uint64_t in_place(void (*function)(float *x, size_t count))
{
    fill(in, FLOATS, 12);
    function(in, FLOATS - 3);
    return digest(0, in, sizeof in);
}

int main(void)
{
    const struct sq_vector *vector = &sq_vector_plain;
    uint64_t int8 = 0, fp32 = 0, heads = 0;
    for (size_t inputs = 1; inputs <= INPUTS_MAX; inputs += 1 + inputs / 9) {
        for (size_t count = 1; count <= ROWS; count += 1 + count / 4) {
            int8 = product(&sq_rung_int8_plain, inputs, count, int8);
            if (!is_exact(inputs, count)) {
                fprintf(stderr, "int8: %zu inputs, %zu rows: a sum is wrong\n", inputs, count);
                return 1;
            }
            fp32 = product(&sq_rung_fp32_plain, inputs, count, fp32);
        }
    }
    for (unsigned keys = 1; keys <= 70; keys++) heads = digest(heads, &(uint64_t){attention(keys)}, sizeof heads);
    fill(in, FLOATS, 3);
    vector->layer_norm(in, 8, 1000, in + 4000, in + 5000, 1e-12f);
    printf("int8 product, packed weights, quantised rows %016llx\n", (unsigned long long)int8);
    printf("fp32 product %016llx\n", (unsigned long long)fp32);
    printf("attention %016llx\n", (unsigned long long)heads);
    printf("layer norm %016llx\n", (unsigned long long)digest(0, in, sizeof in));
    printf("gelu %016llx\n", (unsigned long long)in_place(vector->gelu_erf));
    printf("gelu by tanh %016llx\n", (unsigned long long)in_place(vector->gelu_tanh));
    return 0;
}
