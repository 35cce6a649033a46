/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that are opened from what an earlier one left in a cache are the same engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/kept.h"
#include "engine/precision_texts.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

enum { TEXTS = 20 };

static struct test_folder model, kept;
static struct sq_err err;

static int setup(void **state)
{
    (void)state;
    test_folder_init(&model);
    test_folder_init(&kept);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_deinit(&model);
    test_folder_deinit(&kept);
    return 0;
}

static struct sq_engine *open_engine(enum sq_task task, const char *isa, enum sq_precision precision, const char *cache_dir)
{
    struct sq_engine *engine;
    struct sq_engine_options options = {.model_path = model.path, .task = task, .isa = isa, .precision = precision, .cache_dir = cache_dir};
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    return engine;
}

static void score(const struct sq_engine *engine, struct sq_prediction *predictions, float *vectors)
{
    struct sq_session *session;
    struct sq_str texts[TEXTS];
    for (unsigned i = 0; i < TEXTS; i++) {
        texts[i] = sq_str_view(sq_precision_texts[i]);
        predictions[i].vector = vectors + i * sq_engine_info(engine)->outputs_count;
    }
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    sq_session_score(session, texts, TEXTS, predictions);
    sq_session_close(session);
}

/* The same bits out of the same facts. */
static void assert_same(const struct sq_engine *a, const struct sq_engine *b)
{
    static struct sq_prediction of_a[TEXTS], of_b[TEXTS];
    static float vectors_a[TEXTS * 64], vectors_b[TEXTS * 64];
    const struct sq_model_info *info = sq_engine_info(a), *other = sq_engine_info(b);
    assert_true(info->outputs_count <= 64 && info->outputs_count == other->outputs_count && info->labels_count == other->labels_count);
    for (unsigned i = 0; i < info->labels_count; i++) assert_string_equal(info->labels[i], other->labels[i]);
    assert_string_equal(info->precision_text, other->precision_text);
    assert_string_equal(info->dtype, other->dtype);
    assert_true(info->precision_difference == other->precision_difference && info->precision_agreement == other->precision_agreement);
    assert_int_equal(info->weights_bytes, other->weights_bytes);
    score(a, of_a, vectors_a);
    score(b, of_b, vectors_b);
    for (unsigned i = 0; i < TEXTS; i++)
        if (info->task == SQ_TASK_CLASSIFY) assert_memory_equal(of_a[i].logits, of_b[i].logits, info->labels_count * sizeof(float));
    if (info->task == SQ_TASK_EMBED) assert_memory_equal(vectors_a, vectors_b, TEXTS * info->outputs_count * sizeof(float));
}

static unsigned count_files(const char *prefix)
{
    unsigned count = 0;
    DIR *directory = opendir(kept.path);
    for (struct dirent *file; (file = readdir(directory));) count += strncmp(file->d_name, prefix, strlen(prefix)) == 0;
    closedir(directory);
    return count;
}

static void check(const struct test_model *shape, enum sq_task task, const char *isa, enum sq_precision precision)
{
    test_model_write(model.path, shape);
    struct sq_engine *alone = open_engine(task, isa, precision, NULL), *first = open_engine(task, isa, precision, kept.path);
    struct sq_engine *second = open_engine(task, isa, precision, kept.path);
    assert_false(sq_engine_info(alone)->is_shared);
    assert_true(sq_engine_info(first)->is_shared && sq_engine_info(second)->is_shared);
    assert_string_equal(sq_engine_info(second)->cache_trouble, "");
    assert_same(alone, first);
    assert_same(alone, second);
    sq_engine_close(alone);
    sq_engine_close(first);
    sq_engine_close(second);
}

static void test_the_same_bits_on_every_isa(void **state)
{
    (void)state;
    for (size_t i = 0; sq_kernels_name(i); i++) {
        if (!sq_kernels_choose(sq_kernels_name(i))) continue;
        check(&test_model_tiny, SQ_TASK_CLASSIFY, sq_kernels_name(i), SQ_PRECISION_AUTO);
        check(&test_model_tiny, SQ_TASK_CLASSIFY, sq_kernels_name(i), SQ_PRECISION_FP32);
        check(&test_model_tiny, SQ_TASK_CLASSIFY, sq_kernels_name(i), SQ_PRECISION_INT8);
        check(&test_model_tiny, SQ_TASK_EMBED, sq_kernels_name(i), SQ_PRECISION_AUTO);
    }
}

static void test_every_shape(void **state)
{
    (void)state;
    struct test_model albert = test_model_tiny, mpnet = test_model_tiny, halves = test_model_tiny;
    albert.type = "albert";
    albert.layers = 4;
    albert.groups = 2;
    albert.embedding = 8;
    mpnet.type = "mpnet";
    halves.dtype = "BF16";
    check(&albert, SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO);
    check(&mpnet, SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO);
    check(&halves, SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO);
}

/* The verdict is of a precision and the weights of a plan, so models that end with the same plan have the same file. */
static void test_what_is_kept_for_whom(void **state)
{
    (void)state;
    test_model_write(model.path, &test_model_tiny);
    sq_engine_close(open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_FP32, kept.path));
    assert_int_equal(count_files("verdict-"), 0);
    sq_engine_close(open_engine(SQ_TASK_CLASSIFY, "openblas", SQ_PRECISION_AUTO, kept.path));
    sq_engine_close(open_engine(SQ_TASK_CLASSIFY, "openblas", SQ_PRECISION_FP32, kept.path));
    assert_int_equal(count_files("verdict-"), 1);
    assert_int_equal(count_files("weights-"), 2);
    assert_int_equal(count_files("lock-"), 2);
}

static void test_other_weights_are_another_model(void **state)
{
    (void)state;
    struct test_model other = test_model_tiny;
    other.seed++;
    check(&test_model_tiny, SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO);
    check(&other, SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO);
}

static void cut_files(void)
{
    DIR *directory = opendir(kept.path);
    for (struct dirent *file; (file = readdir(directory));) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", kept.path, file->d_name);
        if (strncmp(file->d_name, "weights-", 8) == 0 || strncmp(file->d_name, "verdict-", 8) == 0) assert_int_equal(truncate(path, 5000), 0);
    }
    closedir(directory);
}

static void test_damage_is_told_and_mended(void **state)
{
    (void)state;
    test_model_write(model.path, &test_model_tiny);
    sq_engine_close(open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO, kept.path));
    cut_files();
    struct sq_engine *engine = open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO, kept.path);
    assert_non_null(strstr(sq_engine_info(engine)->cache_trouble, "is ignored"));
    assert_true(sq_engine_info(engine)->is_shared);
    sq_engine_close(engine);
    engine = open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO, kept.path);
    assert_string_equal(sq_engine_info(engine)->cache_trouble, "");
    sq_engine_close(engine);
}

static void test_a_folder_that_cannot_be_written(void **state)
{
    (void)state;
    test_model_write(model.path, &test_model_tiny);
    struct sq_engine *alone = open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO, NULL);
    struct sq_engine *engine = open_engine(SQ_TASK_CLASSIFY, NULL, SQ_PRECISION_AUTO, "/nowhere/at/all");
    assert_non_null(strstr(sq_engine_info(engine)->cache_trouble, "/nowhere/at/all can't be written"));
    assert_false(sq_engine_info(engine)->is_shared);
    assert_same(alone, engine);
    sq_engine_close(engine);
    sq_engine_close(alone);
}

/* Whoever is first makes the files, the others wait and map them. */
static void test_many_at_once(void **state)
{
    (void)state;
    enum { PROCESSES = 6 };
    pid_t children[PROCESSES];
    test_model_write(model.path, &test_model_tiny);
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        struct sq_engine *engine = NULL;
        struct sq_engine_options options = {.model_path = model.path, .cache_dir = kept.path};
        bool is_right = sq_engine_open(&engine, &options, &err) == 0 && engine->info.is_shared && engine->info.cache_trouble[0] == '\0';
        _exit(is_right ? 0 : 1);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count_files("weights-"), 1);
    assert_int_equal(count_files("verdict-"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_same_bits_on_every_isa, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_shape, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_kept_for_whom, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_weights_are_another_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_told_and_mended, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
