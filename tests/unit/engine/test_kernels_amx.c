/* SPDX-License-Identifier: Apache-2.0 */
/* The AMX kernel's own source, over tiles in plain C instead of the CPU's (tests/lib/amx_model.h), against the plain int8 product: the same bits
 * for every number of rows, at random and at the extremes, and nothing read or written outside. And the kernel as it is shipped, each of its
 * tile instructions trapped where the CPU has none (tests/lib/amx_traps.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "engine/kernels/vec_plain.h"
#include "engine/kernels/rungs.h"
#include "engine/kernels/unroll.h"
#include "tests/lib/amx_model.h"
#include "tests/lib/amx_traps.h"
#include "tests/lib/random.h"
#include "engine/kernels/finish_int8.inc"
#include "engine/kernels/int8_amx.inc"

static const struct sq_rung modelled = {
    .name = "int8", .is_int8 = true, .panel = PANEL, .group = GROUP, .input_max = 255, .weight_max = 127, .multiply = multiply, .prepare = sq_quantise_plain,
};

enum { ROWS_MAX = 70, GUARD = 4, PAGE = 4096 };

/* Memory whose end is the last thing that may be read. */
struct fenced {
    unsigned char *pages, *start;
    size_t bytes;
};

static struct fenced fence(size_t bytes)
{
    size_t room = (bytes + PAGE - 1) / PAGE * PAGE;
    unsigned char *pages = mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + room, PAGE, PROT_NONE), 0);
    return (struct fenced){pages, pages + room - bytes, room + PAGE};
}

static void unfence(struct fenced *fenced) { munmap(fenced->pages, fenced->bytes); }

/* Bytes as far apart as they go, or at random. */
static uint8_t input_byte(struct test_random *random, unsigned pattern) { return pattern == 0 ? (uint8_t)test_random_below(random, 256) : 255; }

static int8_t weight_byte(struct test_random *random, unsigned pattern, size_t i)
{
    if (pattern == 0) return (int8_t)((int)test_random_below(random, 255) - 127);
    return pattern == 1 || (pattern == 2 && i % 2) ? 127 : -127;
}

/* Two panels of the plain rung are one of the kernel's, so both make a product of 32 outputs through the same door. */
static void run(const struct sq_rung *rung, const int8_t *weights, const struct sq_operand *in, size_t inputs, size_t rows, float *out, enum sq_linear_mode mode)
{
    float bias[SQ_PANEL_MAX], scale[SQ_PANEL_MAX], sum[SQ_PANEL_MAX];
    unsigned char *packed = aligned_alloc(64, SQ_PANEL_MAX * inputs);
    for (size_t n = 0; n < PANEL; n++) {
        bias[n] = 0.125f * (float)n - 1, scale[n] = 0.001f * (float)(n + 1), sum[n] = 0.01f * (float)n - 0.1f;
        for (size_t k = 0; k < inputs; k++)
            packed[n / rung->panel * rung->panel * inputs + k / GROUP * rung->panel * GROUP + n % rung->panel * GROUP + k % GROUP] =
                (unsigned char)weights[n * inputs + k];
    }
    const struct sq_linear linear = {.rung = rung, .weight = packed, .bias = bias, .scale = scale, .sum = sum, .outputs = PANEL, .inputs = inputs};
    sq_linear_apply(&linear, 0, PANEL, out, PANEL + GUARD, in, rows, mode);
    free(packed);
}

static void check(size_t inputs, size_t rows, unsigned pattern, enum sq_linear_mode mode)
{
    struct test_random random = {inputs * 131 + rows * 3 + pattern};
    struct fenced bytes = fence(rows * inputs);
    float scales[ROWS_MAX], offsets[ROWS_MAX], out[2][(ROWS_MAX + 1) * (PANEL + GUARD)];
    int8_t *weights = malloc(PANEL * inputs);
    for (size_t i = 0; i < rows * inputs; i++) bytes.start[i] = input_byte(&random, pattern);
    for (size_t i = 0; i < PANEL * inputs; i++) weights[i] = weight_byte(&random, pattern, i / inputs);
    for (size_t row = 0; row < rows; row++) scales[row] = 0.01f + 0.003f * (float)row, offsets[row] = 0.3f * (float)row - 2;
    for (size_t i = 0; i < sizeof out[0] / sizeof(float); i++) out[0][i] = out[1][i] = (float)i;
    const struct sq_operand in = {bytes.start, inputs, scales, offsets};
    run(&modelled, weights, &in, inputs, rows, out[0], mode);
    run(&sq_rung_int8_plain, weights, &in, inputs, rows, out[1], mode);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    assert_true(out[0][rows * (PANEL + GUARD)] == (float)(rows * (PANEL + GUARD))); /* the row beyond the last is as it was */
    free(weights);
    unfence(&bytes);
}

static void test_same_bits_as_plain(void **state)
{
    (void)state;
    static const size_t inputs[] = {64, 128, 384, 1536};
    for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++) {
        for (size_t rows = 1; rows <= ROWS_MAX; rows += inputs[k] <= 128 ? 1 : 13) {
            for (unsigned pattern = 0; pattern < 4; pattern++) check(inputs[k], rows, pattern, pattern % 2 ? SQ_LINEAR_ADD : SQ_LINEAR_SET);
        }
    }
}

/* 70 rows of 128 inputs: two blocks of four tiles of sums, one of two, each over two tiles of inputs. */
static void test_no_tile_is_multiplied_in_vain(void **state)
{
    (void)state;
    size_t before = amx_model_dots();
    check(128, 70, 0, SQ_LINEAR_SET);
    assert_int_equal(amx_model_dots() - before, 2 * 4 * 2 + 2 * 2);
}

/* What is asked before AMX is used: a rung that is right, one that isn't, and one that forgets rows. */
static void multiply_wrongly(const struct sq_panel *panel, size_t rows)
{
    multiply(panel, rows);
    panel->out[(rows - 1) * panel->out_stride] += 1;
}

static void multiply_partly(const struct sq_panel *panel, size_t rows)
{
    memset(panel->out, 0, rows * panel->out_stride * sizeof(float));
    multiply(panel, rows - 1);
}

static void test_a_wrong_kernel_is_found_out(void **state)
{
    (void)state;
    struct sq_rung wrong = modelled, partial = modelled, same = modelled;
    wrong.multiply = multiply_wrongly;
    partial.multiply = multiply_partly;
    assert_true(sq_rung_agrees(&same, &modelled));
    assert_false(sq_rung_agrees(&wrong, &modelled));
    assert_false(sq_rung_agrees(&partial, &modelled));
}

#if defined(__x86_64__)
/* What the compiler made of the instructions, against vpdpbusd; the rest of the kernel is AVX-512. */
static void test_the_shipped_kernel(void **state)
{
    (void)state;
    if (!sq_kernels_choose("avx512vnni")) {
        assert_null(sq_kernels_choose("amx"));
        return;
    }
    bool is_native = sq_kernels_choose("amx") != NULL;
    size_t before = amx_model_dots();
    amx_traps_begin();
    bool agrees = sq_rung_agrees(&sq_rung_int8_amx, &sq_rung_int8_avx512);
    amx_traps_end();
    assert_true(agrees);
    assert_int_equal(amx_model_dots() - before, is_native ? 0 : (4 + 2) * 2); /* 32 rows and 7, each over two tiles of inputs */
}
#else
static void test_the_shipped_kernel(void **state)
{
    (void)state;
    assert_null(sq_kernels_choose("amx"));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_plain),
        cmocka_unit_test(test_no_tile_is_multiplied_in_vain),
        cmocka_unit_test(test_a_wrong_kernel_is_found_out),
        cmocka_unit_test(test_the_shipped_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
