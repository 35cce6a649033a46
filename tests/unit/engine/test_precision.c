/* SPDX-License-Identifier: Apache-2.0 */
/* `precision: auto`: what it settles on, and that it is the same every time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/precision_auto.h"
#include "engine/precision_texts.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

static struct sq_err err;

static struct sq_engine *open_model(const char *path, const char *isa, enum sq_precision precision)
{
    struct sq_engine *engine;
    struct sq_engine_options options = {.model_path = path, .isa = isa, .precision = precision};
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    return engine;
}

static void score(const struct sq_engine *engine, struct sq_prediction *predictions)
{
    struct sq_session *session;
    struct sq_str texts[SQ_PRECISION_TEXTS];
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i++) texts[i] = sq_str_view(sq_precision_texts[i]);
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    sq_session_score(session, texts, SQ_PRECISION_TEXTS, predictions);
    sq_session_close(session);
}

/* On every instruction set: within the bounds of fp32, and as told. */
static void check(const struct test_model *model, const char *isa)
{
    static struct sq_prediction exact[SQ_PRECISION_TEXTS], chosen[SQ_PRECISION_TEXTS];
    struct test_folder folder;
    test_folder_init(&folder);
    test_model_write(folder.path, model);
    struct sq_engine *fp32 = open_model(folder.path, isa, SQ_PRECISION_FP32), *settled = open_model(folder.path, isa, SQ_PRECISION_AUTO);
    const struct sq_model_info *info = sq_engine_info(settled);
    double difference = 0;
    unsigned same = 0;
    score(fp32, exact);
    score(settled, chosen);
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i++) {
        same += exact[i].label == chosen[i].label;
        for (unsigned n = 0; n < info->labels_count; n++)
            difference += fabs((double)exact[i].probabilities[n] - (double)chosen[i].probabilities[n]) / info->labels_count;
    }
    print_message("%s, %u layers: %s, agreement %.4f, difference %.5f\n", info->isa, info->layers, info->precision_text, info->precision_agreement,
                  info->precision_difference);
    assert_true(difference / SQ_PRECISION_TEXTS <= 0.005);
    assert_true(same >= 0.98 * SQ_PRECISION_TEXTS);
    assert_true(fabs(difference / SQ_PRECISION_TEXTS - info->precision_difference) < 1e-6);
    struct sq_engine *again = open_model(folder.path, isa, SQ_PRECISION_AUTO);
    assert_string_equal(sq_engine_info(again)->precision_text, info->precision_text);
    assert_true(sq_engine_info(again)->precision_difference == info->precision_difference);
    sq_engine_close(again);
    sq_engine_close(fp32);
    sq_engine_close(settled);
    test_folder_deinit(&folder);
}

static void test_bounds_hold_on_every_isa(void **state)
{
    (void)state;
    struct test_model deep = test_model_tiny, shared = test_model_tiny;
    deep.layers = 9;
    shared.type = "albert";
    shared.layers = 4;
    shared.groups = 2;
    shared.embedding = 8;
    for (size_t i = 0; sq_kernels_name(i); i++) {
        if (!sq_kernels_choose(sq_kernels_name(i))) continue;
        check(&test_model_tiny, sq_kernels_name(i));
        check(&deep, sq_kernels_name(i));
        check(&shared, sq_kernels_name(i));
    }
}

static void test_description(void **state)
{
    (void)state;
    static const struct sq_rung low = {.name = "int8"}, high = {.name = "fp32"};
    struct sq_precision_plan plan = {{{&high, &low, &low, &low}, {&low, &low, &high, &high}, {&low, &low, &low, &low}}};
    char text[64];
    sq_precision_plan_describe(text, sizeof text, &plan, 3);
    assert_string_equal(text, "int8, 3 of 12 products fp32");
    sq_precision_plan_describe(text, sizeof text, &plan, 1);
    assert_string_equal(text, "int8, 1 of 4 products fp32");
    plan.rungs[0][0] = &low;
    sq_precision_plan_describe(text, sizeof text, &plan, 1);
    assert_string_equal(text, "int8");
    sq_precision_plan_describe(text, 8, &plan, 2); /* cut, not beyond */
    assert_string_equal(text, "int8, 2");
}

static void test_a_plan_as_a_word(void **state)
{
    (void)state;
    static const struct sq_rung low = {.name = "int8"}, high = {.name = "fp32"};
    static const struct sq_kernels kernels = {.ladder = {&low, &high}};
    const struct sq_precision_plan plan = {{{&high, &low, &low, &low}, {&low, &low, &high, &high}}};
    struct sq_precision_plan read;
    char word[SQ_PRECISION_PLAN_BYTES];
    sq_precision_plan_write(word, &plan, &kernels, 2);
    assert_string_equal(word, "1000-0011");
    assert_true(sq_precision_plan_read(&read, word, &kernels, 2));
    assert_memory_equal(read.rungs, plan.rungs, 2 * sizeof plan.rungs[0]);
    static const char *const not_words[] = {"", "1000", "1000-001", "1000-0012", "1000-00111", "1000 0011", "1000-001/", "1000-0011-0000"};
    for (size_t i = 0; i < sizeof not_words / sizeof *not_words; i++) assert_false(sq_precision_plan_read(&read, not_words[i], &kernels, 2));
}

/* The floats of a tensor in a file that was read to `bytes`. */
static float *tensor_of(unsigned char *bytes, const char *name)
{
    uint64_t header_bytes;
    memcpy(&header_bytes, bytes, sizeof header_bytes);
    json_t *header = json_loadb((char *)bytes + 8, header_bytes, 0, NULL);
    json_t *offsets = json_object_get(json_object_get(header, name), "data_offsets");
    assert_non_null(offsets);
    size_t start = (size_t)json_integer_value(json_array_get(offsets, 0));
    json_decref(header);
    return (float *)(void *)(bytes + 8 + header_bytes + start);
}

/* Changes the tensors of a folder that test_model_write has made. */
static void edit_weights(const struct test_folder *folder, const struct test_model *model, void (*edit)(unsigned char *, const struct test_model *))
{
    static unsigned char bytes[1 << 20];
    char path[600];
    snprintf(path, sizeof path, "%s/model.safetensors", folder->path);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    size_t count = fread(bytes, 1, sizeof bytes, file);
    edit(bytes, model);
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

/* One feed-forward unit of a layer is always at 2000 and nobody listens to it: all that bytes can tell is that it is there. */
static void add_outlier(unsigned char *bytes, const struct test_model *model)
{
    float *down = tensor_of(bytes, "bert.encoder.layer.1.output.dense.weight");
    tensor_of(bytes, "bert.encoder.layer.1.intermediate.dense.bias")[0] = 2000;
    for (unsigned row = 0; row < model->hidden; row++) down[row * model->intermediate] = 0;
}

/* The layer that bytes can't do climbs; in AVX2's ladder by way of a8w7, which can't either. */
static void test_an_outlier_makes_its_layer_climb(void **state)
{
    (void)state;
    struct test_model model = test_model_tiny;
    struct test_folder folder;
    model.layers = 4;
    test_folder_init(&folder);
    test_model_write(folder.path, &model);
    edit_weights(&folder, &model, add_outlier);
    for (size_t i = 0; sq_kernels_name(i); i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(sq_kernels_name(i));
        if (!kernels || kernels->is_blas) continue;
        struct sq_engine *engine = open_model(folder.path, kernels->isa, SQ_PRECISION_AUTO);
        const struct sq_model_info *info = sq_engine_info(engine);
        print_message("%s: %s, difference %.5f\n", kernels->isa, info->precision_text, info->precision_difference);
        assert_false(engine->weights.layers[1].down.rung->is_int8);
        assert_true(info->precision_difference <= 0.005 && info->precision_agreement >= 0.98);
        sq_engine_close(engine);
    }
    test_folder_deinit(&folder);
}

/* Where sums of bytes have 16 bits, estimates make six of these products climb at once; with three the texts agree. */
static void test_no_climb_is_for_nothing(void **state)
{
    (void)state;
    struct test_model deep = test_model_tiny;
    struct test_folder folder;
    deep.layers = 9;
    test_folder_init(&folder);
    test_model_write(folder.path, &deep);
    for (size_t i = 0; sq_kernels_name(i); i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(sq_kernels_name(i));
        if (!kernels || !kernels->ladder[0]->lane_groups) continue;
        struct sq_engine *engine = open_model(folder.path, kernels->isa, SQ_PRECISION_AUTO);
        unsigned climbed = 0;
        for (unsigned product = 0; product < deep.layers * SQ_PRODUCTS; product++)
            climbed += engine->plan.rungs[product / SQ_PRODUCTS][product % SQ_PRODUCTS] != kernels->ladder[0];
        assert_in_range(climbed, 1, 3);
        sq_engine_close(engine);
    }
    test_folder_deinit(&folder);
}

/* What a layer norm gives has one input far from the others, and the weights that take it are small. */
static void add_wide_input(unsigned char *bytes, const struct test_model *model)
{
    static const char *const takers[] = {"query", "key", "value"};
    tensor_of(bytes, "bert.encoder.layer.0.output.LayerNorm.weight")[3] *= 60;
    tensor_of(bytes, "bert.encoder.layer.0.output.LayerNorm.bias")[3] = 300;
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        char name[100];
        snprintf(name, sizeof name, "bert.encoder.layer.1.attention.self.%s.weight", takers[i]);
        for (unsigned row = 0; row < model->hidden; row++) tensor_of(bytes, name)[row * model->hidden + 3] /= 200;
    }
}

static double difference_of(const struct sq_engine *engine, const struct sq_prediction *exact)
{
    static struct sq_prediction got[SQ_PRECISION_TEXTS];
    double sum = 0;
    score(engine, got);
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i++) {
        for (unsigned n = 0; n < engine->info.labels_count; n++) sum += fabs((double)exact[i].probabilities[n] - (double)got[i].probabilities[n]);
    }
    return sum;
}

/* int8 as it is opened against int8 that takes inputs as they come. */
static void test_wide_inputs_are_evened_out(void **state)
{
    (void)state;
    static struct sq_prediction exact[SQ_PRECISION_TEXTS];
    struct test_folder folder;
    struct sq_precision_plan plan;
    test_folder_init(&folder);
    test_model_write(folder.path, &test_model_tiny);
    edit_weights(&folder, &test_model_tiny, add_wide_input);
    for (size_t i = 0; sq_kernels_name(i); i++) {
        const struct sq_kernels *kernels = sq_kernels_choose(sq_kernels_name(i));
        if (!kernels) continue;
        struct sq_engine *fp32 = open_model(folder.path, kernels->isa, SQ_PRECISION_FP32), *int8 = open_model(folder.path, kernels->isa, SQ_PRECISION_INT8);
        score(fp32, exact);
        double calibrated = difference_of(int8, exact);
        sq_weights_close(&int8->weights);
        assert_int_equal(sq_precision_plan_fixed(&plan, kernels, SQ_PRECISION_INT8, &err), 0);
        assert_int_equal(sq_weights_open(&int8->weights, &int8->config, kernels, &plan, NULL, folder.path, &err), 0);
        double plain = difference_of(int8, exact);
        print_message("%s: %g, plain %g\n", kernels->isa, calibrated, plain);
        assert_true(calibrated < 0.75 * plain);
        sq_engine_close(fp32);
        sq_engine_close(int8);
    }
    test_folder_deinit(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_hold_on_every_isa),
        cmocka_unit_test(test_an_outlier_makes_its_layer_climb),
        cmocka_unit_test(test_no_climb_is_for_nothing),
        cmocka_unit_test(test_wide_inputs_are_evened_out),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_a_plan_as_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
