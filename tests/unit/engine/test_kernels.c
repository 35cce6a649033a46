/* SPDX-License-Identifier: Apache-2.0 */
/* Each instruction set's kernels against the definition in double precision, at every tail; the sums of the int8 ones exactly, at the
 * extremes too; and OpenBLAS under sixteen threads. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kernels/kernels.h"
#include "tests/lib/random.h"

/* Calls `check` with all the kernels that this CPU runs. */
static void for_each_isa(void (*check)(const struct sq_kernels *))
{
    unsigned checked = 0;
    for (size_t i = 0; sq_kernels_name(i); i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(sq_kernels_name(i));
        if (!kernels) continue;
        assert_string_equal(kernels->isa, sq_kernels_name(i));
        check(kernels);
        checked++;
    }
    assert_true(checked >= 1);
    assert_non_null(sq_kernels_choose(NULL));
    assert_null(sq_kernels_choose("abacus"));
}

static void for_each_rung(void (*check)(const struct sq_kernels *, const struct sq_rung *))
{
    for (size_t i = 0; sq_kernels_name(i); i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(sq_kernels_name(i));
        for (size_t rung = 0; kernels && kernels->ladder[rung]; rung++) check(kernels, kernels->ladder[rung]);
    }
}

static float *random_floats(size_t count, uint64_t seed)
{
    struct test_random random = {seed};
    float *values = NULL;
    if (posix_memalign((void **)&values, 64, (count + 1) * sizeof *values)) abort();
    for (size_t i = 0; i < count; i++) values[i] = (float)test_random_between(&random, -1, 1);
    return values;
}

enum { ROWS_MAX = 29, GAP = 3 /* floats between rows, so that strides are used */ };

/* A product with everything it needs, of random weights. */
struct product {
    struct sq_linear linear;
    float *weight; /* [outputs, inputs], as given */
    void *memory;
    struct sq_operand_space space; /* [ROWS_MAX] */
};

static void *zeroed(size_t bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes + 64)) abort();
    return memset(memory, 0, bytes + 64);
}

static void product_init(struct product *product, const struct sq_rung *rung, size_t outputs, size_t inputs, bool is_smoothed)
{
    struct test_random random = {9};
    product->linear = (struct sq_linear){.rung = rung, .outputs = outputs, .inputs = inputs};
    product->weight = random_floats(outputs * inputs, 1);
    product->memory = zeroed(sq_linear_bytes(rung, outputs, inputs));
    sq_linear_place(&product->linear, product->memory, is_smoothed);
    for (size_t i = 0; product->linear.gain && i < inputs; i++) {
        product->linear.gain[i] = (float)test_random_between(&random, 0.5, 2);
        product->linear.shift[i] = (float)test_random_between(&random, -1, 1);
    }
    sq_linear_pack(&product->linear, product->weight);
    for (size_t i = 0; i < outputs; i++) product->linear.bias[i] += (float)test_random_between(&random, -1, 1);
    product->space = (struct sq_operand_space){zeroed(ROWS_MAX * sq_operand_bytes_max(inputs)), zeroed(ROWS_MAX * sizeof(float)),
                                               zeroed(ROWS_MAX * sizeof(float))};
}

static void product_deinit(struct product *product)
{
    free(product->weight);
    free(product->memory);
    free(product->space.rows);
    free(product->space.scales);
    free(product->space.offsets);
}

static void product_run(const struct product *product, float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows,
                        enum sq_linear_mode mode)
{
    struct sq_operand operand = sq_operand_make(&product->linear, &product->space, in, in_stride, rows);
    sq_linear_apply(&product->linear, 0, product->linear.outputs, out, out_stride, &operand, rows, mode);
}

/* What the bias was before packing took off what the shift adds. */
static double plain_bias(const struct product *product, size_t n)
{
    const struct sq_linear *linear = &product->linear;
    double bias = (double)linear->bias[n];
    for (size_t k = 0; linear->gain && k < linear->inputs; k++)
        bias += (double)product->weight[n * linear->inputs + k] / (double)linear->gain[k] * (double)linear->shift[k];
    return bias;
}

static double error_bound(const struct sq_rung *rung, size_t inputs)
{
    if (rung->is_int8) return (rung->lane_groups ? 0.06 : 0.03) * (1 + sqrt((double)inputs));
    return rung->is_bf16 ? 0.01 * (1 + sqrt((double)inputs)) : 1e-6 * (2 + (double)inputs / 4);
}

static void check_linear_shape(const struct sq_kernels *kernels, const struct sq_rung *rung, size_t outputs, size_t inputs,
                               enum sq_linear_mode mode, bool is_smoothed)
{
    size_t in_stride = inputs + GAP, out_stride = outputs + GAP;
    struct product product;
    float *in = random_floats(ROWS_MAX * in_stride, 3);
    product_init(&product, rung, outputs, inputs, is_smoothed);
    for (size_t rows = 1; rows <= ROWS_MAX; rows += rows < 8 ? 1 : 7) {
        float *before = random_floats(ROWS_MAX * out_stride, 5), *out = random_floats(ROWS_MAX * out_stride, 5);
        product_run(&product, out, out_stride, in, in_stride, rows, mode);
        for (size_t row = 0; row < ROWS_MAX; row++) {
            for (size_t n = 0; n < out_stride; n++) {
                size_t at = row * out_stride + n;
                double expected = (double)before[at], bound = 0; /* beyond what was asked for, nothing may change */
                if (row < rows && n < outputs) {
                    expected = (mode == SQ_LINEAR_ADD ? expected : 0) + plain_bias(&product, n);
                    for (size_t k = 0; k < inputs; k++) expected += (double)in[row * in_stride + k] * (double)product.weight[n * inputs + k];
                    bound = error_bound(rung, inputs);
                }
                if (!(fabs((double)out[at] - expected) <= bound))
                    fail_msg("%s %s: %zu outputs, %zu inputs, %zu rows: [%zu, %zu] is %g, not %g", kernels->isa, rung->name, outputs, inputs, rows,
                             row, n, (double)out[at], expected);
            }
        }
        free(before);
        free(out);
    }
    free(in);
    product_deinit(&product);
}

static void check_linear(const struct sq_kernels *kernels, const struct sq_rung *rung)
{
    static const size_t outputs[] = {1, 3, 15, 16, 17, 31, 32, 33, 70}, inputs[] = {1, 2, 7, 65};
    for (size_t n = 0; n < sizeof outputs / sizeof *outputs; n++) {
        for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
            check_linear_shape(kernels, rung, outputs[n], inputs[k], SQ_LINEAR_SET, false);
            check_linear_shape(kernels, rung, outputs[n], inputs[k], SQ_LINEAR_ADD, rung->is_int8);
        }
    }
}

/* Columns of a panel from the middle, as keys and values are made without queries. */
static void check_slice(const struct sq_kernels *kernels, const struct sq_rung *rung)
{
    enum { OUTPUTS = 3 * SQ_PANEL_MAX, INPUTS = 20, ROWS = 5, SLICE = 2 * SQ_PANEL_MAX };
    float whole[ROWS * OUTPUTS], slice[ROWS * SLICE], *in = random_floats(ROWS * INPUTS, 3);
    struct product product;
    (void)kernels;
    product_init(&product, rung, OUTPUTS, INPUTS, false);
    product_run(&product, whole, OUTPUTS, in, INPUTS, ROWS, SQ_LINEAR_SET);
    struct sq_operand operand = sq_operand_make(&product.linear, &product.space, in, INPUTS, ROWS);
    sq_linear_apply(&product.linear, SQ_PANEL_MAX, SLICE, slice, SLICE, &operand, ROWS, SQ_LINEAR_SET);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t n = 0; n < SLICE; n++) assert_true(fabsf(slice[row * SLICE + n] - whole[row * OUTPUTS + SQ_PANEL_MAX + n]) < 1e-5f);
    }
    free(in);
    product_deinit(&product);
}

/* A row gives the same bits alone and at any place among others. */
static void check_rows_are_alone(const struct sq_kernels *kernels, const struct sq_rung *rung)
{
    enum { OUTPUTS = 40, INPUTS = 100 };
    float together[ROWS_MAX * OUTPUTS], alone[OUTPUTS];
    struct product product;
    (void)kernels;
    if (!rung->multiply) return; /* OpenBLAS promises 1e-6 only */
    float *in = random_floats(ROWS_MAX * INPUTS, 3);
    product_init(&product, rung, OUTPUTS, INPUTS, rung->is_int8);
    for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
        product_run(&product, together, OUTPUTS, in, INPUTS, rows, SQ_LINEAR_SET);
        for (size_t row = 0; row < rows; row++) {
            product_run(&product, alone, OUTPUTS, in + row * INPUTS, INPUTS, 1, SQ_LINEAR_SET);
            assert_memory_equal(alone, together + row * OUTPUTS, sizeof alone);
        }
    }
    free(in);
    product_deinit(&product);
}

/* Weights and inputs for the exactness of sums: at random; all as large as may be, of either sign; and one that is far larger than the others. */
enum { PATTERNS = 5 };

static float exact_weight(struct test_random *random, unsigned pattern, size_t n, size_t k)
{
    if (pattern == 0) return (float)test_random_normal(random);
    if (pattern == 4) return k % 5 == n % 5 ? 1.0f : 0.2f;
    return pattern == 1 || (pattern == 2 && n % 2) ? 1.0f : -1.0f;
}

static unsigned exact_input(struct test_random *random, const struct sq_rung *rung, unsigned pattern)
{
    return pattern == 0 ? test_random_below(random, rung->input_max + 1) : rung->input_max;
}

static int packed_weight(const struct sq_linear *linear, size_t n, size_t k)
{
    size_t panel = linear->rung->panel, group = linear->rung->group;
    return ((const int8_t *)linear->weight)[k / group * panel * group + n * group + k % group];
}

/* The kernel's whole numbers against a plain sum of the weights as they were packed; the scales are 1, so the outputs are the sums, rounded
 * once to fp32. */
static void check_exact_rows(const struct sq_kernels *kernels, const struct sq_linear *linear, size_t rows, unsigned pattern)
{
    const struct sq_rung *rung = linear->rung;
    size_t panel = rung->panel, inputs = linear->inputs, padded = (inputs + 63) / 64 * 64;
    struct test_random random = {inputs * 31 + rows};
    uint8_t *in = zeroed(rows * padded);
    float *out = zeroed(rows * panel * sizeof *out), *ones = zeroed((rows + panel) * sizeof *ones), *zeros = zeroed((rows + panel) * sizeof *zeros);
    for (size_t i = 0; i < rows + panel; i++) ones[i] = 1;
    for (size_t i = 0; i < rows * padded; i++) in[i] = (uint8_t)exact_input(&random, rung, pattern);
    const struct sq_panel whole = {
        .out = out, .out_stride = panel, .in = in, .in_stride_bytes = padded, .in_scales = ones, .in_offsets = zeros,
        .weight = linear->weight, .steps = padded / rung->group, .bias = zeros, .scale = ones, .sum = zeros,
    };
    rung->multiply(&whole, rows);
    for (size_t row = 0; row < rows; row++) {
        for (size_t n = 0; n < panel; n++) {
            int32_t sum = 0;
            for (size_t k = 0; k < inputs; k++) sum += in[row * padded + k] * packed_weight(linear, n, k);
            if (out[row * panel + n] != (float)sum)
                fail_msg("%s %s: %zu inputs, %zu rows, pattern %u: [%zu, %zu] is %.0f, not %d", kernels->isa, rung->name, inputs, rows, pattern, row,
                         n, (double)out[row * panel + n], sum);
        }
    }
    void *all[] = {in, out, ones, zeros};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void check_exact_pattern(const struct sq_kernels *kernels, const struct sq_rung *rung, size_t inputs, unsigned pattern)
{
    struct test_random random = {inputs};
    struct product product;
    product_init(&product, rung, rung->panel, inputs, false);
    for (size_t i = 0; i < rung->panel * inputs; i++) product.weight[i] = exact_weight(&random, pattern, i / inputs, i % inputs);
    sq_linear_pack(&product.linear, product.weight);
    for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
        if (inputs <= 65 || rows % 7 == 1) check_exact_rows(kernels, &product.linear, rows, pattern);
    }
    product_deinit(&product);
}

static void check_exact(const struct sq_kernels *kernels, const struct sq_rung *rung)
{
    static const size_t inputs[] = {1, 3, 4, 5, 8, 63, 64, 65, 300, 3072};
    if (!rung->is_int8) return;
    for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
        for (unsigned pattern = 0; pattern < PATTERNS; pattern++) check_exact_pattern(kernels, rung, inputs[k], pattern);
    }
}

/* Each byte within half a step of what it stands for, the ends of the row's range met, and rows of one value exact. */
static void check_quantise(const struct sq_kernels *kernels, const struct sq_rung *rung)
{
    if (!rung->is_int8) return;
    for (size_t inputs = 1; inputs <= 70; inputs++) {
        struct product product;
        float *x = random_floats(inputs, inputs);
        product_init(&product, rung, 1, inputs, inputs % 2);
        for (int flat = 0; flat < 2; flat++) {
            for (size_t i = 0; flat && i < inputs; i++) x[i] = product.linear.gain ? (0.25f - product.linear.shift[i]) / product.linear.gain[i] : 0.25f;
            struct sq_operand operand = sq_operand_make(&product.linear, &product.space, x, inputs, 1);
            const uint8_t *q = operand.rows;
            for (size_t i = 0; i < inputs; i++) {
                double y = product.linear.gain ? (double)product.linear.gain[i] * (double)x[i] + (double)product.linear.shift[i] : (double)x[i];
                double back = (double)operand.scales[0] * q[i] + (double)operand.offsets[0];
                assert_true(q[i] <= rung->input_max);
                if (!(fabs(back - y) <= 0.501 * (double)operand.scales[0] + 1e-6))
                    fail_msg("%s %s: %zu inputs: [%zu] is %g, not %g", kernels->isa, rung->name, inputs, i, back, y);
            }
        }
        free(x);
        product_deinit(&product);
    }
}

static void check_layer_norm(const struct sq_kernels *kernels)
{
    enum { ROWS = 3, WIDTH_MAX = 70 };
    for (size_t width = 1; width <= WIDTH_MAX; width++) {
        float *x = random_floats(ROWS * width, 1), *before = random_floats(ROWS * width, 1);
        float *gamma = random_floats(width, 2), *beta = random_floats(width, 3);
        kernels->vector->layer_norm(x, ROWS, width, gamma, beta, 1e-5f);
        for (size_t row = 0; row < ROWS; row++) {
            double mean = 0, variance = 0;
            for (size_t i = 0; i < width; i++) mean += (double)before[row * width + i] / (double)width;
            for (size_t i = 0; i < width; i++) variance += pow((double)before[row * width + i] - mean, 2) / (double)width;
            for (size_t i = 0; i < width; i++) {
                double expected = ((double)before[row * width + i] - mean) / sqrt(variance + 1e-5) * (double)gamma[i] + (double)beta[i];
                assert_true(fabs((double)x[row * width + i] - expected) < 5e-6);
            }
        }
        free(x);
        free(before);
        free(gamma);
        free(beta);
    }
}

static void check_activations(const struct sq_kernels *kernels)
{
    enum { COUNT = 40013 }; /* odd, for the tail */
    static float erf_out[COUNT], tanh_out[COUNT], relu_out[COUNT];
    for (int i = 0; i < COUNT; i++) erf_out[i] = tanh_out[i] = relu_out[i] = (float)(i - COUNT / 2) * 5e-4f;
    float x_first = erf_out[0];
    kernels->vector->gelu_erf(erf_out, COUNT);
    kernels->vector->gelu_tanh(tanh_out, COUNT);
    kernels->vector->relu(relu_out, COUNT);
    for (int i = 0; i < COUNT; i++) {
        double x = (double)((float)(i - COUNT / 2) * 5e-4f), bound = 4e-7 * fmax(1, fabs(x));
        double by_tanh = 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        assert_true(fabs((double)erf_out[i] - x * 0.5 * erfc(-x / sqrt(2))) <= bound);
        assert_true(fabs((double)tanh_out[i] - by_tanh) <= bound);
        assert_true((double)relu_out[i] == fmax(x, 0));
    }
    assert_true(x_first < -9);
    /* far outside: no overflow, no NaN */
    float far[4] = {-1e30f, 1e30f, -100.0f, 100.0f}, far_tanh[4] = {-1e10f, 1e10f, -100.0f, 100.0f};
    kernels->vector->gelu_erf(far, 4);
    kernels->vector->gelu_tanh(far_tanh, 4);
    assert_true(far[1] == 1e30f && far[3] == 100.0f && fabsf(far[2]) < 1e-4f);
    assert_true(far_tanh[1] == 1e10f && far_tanh[3] == 100.0f && fabsf(far_tanh[2]) < 1e-4f && isfinite(far_tanh[0]));
}

static void attend_by_definition(double *context, const struct sq_attention *a, size_t row, size_t head)
{
    double *scores = calloc(a->keys, sizeof *scores), total = 0;
    size_t at = head * a->head_size;
    for (size_t j = 0; j < a->keys; j++) {
        for (size_t d = 0; d < a->head_size; d++)
            scores[j] += (double)a->query[row * a->query_stride + at + d] * (double)a->key[j * a->key_stride + at + d];
        total += exp(scores[j]);
    }
    for (size_t d = 0; d < a->head_size; d++) {
        context[d] = 0;
        for (size_t j = 0; j < a->keys; j++) context[d] += exp(scores[j]) / total * (double)a->value[j * a->key_stride + at + d];
    }
    free(scores);
}

static void check_attention_shape(const struct sq_kernels *kernels, unsigned keys, unsigned queries, unsigned heads, unsigned head_size)
{
    size_t hidden = (size_t)heads * head_size, stride = 3 * hidden;
    float *qkv = random_floats(keys * stride + SQ_PANEL_MAX, keys), *context = random_floats(queries * hidden, 9);
    float *scratch = random_floats(sq_attention_scratch_floats(keys, head_size), 10);
    double expected[64];
    const struct sq_attention attention = {
        .query = qkv, .query_stride = stride, .queries = queries, .key = qkv + hidden, .value = qkv + 2 * hidden, .key_stride = stride,
        .keys = keys, .heads = heads, .head_size = head_size, .context = context, .context_stride = hidden, .scratch = scratch,
    };
    for (size_t i = 0; i < keys * stride; i++) qkv[i] *= 1.5f; /* scores worth the name */
    sq_attention_run(kernels, &attention);
    for (size_t row = 0; row < queries; row++) {
        for (size_t head = 0; head < heads; head++) {
            attend_by_definition(expected, &attention, row, head);
            for (size_t d = 0; d < head_size; d++) assert_true(fabs((double)context[row * hidden + head * head_size + d] - expected[d]) < 2e-5);
        }
    }
    free(qkv);
    free(context);
    free(scratch);
}

static void check_attention(const struct sq_kernels *kernels)
{
    for (unsigned keys = 1; keys <= 36; keys++) {
        check_attention_shape(kernels, keys, keys, 2, 22);
        check_attention_shape(kernels, keys, 1, 3, 32);
    }
    check_attention_shape(kernels, 130, 130, 1, 64);
    check_attention_shape(kernels, 5, 5, 4, 1);
}

/* Rows of floats and of 16-bit floats, a share of all that are finite, added to others. */
static void check_tables(const struct sq_kernels *kernels)
{
    for (size_t count = 1; count <= 35; count++) {
        uint16_t table[35];
        float other[35], floats[35], f32[35], f16[35], bf16[35];
        for (uint32_t first = 0; first < 0x7c00; first += 977) {
            for (size_t i = 0; i < count; i++) {
                table[i] = (uint16_t)((first + i) % 0x7c00 | (i % 2) << 15);
                other[i] = 0.5f;
                floats[i] = (float)table[i] - 20000.25f;
            }
            kernels->vector->add_table[SQ_TABLE_F32](f32, floats, other, count);
            kernels->vector->add_table[SQ_TABLE_F16](f16, table, other, count);
            kernels->vector->add_table[SQ_TABLE_BF16](bf16, table, other, count);
            for (size_t i = 0; i < count; i++) {
                double sign = table[i] >> 15 ? -1 : 1, fraction = table[i] & 0x3ff;
                int exponent = table[i] >> 10 & 0x1f;
                double value = sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
                uint32_t bits = (uint32_t)table[i] << 16;
                float brain;
                memcpy(&brain, &bits, sizeof brain);
                assert_true(f32[i] == floats[i] + 0.5f);
                assert_true(f16[i] == (float)value + 0.5f);
                assert_true(bf16[i] == brain + 0.5f);
            }
        }
    }
}

static void test_linear(void **state) { (void)state, for_each_rung(check_linear); }
static void test_slice(void **state) { (void)state, for_each_rung(check_slice); }
static void test_rows_are_alone(void **state) { (void)state, for_each_rung(check_rows_are_alone); }
static void test_sums_are_exact(void **state) { (void)state, for_each_rung(check_exact); }
static void test_quantise(void **state) { (void)state, for_each_rung(check_quantise); }
static void test_tables(void **state) { (void)state, for_each_isa(check_tables); }
static void test_layer_norm(void **state) { (void)state, for_each_isa(check_layer_norm); }
static void test_activations(void **state) { (void)state, for_each_isa(check_activations); }
static void test_attention(void **state) { (void)state, for_each_isa(check_attention); }

/* The single-threaded flavour of OpenBLAS fails this one: its buffers get mixed up. All ones times all v must be v * 384, exactly. */
static void *multiply_again_and_again(void *arg)
{
    enum { SIZE = 384, ROWS = 160, CALLS = 160 };
    uintptr_t wrong = 0;
    float *in = malloc(ROWS * SIZE * sizeof *in), *weight = malloc(SIZE * SIZE * sizeof *weight), *out = malloc(ROWS * SIZE * sizeof *out);
    float *bias = calloc(SIZE, sizeof *bias);
    for (size_t i = 0; i < ROWS * SIZE; i++) in[i] = 1;
    for (size_t call = 0; call < CALLS; call++) {
        float v = (float)(1 + (call + (uintptr_t)arg) % 7);
        size_t rows = 1 + (call * 37 + (uintptr_t)arg * 11) % ROWS;
        for (size_t i = 0; i < SIZE * SIZE; i++) weight[i] = v;
        const struct sq_linear linear = {.weight = weight, .bias = bias, .outputs = SIZE, .inputs = SIZE};
        sq_blas_apply(&linear, 0, SIZE, out, SIZE, in, SIZE, rows, SQ_LINEAR_SET);
        for (size_t i = 0; i < rows * SIZE; i++) wrong += out[i] != v * SIZE;
    }
    free(in);
    free(weight);
    free(out);
    free(bias);
    return (void *)wrong;
}

static void test_openblas_threads(void **state)
{
    (void)state;
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    struct sq_err err;
    assert_int_equal(sq_blas_init(&err), 0);
    assert_true(sq_blas_threads_max() >= THREADS);
    for (uintptr_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, multiply_again_and_again, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),     cmocka_unit_test(test_slice),     cmocka_unit_test(test_rows_are_alone), cmocka_unit_test(test_sums_are_exact),
        cmocka_unit_test(test_quantise),   cmocka_unit_test(test_tables),    cmocka_unit_test(test_layer_norm),     cmocka_unit_test(test_activations),
        cmocka_unit_test(test_attention),  cmocka_unit_test(test_openblas_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
