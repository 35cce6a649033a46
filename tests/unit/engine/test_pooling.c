/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/session.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

static struct sq_err err;

static void refuse(int code, const char *part)
{
    assert_int_equal(code, SQ_E_MODEL_FILE);
    if (!strstr(err.message, part)) fail_msg("'%s' does not say '%s'", err.message, part);
}

static enum sq_pooling pooling;
static int pooling_of(const char *text) { return sq_pooling_parse(&pooling, "1_Pooling/config.json", sq_str_view(text), &err); }

static void test_modes(void **state)
{
    (void)state;
    assert_int_equal(pooling_of("{\"word_embedding_dimension\":384,\"pooling_mode_cls_token\":false,\"pooling_mode_mean_tokens\":true}"), 0);
    assert_int_equal(pooling, SQ_POOLING_MEAN);
    assert_int_equal(pooling_of("{\"pooling_mode_cls_token\":true,\"include_prompt\":true}"), 0);
    assert_int_equal(pooling, SQ_POOLING_FIRST);
    assert_int_equal(pooling_of("{\"pooling_mode\":\"mean\"}"), 0);
    assert_int_equal(pooling, SQ_POOLING_MEAN);
    refuse(pooling_of("{\"pooling_mode_max_tokens\":true}"), "pooling_mode: 'max' can't be run: take a model that pools by mean");
    refuse(pooling_of("{\"pooling_mode\":\"lasttoken\"}"), "'lasttoken' can't be run");
    refuse(pooling_of("{\"pooling_mode\":\"wild\"}"), "'wild' can't be run");
    refuse(pooling_of("{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":true}"), "as another mode is");
    refuse(pooling_of("{}"), "1_Pooling/config.json: says no pooling_mode");
    refuse(pooling_of("[]"), "expected a JSON object");
}

static char path[SQ_MODULE_PATH_BYTES];
static int modules_of(const char *text) { return sq_modules_parse(path, "modules.json", sq_str_view(text), &err); }

static void test_modules(void **state)
{
    (void)state;
#define ENCODER "{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":\"sentence_transformers.models.Transformer\"}"
    assert_int_equal(modules_of("[" ENCODER ",{\"path\":\"1_Pooling\",\"type\":\"sentence_transformers.models.Pooling\"},"
                                "{\"path\":\"2_Normalize\",\"type\":\"sentence_transformers.models.Normalize\"}]"), 0);
    assert_string_equal(path, "1_Pooling");
    assert_int_equal(modules_of("[" ENCODER "]"), 0);
    assert_string_equal(path, "");
    refuse(modules_of("[" ENCODER ",{\"path\":\"2_Dense\",\"type\":\"sentence_transformers.models.Dense\"}]"), "Dense' can't be run");
    refuse(modules_of("[{\"path\":\"0_BERT\",\"type\":\"x.Transformer\"}]"), "save the model again");
    refuse(modules_of("[{\"path\":\"../up\",\"type\":\"x.Pooling\"}]"), "a folder inside the model's");
    refuse(modules_of("{}"), "expected a list of modules");
    refuse(modules_of("[7]"), "expected a list of modules");
}

static const char *const lines[] = {"a b c", "hello there 42", "a b c", "", "z"};
enum { LINES_COUNT = 5, WIDTH = 24 };

/* All lines as one batch. */
static void embed(const struct test_folder *folder, struct sq_score_cache *cache, float vectors[LINES_COUNT][WIDTH])
{
    struct sq_engine *engine;
    struct sq_session *session;
    struct sq_prediction predictions[LINES_COUNT];
    struct sq_str texts[LINES_COUNT];
    struct sq_engine_options options = {.model_path = folder->path, .task = SQ_TASK_EMBED};
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    const struct sq_model_info *info = sq_engine_info(engine);
    assert_int_equal(info->outputs_count, WIDTH);
    assert_int_equal(info->labels_count, 0);
    assert_string_equal(info->architecture, "bert");
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    if (cache) sq_session_reuse(session, cache);
    for (int i = 0; i < LINES_COUNT; i++) {
        texts[i] = sq_str_view(lines[i]);
        predictions[i].vector = vectors[i];
    }
    sq_session_score(session, texts, LINES_COUNT, predictions);
    for (int i = 0; i < LINES_COUNT; i++) assert_int_equal(predictions[i].code, 0);
    sq_session_close(session);
    sq_engine_close(engine);
}

/* A folder without a head, as an encoder is saved by itself; and the same vectors out of copies and of the cache. */
static void test_embed(void **state)
{
    (void)state;
    struct test_folder folder;
    struct sq_score_cache *cache;
    struct test_model model = test_model_tiny;
    static float vectors[LINES_COUNT][WIDTH], again[LINES_COUNT][WIDTH];
    model.is_headless = true;
    model.prefix = "";
    test_folder_init(&folder);
    test_model_write(folder.path, &model);
    embed(&folder, NULL, vectors);
    assert_memory_equal(vectors[0], vectors[2], sizeof vectors[0]);
    assert_memory_not_equal(vectors[0], vectors[1], sizeof vectors[0]);
    assert_int_equal(sq_score_cache_open(&cache, 64, WIDTH, &err), 0);
    for (int round = 0; round < 2; round++) {
        memset(again, 0, sizeof again);
        embed(&folder, cache, again);
        assert_memory_equal(again, vectors, sizeof again);
    }
    assert_int_equal(sq_score_cache_texts(cache), LINES_COUNT - 1);
    sq_score_cache_close(cache);
    struct sq_engine *engine;
    struct sq_engine_options options = {.model_path = folder.path};
    refuse(sq_engine_open(&engine, &options, &err), "tensors are missing"); /* it can't classify */
    test_folder_deinit(&folder);
}

/* The folder's own number of tokens, unless the caller has one. */
static void test_tokens_max(void **state)
{
    (void)state;
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_engine_options options = {.task = SQ_TASK_EMBED};
    test_folder_init(&folder);
    test_model_write(folder.path, &test_model_tiny);
    options.model_path = folder.path;
    test_folder_write(&folder, "sentence_bert_config.json", SQ_STR("{\"max_seq_length\":20,\"do_lower_case\":false}"));
    assert_int_equal(sq_engine_open(&engine, &options, &err), 0);
    assert_int_equal(sq_engine_info(engine)->tokens_max, 20);
    sq_engine_close(engine);
    options.tokens_max = 30;
    assert_int_equal(sq_engine_open(&engine, &options, &err), 0);
    assert_int_equal(sq_engine_info(engine)->tokens_max, 30);
    sq_engine_close(engine);
    test_folder_write(&folder, "sentence_bert_config.json", SQ_STR("{\"max_seq_length\":1}"));
    refuse(sq_engine_open(&engine, &options, &err), "sentence_bert_config.json: max_seq_length: 1");
    test_folder_deinit(&folder);
}

static void test_normalise(void **state)
{
    (void)state;
    float vector[] = {3, 0, 4}, zeros[] = {0, 0};
    sq_vector_normalise(vector, 3);
    assert_true(fabsf(vector[0] - 0.6f) < 1e-7f && fabsf(vector[2] - 0.8f) < 1e-7f);
    sq_vector_normalise(zeros, 2);
    assert_true(zeros[0] == 0 && zeros[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes), cmocka_unit_test(test_modules),   cmocka_unit_test(test_embed),
        cmocka_unit_test(test_tokens_max), cmocka_unit_test(test_normalise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
