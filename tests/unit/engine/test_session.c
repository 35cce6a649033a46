/* SPDX-License-Identifier: Apache-2.0 */
/* A session's promises: a text's scores don't depend on its company, and a bad text disturbs no other. Models are tiny and random. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/session.h"
#include "engine/texthash.h"
#include "tests/lib/folder.h"
#include "tests/lib/random.h"
#include "tests/lib/testmodel.h"

enum { TEXTS = 120, TEXT_BYTES = 90 };

static struct sq_err err;

struct fixture {
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_session *session;
};

static void fixture_init(struct fixture *fixture, const struct test_model *model, const struct sq_engine_options *options)
{
    struct sq_engine_options with_path = *options;
    test_folder_init(&fixture->folder);
    test_model_write(fixture->folder.path, model);
    with_path.model_path = fixture->folder.path;
    if (sq_engine_open(&fixture->engine, &with_path, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(sq_session_open(&fixture->session, fixture->engine, &err), 0);
}

static void fixture_deinit(struct fixture *fixture)
{
    sq_session_close(fixture->session);
    sq_engine_close(fixture->engine);
    test_folder_deinit(&fixture->folder);
}

static char letters[TEXTS][TEXT_BYTES];
static struct sq_str texts[TEXTS];

/* Texts of every length from none to longer than the model takes. */
static void make_texts(void)
{
    struct test_random random = {7};
    for (size_t i = 0; i < TEXTS; i++) {
        size_t bytes = i % TEXT_BYTES;
        for (size_t at = 0; at < bytes; at++) letters[i][at] = "abcdefgh 0123 !?"[test_random_below(&random, 16)];
        texts[i] = (struct sq_str){letters[i], bytes};
    }
}

static double distance(const struct sq_prediction *a, const struct sq_prediction *b, unsigned labels)
{
    double worst = 0;
    for (unsigned i = 0; i < labels; i++) worst = fmax(worst, fabs((double)a->probabilities[i] - (double)b->probabilities[i]));
    return worst;
}

static void check_company(const struct test_model *model, const char *isa, enum sq_precision precision)
{
    static struct sq_prediction alone[TEXTS], together[TEXTS], backwards[TEXTS];
    static const unsigned budgets[] = {1, 16, 64, 256, 4096};
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; b++) {
        struct fixture fixture;
        struct sq_str reversed[TEXTS];
        fixture_init(&fixture, model, &(struct sq_engine_options){.batch_tokens_max = budgets[b], .isa = isa, .precision = precision});
        const struct sq_model_info *info = sq_engine_info(fixture.engine);
        double bound = strcmp(info->isa, "openblas") == 0 ? 1e-6 : 0;
        for (size_t i = 0; i < TEXTS; i++) {
            sq_session_score(fixture.session, &texts[i], 1, &alone[i]);
            reversed[TEXTS - 1 - i] = texts[i];
        }
        sq_session_score(fixture.session, texts, TEXTS, together);
        sq_session_score(fixture.session, reversed, TEXTS, backwards);
        for (size_t i = 0; i < TEXTS; i++) {
            const struct sq_prediction *back = &backwards[TEXTS - 1 - i];
            assert_int_equal(together[i].code, 0);
            assert_int_equal(together[i].tokens, alone[i].tokens);
            assert_int_equal(together[i].truncated, alone[i].truncated);
            assert_true(together[i].text_hash == sq_text_hash(texts[i]));
            assert_true(distance(&together[i], &alone[i], info->labels_count) <= bound);
            assert_int_equal(back->code, 0);
            assert_true(distance(back, &alone[i], info->labels_count) <= bound);
        }
        fixture_deinit(&fixture);
    }
}

static void test_company(void **state)
{
    (void)state;
    struct test_model distilbert = test_model_tiny;
    distilbert.type = "distilbert";
    check_company(&distilbert, NULL, SQ_PRECISION_FP32);
    for (size_t i = 0; sq_kernels_name(i); i++) {
        if (!sq_kernels_choose(sq_kernels_name(i))) continue;
        check_company(&test_model_tiny, sq_kernels_name(i), SQ_PRECISION_FP32);
        check_company(&test_model_tiny, sq_kernels_name(i), SQ_PRECISION_INT8);
        if (sq_kernels_rung(sq_kernels_choose(sq_kernels_name(i)), "bf16")) check_company(&test_model_tiny, sq_kernels_name(i), SQ_PRECISION_BF16);
    }
}

static void test_predictions(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_prediction prediction;
    fixture_init(&fixture, &test_model_tiny, &(struct sq_engine_options){0});
    const struct sq_model_info *info = sq_engine_info(fixture.engine);
    sq_session_score(fixture.session, &texts[40], 1, &prediction);
    float total = 0;
    for (unsigned i = 0; i < info->labels_count; i++) {
        assert_true(prediction.probabilities[i] > 0 && prediction.probabilities[i] <= prediction.score);
        total += prediction.probabilities[i];
    }
    assert_true(fabsf(total - 1) < 1e-6f);
    assert_true(prediction.probabilities[prediction.label] == prediction.score);
    int32_t ids[64];
    size_t ids_count;
    assert_int_equal(sq_session_tokenise(fixture.session, SQ_STR("a"), ids, &ids_count, &err), 0);
    assert_int_equal(ids_count, 3);
    assert_int_equal(ids[0], 2); /* [CLS] */
    assert_int_equal(ids[2], 3); /* [SEP] */
    fixture_deinit(&fixture);
}

static void test_bad_texts(void **state)
{
    (void)state;
    struct fixture fixture;
    static struct sq_prediction predictions[6], good;
    char *huge = calloc(SQ_TEXT_BYTES_MAX + 1, 1);
    memset(huge, 'a', SQ_TEXT_BYTES_MAX + 1);
    const struct sq_str mixed[] = {
        SQ_STR("abc 1"), SQ_STR("bad \xff byte"), {huge, SQ_TEXT_BYTES_MAX + 1}, SQ_STR("abc 1"), {huge, SQ_TEXT_BYTES_MAX}, {NULL, 0},
    };
    fixture_init(&fixture, &test_model_tiny, &(struct sq_engine_options){0});
    sq_session_score(fixture.session, mixed, 1, &good);
    sq_session_score(fixture.session, mixed, 6, predictions);
    assert_int_equal(predictions[0].code, 0);
    assert_int_equal(predictions[1].code, SQ_E_INVALID_UTF8);
    assert_int_equal(predictions[2].code, SQ_E_TOO_LARGE);
    assert_int_equal(predictions[3].code, 0);
    assert_true(distance(&predictions[3], &good, 3) == 0);
    assert_int_equal(predictions[4].code, 0); /* a megabyte of one word is [UNK] */
    assert_int_equal(predictions[4].tokens, 3);
    assert_int_equal(predictions[5].code, 0);
    assert_int_equal(predictions[5].tokens, 2);
    free(huge);
    fixture_deinit(&fixture);
}

static void test_limits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_prediction prediction;
    const struct sq_str long_text = SQ_STR("a b c d e f g h i j k l m n o p q r s t u v w x y z");
    fixture_init(&fixture, &test_model_tiny, &(struct sq_engine_options){.tokens_max = 10});
    sq_session_score(fixture.session, &long_text, 1, &prediction);
    assert_int_equal(prediction.tokens, 10);
    assert_true(prediction.truncated);
    assert_int_equal(sq_engine_tokens_bound(fixture.engine, 1000), 10);
    assert_true(sq_engine_tokens_bound(fixture.engine, 1) >= 3);
    fixture_deinit(&fixture);
    fixture_init(&fixture, &test_model_tiny, &(struct sq_engine_options){.tokens_max = 8192});
    assert_int_equal(sq_engine_info(fixture.engine)->tokens_max, test_model_tiny.positions);
    fixture_deinit(&fixture);
}

/* What a batch takes by hand, as the pool does it. */
static void test_try_add(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_prediction predictions[4];
    fixture_init(&fixture, &test_model_tiny, &(struct sq_engine_options){.batch_tokens_max = 10});
    assert_true(sq_session_try_add(fixture.session, SQ_STR("a b"), &predictions[0]));
    assert_true(sq_session_try_add(fixture.session, SQ_STR("\xff"), &predictions[1])); /* takes no place */
    assert_true(sq_session_try_add(fixture.session, SQ_STR("a b c d"), &predictions[2]));
    assert_int_equal(sq_session_texts_count(fixture.session), 2);
    assert_int_equal(sq_session_tokens_count(fixture.session), 10);
    assert_false(sq_session_try_add(fixture.session, SQ_STR("a"), &predictions[3]));
    sq_session_run(fixture.session);
    assert_int_equal(sq_session_texts_count(fixture.session), 0);
    assert_int_equal(predictions[2].tokens, 6);
    assert_true(sq_session_try_add(fixture.session, SQ_STR("a b c d e f g h i j k l"), &predictions[3])); /* over the budget, but alone */
    assert_int_equal(sq_session_tokens_count(fixture.session), 14);
    sq_session_run(fixture.session);
    assert_true(predictions[3].score > 0);
    fixture_deinit(&fixture);
}

int main(void)
{
    make_texts();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_company), cmocka_unit_test(test_predictions), cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_try_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
