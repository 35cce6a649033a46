/* SPDX-License-Identifier: Apache-2.0 */
/* Several models that answer as one, against the average made by hand of what each says alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/pool.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

enum { MODELS = 3, LABELS = 3, TEXTS = 60 };

static struct test_folder folders[MODELS];
static struct sq_err err;
static struct sq_str texts[TEXTS];

/* The label that is called "label i", as an id of model m: the second model counts backwards. */
static unsigned id_of(unsigned model, unsigned label) { return model == 1 ? LABELS - 1 - label : label; }

static void rename_labels(const struct test_folder *folder, const char *const names[LABELS])
{
    char path[300];
    struct sq_buf config, renamed;
    sq_buf_init(&config);
    sq_buf_init(&renamed);
    snprintf(path, sizeof path, "%s/config.json", folder->path);
    test_read_file(path, &config);
    const char *ids = strstr(config.data, "\"id2label\"");
    sq_buf_append(&renamed, config.data, (size_t)(ids - config.data));
    sq_buf_printf(&renamed, "\"id2label\":{\"0\":\"%s\",\"1\":\"%s\",\"2\":\"%s\"}}", names[0], names[1], names[2]);
    test_folder_write(folder, "config.json", sq_buf_view(&renamed));
    sq_buf_deinit(&config);
    sq_buf_deinit(&renamed);
}

static int setup(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "b c d", "what a day 1 2 3", "", "good morning", "bad \xff"};
    for (unsigned i = 0; i < MODELS; i++) {
        struct test_model model = test_model_tiny;
        model.seed = 1 + i;
        model.positions = 64 - 8 * i;
        test_folder_init(&folders[i]);
        test_model_write(folders[i].path, &model);
    }
    rename_labels(&folders[1], (const char *const[]){"label 2", "label 1", "label 0"});
    for (unsigned i = 0; i < TEXTS; i++) texts[i] = sq_str_view(words[i % 6]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MODELS; i++) test_folder_deinit(&folders[i]);
    return 0;
}

static struct sq_engine *open_engine(unsigned first, unsigned count)
{
    struct sq_engine *engine;
    const char *further[MODELS + 1] = {NULL};
    for (unsigned i = 1; i < count; i++) further[i - 1] = folders[first + i].path;
    const struct sq_engine_options options = {.model_path = folders[first].path, .further_paths = further};
    if (sq_engine_open(&engine, &options, &err) < 0) fail_msg("%s", err.message);
    return engine;
}

static void score(const struct sq_engine *engine, struct sq_prediction predictions[TEXTS])
{
    struct sq_session *session;
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    sq_session_score(session, texts, TEXTS, predictions);
    sq_session_close(session);
}

static void assert_same(const struct sq_prediction *a, const struct sq_prediction *b)
{
    assert_int_equal(a->code, b->code);
    if (a->code < 0) return;
    assert_int_equal(a->label, b->label);
    assert_int_equal(a->tokens, b->tokens);
    for (unsigned i = 0; i < LABELS; i++) assert_true(fabsf(a->probabilities[i] - b->probabilities[i]) < 1e-6f); /* OpenBLAS's promise */
}

static void test_average(void **state)
{
    (void)state;
    static struct sq_prediction alone[MODELS][TEXTS], together[TEXTS];
    for (unsigned i = 0; i < MODELS; i++) {
        struct sq_engine *engine = open_engine(i, 1);
        score(engine, alone[i]);
        sq_engine_close(engine);
    }
    struct sq_engine *ensemble = open_engine(0, MODELS);
    score(ensemble, together);
    for (unsigned text = 0; text < TEXTS; text++) {
        assert_int_equal(together[text].code, alone[0][text].code);
        if (together[text].code < 0) continue;
        unsigned best = 0;
        for (unsigned label = 0; label < LABELS; label++) {
            float sum = 0;
            for (unsigned i = 0; i < MODELS; i++) sum += alone[i][text].probabilities[id_of(i, label)];
            assert_true(fabsf(together[text].probabilities[label] - sum / MODELS) < 1e-6f);
            if (together[text].probabilities[label] > together[text].probabilities[best]) best = label;
        }
        assert_int_equal(together[text].label, best);
        assert_true(together[text].score == together[text].probabilities[best]);
        assert_int_equal(together[text].tokens, alone[0][text].tokens);
    }
    sq_engine_close(ensemble);
}

struct tally {
    _Atomic unsigned jobs;
};

static void count(struct sq_job *jobs, void *ctx)
{
    struct tally *tally = ctx;
    for (; jobs; jobs = jobs->next) atomic_fetch_add(&tally->jobs, 1);
}

/* The pool runs the models in parallel and gives each job back once, with what a session says. */
static void test_pool(void **state)
{
    (void)state;
    static struct sq_prediction expected[TEXTS];
    static struct sq_job jobs[TEXTS];
    struct sq_engine *ensemble = open_engine(0, MODELS);
    score(ensemble, expected);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct sq_pool *pool;
        struct tally tally = {0};
        const struct sq_pool_options options = {.threads = threads, .collapses = threads % 2, .cache_texts = threads > 2 ? 100 : 0,
                                                .done = count, .done_ctx = &tally};
        assert_int_equal(sq_pool_open(&pool, ensemble, &options, &err), 0);
        for (unsigned i = 0; i < TEXTS; i++) {
            jobs[i] = (struct sq_job){.text = texts[i]};
            assert_int_equal(sq_pool_try_submit(pool, &jobs[i]), 0);
        }
        sq_pool_close(pool);
        assert_int_equal(atomic_load(&tally.jobs), TEXTS);
        for (unsigned i = 0; i < TEXTS; i++) {
            assert_same(&jobs[i].prediction, &expected[i]);
            assert_true(jobs[i].submitted_ns <= jobs[i].started_ns && jobs[i].started_ns <= jobs[i].finished_ns);
        }
    }
    sq_engine_close(ensemble);
}

static void test_info(void **state)
{
    (void)state;
    struct sq_engine *one = open_engine(0, 1), *two = open_engine(0, 2), *three = open_engine(0, 3);
    const struct sq_model_info *info = sq_engine_info(three), *first = sq_engine_info(one);
    char name[800];
    snprintf(name, sizeof name, "%s+%s+%s", strrchr(folders[0].path, '/') + 1, strrchr(folders[1].path, '/') + 1, strrchr(folders[2].path, '/') + 1);
    assert_string_equal(info->name, name);
    assert_string_equal(info->labels[0], "label 0");
    assert_int_equal(sq_engine_members_count(one), 1);
    assert_ptr_equal(sq_engine_member(one, 0), one);
    assert_int_equal(sq_engine_members_count(three), 3);
    assert_string_equal(sq_engine_info(sq_engine_member(three, 0))->xxh128, first->xxh128);
    assert_true(info->digest != sq_engine_info(two)->digest && info->digest != first->digest);
    assert_true(info->weights_bytes > 2 * first->weights_bytes);
    assert_true(sq_engine_tokens_bound(three, 1000) == 64);
    sq_engine_close(one);
    sq_engine_close(two);
    sq_engine_close(three);
}

static void refuse(const char *const *further, const char *const parts[], unsigned parts_count)
{
    struct sq_engine *engine;
    const struct sq_engine_options options = {.model_path = folders[0].path, .further_paths = further};
    assert_int_equal(sq_engine_open(&engine, &options, &err), SQ_E_CONFIG);
    assert_null(engine);
    for (unsigned i = 0; i < parts_count; i++)
        if (!strstr(err.message, parts[i])) fail_msg("'%s' is not in: %s", parts[i], err.message);
}

static void test_mismatch(void **state)
{
    (void)state;
    struct test_folder other;
    test_folder_init(&other);
    const char *further[] = {folders[1].path, other.path, NULL};
    test_model_write(other.path, &test_model_tiny);
    rename_labels(&other, (const char *const[]){"negative", "label 1", "label 2"});
    refuse(further, (const char *const[]){folders[0].path, other.path, "label 0, label 1, label 2", "negative, label 1, label 2"}, 4);
    struct test_model model = test_model_tiny;
    model.labels = 2;
    test_model_write(other.path, &model);
    refuse(further, (const char *const[]){folders[0].path, other.path, "and " }, 3);
    test_model_write(other.path, &test_model_tiny);
    struct sq_buf config;
    char path[300];
    sq_buf_init(&config);
    snprintf(path, sizeof path, "%s/config.json", other.path);
    test_read_file(path, &config);
    config.bytes = (size_t)(strrchr(config.data, '}') - config.data);
    sq_buf_append_text(&config, ",\"problem_type\":\"multi_label_classification\"}");
    test_folder_write(&other, "config.json", sq_buf_view(&config));
    sq_buf_deinit(&config);
    refuse(further, (const char *const[]){folders[0].path, other.path, "multi-label"}, 3);
    const char *too_many[SQ_MEMBERS_MAX + 1] = {NULL};
    for (unsigned i = 0; i < SQ_MEMBERS_MAX; i++) too_many[i] = folders[0].path;
    refuse(too_many, (const char *const[]){"at most 8"}, 1);
    test_folder_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_average), cmocka_unit_test(test_pool), cmocka_unit_test(test_info),
                                       cmocka_unit_test(test_mismatch)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
