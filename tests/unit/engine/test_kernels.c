/* SPDX-License-Identifier: Apache-2.0 */
/* Each instruction set's kernels against the definition in double precision, at every tail, and OpenBLAS under sixteen threads. */
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

static const char *const isas[] = {"avx512", "avx2", "openblas"};

/* Calls `check` with all the kernels that this CPU runs. */
static void for_each_isa(void (*check)(const struct sq_kernels *))
{
    unsigned checked = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(isas[i]);
        if (!kernels) continue;
        assert_string_equal(kernels->isa, isas[i]);
        check(kernels);
        checked++;
    }
    assert_true(checked >= 1);
    assert_non_null(sq_kernels_choose(NULL));
    assert_null(sq_kernels_choose("abacus"));
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

static void check_linear_shape(const struct sq_kernels *kernels, size_t outputs, size_t inputs, enum sq_linear_mode mode)
{
    size_t in_stride = inputs + GAP, out_stride = outputs + GAP;
    float *weight = random_floats(outputs * inputs, 1), *bias = random_floats(outputs, 2), *in = random_floats(ROWS_MAX * in_stride, 3);
    float *packed = random_floats(sq_kernels_packed_floats(kernels, outputs, inputs), 4);
    sq_kernels_pack(kernels, packed, weight, outputs, inputs);
    const struct sq_linear linear = {packed, bias, outputs, inputs};
    for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
        float *before = random_floats(ROWS_MAX * out_stride, 5), *out = random_floats(ROWS_MAX * out_stride, 5);
        kernels->linear(out, out_stride, in, in_stride, rows, &linear, mode);
        for (size_t row = 0; row < ROWS_MAX; row++) {
            for (size_t n = 0; n < out_stride; n++) {
                size_t at = row * out_stride + n;
                double expected = (double)before[at], bound = 0; /* beyond what was asked for, nothing may change */
                if (row < rows && n < outputs) {
                    expected = (mode == SQ_LINEAR_ADD ? expected : 0) + (double)bias[n];
                    for (size_t k = 0; k < inputs; k++) expected += (double)in[row * in_stride + k] * (double)weight[n * inputs + k];
                    bound = 1e-6 * (2 + (double)inputs / 4);
                }
                if (!(fabs((double)out[at] - expected) <= bound))
                    fail_msg("%s: %zu outputs, %zu inputs, %zu rows: [%zu, %zu] is %g, not %g", kernels->isa, outputs, inputs, rows, row, n,
                             (double)out[at], expected);
            }
        }
        free(before);
        free(out);
    }
    free(weight);
    free(bias);
    free(in);
    free(packed);
}

static void check_linear(const struct sq_kernels *kernels)
{
    static const size_t outputs[] = {1, 3, 15, 16, 17, 31, 32, 33, 70}, inputs[] = {1, 2, 7, 65};
    for (size_t n = 0; n < sizeof outputs / sizeof *outputs; n++) {
        for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
            check_linear_shape(kernels, outputs[n], inputs[k], SQ_LINEAR_SET);
            check_linear_shape(kernels, outputs[n], inputs[k], SQ_LINEAR_ADD);
        }
    }
}

/* A row gives the same bits alone and at any place among others. */
static void check_rows_are_alone(const struct sq_kernels *kernels)
{
    enum { OUTPUTS = 40, INPUTS = 100 };
    if (kernels->rows_multiple != 1) return; /* OpenBLAS promises 1e-6 only */
    float *weight = random_floats(OUTPUTS * INPUTS, 1), *bias = random_floats(OUTPUTS, 2), *in = random_floats(ROWS_MAX * INPUTS, 3);
    float *packed = random_floats(sq_kernels_packed_floats(kernels, OUTPUTS, INPUTS), 4), together[ROWS_MAX * OUTPUTS], alone[OUTPUTS];
    sq_kernels_pack(kernels, packed, weight, OUTPUTS, INPUTS);
    const struct sq_linear linear = {packed, bias, OUTPUTS, INPUTS};
    for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
        kernels->linear(together, OUTPUTS, in, INPUTS, rows, &linear, SQ_LINEAR_SET);
        for (size_t row = 0; row < rows; row++) {
            kernels->linear(alone, OUTPUTS, in + row * INPUTS, INPUTS, 1, &linear, SQ_LINEAR_SET);
            assert_memory_equal(alone, together + row * OUTPUTS, sizeof alone);
        }
    }
    free(weight);
    free(bias);
    free(in);
    free(packed);
}

static void check_layer_norm(const struct sq_kernels *kernels)
{
    enum { ROWS = 3, WIDTH_MAX = 70 };
    for (size_t width = 1; width <= WIDTH_MAX; width++) {
        float *x = random_floats(ROWS * width, 1), *before = random_floats(ROWS * width, 1);
        float *gamma = random_floats(width, 2), *beta = random_floats(width, 3);
        kernels->layer_norm(x, ROWS, width, gamma, beta, 1e-5f);
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
    kernels->gelu_erf(erf_out, COUNT);
    kernels->gelu_tanh(tanh_out, COUNT);
    kernels->relu(relu_out, COUNT);
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
    kernels->gelu_erf(far, 4);
    kernels->gelu_tanh(far_tanh, 4);
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
    float *qkv = random_floats(keys * stride, keys), *context = random_floats(queries * hidden, 9);
    float *scratch = random_floats(sq_attention_scratch_floats(keys, head_size), 10);
    double expected[64];
    const struct sq_attention attention = {
        .query = qkv, .query_stride = stride, .queries = queries, .key = qkv + hidden, .value = qkv + 2 * hidden, .key_stride = stride,
        .keys = keys, .heads = heads, .head_size = head_size, .context = context, .context_stride = hidden, .scratch = scratch,
    };
    for (size_t i = 0; i < keys * stride; i++) qkv[i] *= 1.5f; /* scores worth the name */
    kernels->attention(&attention);
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

static void test_linear(void **state) { (void)state, for_each_isa(check_linear); }
static void test_rows_are_alone(void **state) { (void)state, for_each_isa(check_rows_are_alone); }
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
        const struct sq_linear linear = {weight, bias, SIZE, SIZE};
        sq_blas_linear(out, SIZE, in, SIZE, rows, &linear, SQ_LINEAR_SET);
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
        cmocka_unit_test(test_linear),      cmocka_unit_test(test_rows_are_alone), cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_activations), cmocka_unit_test(test_attention),      cmocka_unit_test(test_openblas_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
