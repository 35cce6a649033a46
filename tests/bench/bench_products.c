/* SPDX-License-Identifier: Apache-2.0 */
/* bench_products [TOKENS]: what share of its instruction's roofline each rung's products reach, on one thread.
 *
 * The four products of a layer of two models, for TOKENS rows (256), from operands made before. Product and roofline take turns of a
 * millisecond or more, and of each the best turn by thread CPU time counts, so that a busy machine disturbs less. A table in Markdown:
 * GOP/s and in brackets the share of the roofline; "layer" is all the work of the four over all their time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/kernels/kernels.h"
#include "tests/bench/roofline.h"

enum { ROUNDS = 25, TURN_NS = 1500000, ROOFLINE_OPS = 400000000, ROWS_MAX = 4096, PRODUCTS = 4 };

static const struct model {
    const char *name;
    struct {
        const char *name;
        size_t outputs, inputs;
    } products[PRODUCTS];
} models[] = {
    {"MiniLM-L6", {{"qkv", 1152, 384}, {"output", 384, 384}, {"up", 1536, 384}, {"down", 384, 1536}}},
    {"BERT-base", {{"qkv", 2304, 768}, {"output", 768, 768}, {"up", 3072, 768}, {"down", 768, 3072}}},
};

struct product {
    struct sq_linear linear;
    struct sq_operand operand;
    struct sq_operand_space space;
    void *memory;
    float *x, *out;
    size_t rows;
};

static void *zeroed(size_t bytes)
{
    size_t whole = (bytes + 63) / 64 * 64;
    void *memory = aligned_alloc(64, whole);
    if (!memory) abort();
    return memset(memory, 0, whole);
}

/* Between -1 and 1, scattered; the same in every run. */
static float *some_floats(size_t count)
{
    float *values = zeroed(count * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = (float)((uint32_t)i * 2654435761u) / 2147483648.0f - 1.0f;
    return values;
}

static void product_init(struct product *product, const struct sq_rung *rung, size_t outputs, size_t inputs, size_t rows)
{
    float *weight = some_floats(outputs * inputs);
    product->linear = (struct sq_linear){.rung = rung, .outputs = outputs, .inputs = inputs};
    product->memory = zeroed(sq_linear_bytes(rung, outputs, inputs));
    sq_linear_place(&product->linear, product->memory, false);
    sq_linear_pack(&product->linear, weight);
    free(weight);
    product->rows = rows;
    product->x = some_floats(rows * inputs);
    product->out = zeroed(rows * outputs * sizeof(float));
    product->space = (struct sq_operand_space){zeroed(rows * sq_operand_bytes_max(inputs)), zeroed(rows * sizeof(float)), zeroed(rows * sizeof(float))};
    product->operand = sq_operand_make(&product->linear, &product->space, product->x, inputs, rows);
}

static void product_deinit(struct product *product)
{
    void *all[] = {product->memory, product->x, product->out, product->space.rows, product->space.scales, product->space.offsets};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void product_run(struct product *product)
{
    sq_linear_apply(&product->linear, 0, product->linear.outputs, product->out, product->linear.outputs, &product->operand, product->rows, SQ_LINEAR_SET);
}

/* Seconds of CPU that one run takes, over as many as make a turn. */
static double time_product(struct product *product)
{
    uint64_t start_ns = sq_clock_thread_cpu_ns(), now_ns = start_ns;
    unsigned runs = 0;
    for (; now_ns - start_ns < TURN_NS; runs++, now_ns = sq_clock_thread_cpu_ns()) product_run(product);
    return (double)(now_ns - start_ns) / 1e9 / runs;
}

/* Raises *gops to what this turn gave. */
static void time_roofline(const struct roofline *roofline, double *gops)
{
    uint64_t turns = ROOFLINE_OPS / roofline->ops, start_ns = sq_clock_thread_cpu_ns();
    roofline->run(turns);
    double seconds = (double)(sq_clock_thread_cpu_ns() - start_ns) / 1e9, now = (double)turns * roofline->ops / seconds / 1e9;
    if (now > *gops) *gops = now;
}

static void print_cell(double gop, double seconds, double roof) { printf(" %.0f (%.2f) |", gop / seconds, gop / seconds / roof); }

static void bench_model(const struct roofline *roofline, const struct sq_rung *rung, const struct model *model, size_t rows)
{
    double gops[PRODUCTS], best[PRODUCTS], all_gop = 0, all_seconds = 0, roof = 0;
    for (size_t i = 0; i < PRODUCTS; i++) {
        struct product product;
        product_init(&product, rung, model->products[i].outputs, model->products[i].inputs, rows);
        gops[i] = 2e-9 * (double)rows * (double)model->products[i].outputs * (double)model->products[i].inputs;
        best[i] = time_product(&product);
        for (size_t round = 0; round < ROUNDS; round++) {
            time_roofline(roofline, &roof);
            double seconds = time_product(&product);
            if (seconds < best[i]) best[i] = seconds;
        }
        product_deinit(&product);
        all_gop += gops[i];
        all_seconds += best[i];
    }
    printf("| %s, `%s` | %s | %.0f |", roofline->rung, roofline->instruction, model->name, roof);
    for (size_t i = 0; i < PRODUCTS; i++) print_cell(gops[i], best[i], roof);
    print_cell(all_gop, all_seconds, roof);
    printf("\n");
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long rows = argc > 1 ? strtoul(argv[1], &end, 10) : 256;
    if (argc > 2 || rows == 0 || rows > ROWS_MAX || (end && *end)) {
        fprintf(stderr, "usage: bench_products [TOKENS, 1 to %d]\n", ROWS_MAX);
        return 2;
    }
    printf("| rung, instruction | shape | roofline |");
    for (size_t i = 0; i < PRODUCTS; i++) printf(" %s |", models->products[i].name);
    printf(" layer |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (const struct roofline *roofline = rooflines; roofline->isa; roofline++) {
        const struct sq_kernels *kernels = sq_kernels_choose(roofline->isa);
        const struct sq_rung *rung = kernels ? sq_kernels_rung(kernels, roofline->rung) : NULL;
        for (size_t i = 0; rung && i < sizeof models / sizeof *models; i++) bench_model(roofline, rung, &models[i], rows);
    }
    return 0;
}
