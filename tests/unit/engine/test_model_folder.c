/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as people have them, and broken ones: the error names the file and the field. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

static struct sq_err err;
static struct test_folder folder;

static int setup(void **state)
{
    (void)state;
    test_folder_init(&folder);
    test_model_write(folder.path, &test_model_tiny);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_deinit(&folder);
    return 0;
}

static void refuse_with(const struct sq_engine_options *options, int code, const char *part)
{
    struct sq_engine *engine;
    assert_int_equal(sq_engine_open(&engine, options, &err), code);
    assert_null(engine);
    if (!strstr(err.message, part)) fail_msg("'%s' does not say '%s'", err.message, part);
}

static void refuse(const char *part) { refuse_with(&(struct sq_engine_options){.model_path = folder.path}, SQ_E_MODEL_FILE, part); }

/* Replaces the first `from` in a file of the folder by `to`, of the same length. */
static void patch(const char *file, const char *from, const char *to)
{
    char path[512];
    struct sq_buf contents;
    assert_int_equal(strlen(from), strlen(to));
    snprintf(path, sizeof path, "%s/%s", folder.path, file);
    test_read_file(path, &contents);
    char *found = memmem(contents.data, contents.bytes, from, strlen(from));
    assert_non_null(found);
    memcpy(found, to, strlen(to));
    test_folder_write(&folder, file, sq_buf_view(&contents));
    sq_buf_deinit(&contents);
}

static void cut(const char *file, off_t bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder.path, file);
    assert_int_equal(truncate(path, bytes), 0);
}

/* What the model says of one text. */
static struct sq_prediction score(void)
{
    struct sq_engine *engine;
    struct sq_session *session;
    struct sq_prediction prediction;
    struct sq_engine_options options = {.model_path = folder.path};
    const struct sq_str text = SQ_STR("hello there 42");
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    sq_session_score(session, &text, 1, &prediction);
    sq_session_close(session);
    sq_engine_close(engine);
    return prediction;
}

/* The same weights under other names and in other types. */
static void test_names_and_types(void **state)
{
    (void)state;
    static const struct {
        const char *dtype, *prefix;
        bool old_norm_names;
        float bound;
    } rows[] = {{"F32", "", false, 0}, {"F32", NULL, true, 0}, {"F16", NULL, false, 5e-2f}, {"BF16", "", true, 1e-1f}};
    struct sq_prediction right = score();
    assert_int_equal(right.code, 0);
    for (size_t i = 0; i < 2; i++) { /* names: gamma and beta seed other values, so only the prefix can be compared */
        struct test_model model = test_model_tiny;
        model.prefix = rows[i].prefix;
        model.old_norm_names = rows[i].old_norm_names;
        test_model_write(folder.path, &model);
        struct sq_prediction given = score();
        assert_int_equal(given.code, 0);
        if (!model.old_norm_names) assert_memory_equal(given.logits, right.logits, sizeof right.logits);
    }
    for (size_t i = 2; i < 4; i++) {
        struct test_model model = test_model_tiny;
        model.dtype = rows[i].dtype;
        test_model_write(folder.path, &model);
        struct sq_prediction given = score();
        for (unsigned label = 0; label < model.labels; label++)
            assert_true(fabsf(given.probabilities[label] - right.probabilities[label]) < rows[i].bound);
    }
}

static uint64_t digest(void)
{
    struct sq_engine *engine;
    struct sq_engine_options options = {.model_path = folder.path};
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    uint64_t digest = sq_engine_info(engine)->digest;
    sq_engine_close(engine);
    return digest;
}

/* The same weights in three files. */
static void test_shards(void **state)
{
    (void)state;
    struct sq_prediction right = score();
    struct test_model model = test_model_tiny;
    model.shards = 3;
    test_folder_remove(&folder, "model.safetensors");
    test_model_write(folder.path, &model);
    struct sq_prediction given = score();
    assert_memory_equal(given.logits, right.logits, sizeof right.logits);
    uint64_t before = digest();
    model.seed = 2;
    test_model_write(folder.path, &model);
    assert_true(digest() != before); /* the shards count, not only their index */
    test_folder_remove(&folder, "model-00002-of-00003.safetensors");
    refuse("model-00002-of-00003.safetensors: No such file");
    test_folder_write(&folder, "model-00002-of-00003.safetensors", SQ_STR("\2\0\0\0\0\0\0\0{}"));
    refuse("tensors are missing or have the wrong shape");
}

static void test_info(void **state)
{
    (void)state;
    struct sq_engine *engine;
    struct sq_engine_options options = {.model_path = folder.path};
    assert_int_equal(sq_engine_open(&engine, &options, &err), 0);
    const struct sq_model_info *info = sq_engine_info(engine);
    assert_string_equal(info->name, strrchr(folder.path, '/') + 1);
    assert_string_equal(info->architecture, "BertForSequenceClassification");
    assert_string_equal(info->dtype, "F32");
    assert_string_equal(info->labels[2], "label 2");
    assert_int_equal(info->hidden, test_model_tiny.hidden);
    assert_int_equal(info->tokens_max, test_model_tiny.positions);
    assert_int_equal(strlen(info->xxh128), 32);
    assert_true(info->weights_bytes > 0 && info->session_bytes > 0);
    uint64_t digest = info->digest;
    sq_engine_close(engine);
    patch("config.json", "label 2", "label Z"); /* any change of a file gives the model another name */
    assert_int_equal(sq_engine_open(&engine, &options, &err), 0);
    assert_true(sq_engine_info(engine)->digest != digest);
    sq_engine_close(engine);
}

static void test_files_missing(void **state)
{
    (void)state;
    test_folder_write(&folder, "pytorch_model.bin", SQ_STR("x"));
    test_folder_remove(&folder, "model.safetensors");
    refuse("pytorch_model.bin");
    test_folder_remove(&folder, "pytorch_model.bin");
    refuse("model.safetensors: no such file");
    test_folder_write(&folder, "tf_model.h5", SQ_STR("x"));
    refuse("tf_model.h5, which is TensorFlow's");
    test_folder_write(&folder, "model.safetensors.index.json", SQ_STR("{}"));
    refuse("weight_map: expected an object");
    test_folder_write(&folder, "model.safetensors.index.json", SQ_STR("{\"weight_map\":{\"a\":\"gone.safetensors\"}}"));
    refuse("gone.safetensors: No such file");
    test_folder_remove(&folder, "vocab.txt");
    refuse("vocab.txt");
    test_folder_remove(&folder, "config.json");
    refuse("config.json: No such file");
    refuse_with(&(struct sq_engine_options){.model_path = "/nowhere/at/all"}, SQ_E_MODEL_FILE, "/nowhere/at/all: No such file");
    refuse_with(&(struct sq_engine_options){.model_path = "/dev/null"}, SQ_E_MODEL_FILE, "is not a folder");
}

static void test_tensors_wrong(void **state)
{
    (void)state;
    patch("model.safetensors", "bert.pooler.dense.weight", "bert.pooler.dense.Weight");
    patch("model.safetensors", "bert.encoder.layer.1.output.dense.bias", "bert.encoder.layer.9.output.dense.bias");
    patch("model.safetensors", "\"shape\":[40,24]", "\"shape\":[24,40]");
    refuse("3 tensors are missing or have the wrong shape");
    assert_non_null(strstr(err.message, "bert.pooler.dense.weight: missing"));
    assert_non_null(strstr(err.message, "bert.encoder.layer.1.output.dense.bias: missing"));
    assert_non_null(strstr(err.message, "bert.encoder.layer.0.intermediate.dense.weight: shape [24, 40], config.json asks for [40, 24]"));
    assert_non_null(strstr(err.message, "model.safetensors"));
}

static void test_config_and_weights_disagree(void **state)
{
    (void)state;
    patch("config.json", "\"num_hidden_layers\":2", "\"num_hidden_layers\":5");
    refuse("48 tensors are missing");
    assert_non_null(strstr(err.message, "and 40 more"));
    test_model_write(folder.path, &test_model_tiny);
    patch("config.json", "\"hidden_size\":24", "\"hidden_size\":48");
    refuse("wrong shape");
    test_model_write(folder.path, &test_model_tiny);
    patch("config.json", "\"vocab_size\":81", "\"vocab_size\":80");
    refuse("the tokenizer gives ids up to 80, but vocab_size in config.json is 80");
    test_model_write(folder.path, &test_model_tiny);
    patch("config.json", "\"2\":\"label 2\"},\"label2id\"", "\"3\":\"label 2\"},\"label2id\"");
    refuse("id2label");
}

/* The file is cut at every length that matters; each time the same clear end. */
static void test_cut_short(void **state)
{
    (void)state;
    static const off_t lengths[] = {0, 7, 8, 100, 4000, 20000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        test_model_write(folder.path, &test_model_tiny);
        cut("model.safetensors", lengths[i]);
        refuse("model.safetensors");
        test_model_write(folder.path, &test_model_tiny);
        cut("config.json", lengths[i] / 10);
        if (lengths[i] < 4000) refuse("config.json");
    }
    test_model_write(folder.path, &test_model_tiny);
    cut("vocab.txt", 20);
    refuse("vocab.txt");
}

static void test_options(void **state)
{
    (void)state;
    struct sq_engine_options options = {.model_path = folder.path, .precision = SQ_PRECISION_BF16, .isa = "openblas"};
    refuse_with(&options, SQ_E_CONFIG, "this CPU has no instructions for it");
    options = (struct sq_engine_options){.model_path = folder.path, .tokens_max = 1};
    refuse_with(&options, SQ_E_CONFIG, "max_tokens: 1");
    options = (struct sq_engine_options){.model_path = folder.path, .tokens_max = SQ_TOKENS_MAX + 1};
    refuse_with(&options, SQ_E_CONFIG, "max_tokens");
    options = (struct sq_engine_options){.model_path = folder.path, .batch_tokens_max = 1 << 20};
    refuse_with(&options, SQ_E_CONFIG, "batch.max_tokens");
    options = (struct sq_engine_options){.model_path = folder.path, .isa = "abacus"};
    refuse_with(&options, SQ_E_CONFIG, "abacus");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_names_and_types), CASE(test_shards), CASE(test_info),      CASE(test_files_missing), CASE(test_tensors_wrong),
        CASE(test_config_and_weights_disagree), CASE(test_cut_short), CASE(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
