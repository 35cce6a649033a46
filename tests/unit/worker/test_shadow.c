/* SPDX-License-Identifier: Apache-2.0 */
/* The model in shadow: the tiny model beside itself, and beside one whose labels are called otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "tests/lib/folder.h"
#include "tests/lib/tiny_model.h"
#include "worker/pipeline/shadow.h"

struct fixture {
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_session *session; /* the stream's */
};

/* labels: names in id order in place of the tiny model's own; NULL: its own. */
static void open_fixture(struct fixture *fixture, const char *labels)
{
    struct sq_err err;
    test_folder_init(&fixture->folder);
    test_tiny_model_write(&fixture->folder);
    if (labels) {
        char path[512];
        struct sq_buf config = {0};
        snprintf(path, sizeof path, "%s/config.json", fixture->folder.path);
        test_read_file(path, &config);
        const char *at = strstr(config.data, "\"id2label\":");
        assert_non_null(at);
        const char *end = strchr(at, '}');
        struct sq_buf changed = {0};
        sq_buf_append(&changed, config.data, (size_t)(at - config.data));
        sq_buf_printf(&changed, "\"id2label\":%s%s", labels, end + 1);
        test_folder_write(&fixture->folder, "config.json", sq_buf_view(&changed));
        sq_buf_deinit(&changed);
        sq_buf_deinit(&config);
    }
    const struct sq_engine_options options = {.model_path = fixture->folder.path};
    if (sq_engine_open(&fixture->engine, &options, &err)) fail_msg("%s", err.message);
    assert_int_equal(sq_session_open(&fixture->session, fixture->engine, &err), 0);
}

static void close_fixture(struct fixture *fixture)
{
    sq_session_close(fixture->session);
    sq_engine_close(fixture->engine);
    test_folder_deinit(&fixture->folder);
}

/* Offers the texts in turn, `count` in all, and waits until all that is in the sample has an end. */
static struct sq_shadow_counts compare(struct sq_shadow *shadow, const struct fixture *in_use, const char *const *texts, unsigned texts_count,
                                       unsigned count, unsigned expected)
{
    struct sq_shadow_counts counts = {0};
    for (unsigned i = 0; i < count; i++) {
        struct sq_str text = sq_str_view(texts[i % texts_count]);
        struct sq_prediction prediction = {0};
        sq_session_score(in_use->session, &text, 1, &prediction);
        sq_shadow_offer(shadow, text, &prediction);
    }
    for (unsigned turn = 0; turn < 10000 && counts.agreed + counts.differed + counts.skipped < expected; turn++) {
        sq_shadow_counts(shadow, &counts);
        usleep(1000);
    }
    assert_int_equal(counts.agreed + counts.differed + counts.skipped, expected);
    return counts;
}

static const char *const texts[] = {"a bad phone", "the phone", "a very good phone"};

static void a_model_agrees_with_itself(void **state)
{
    (void)state;
    struct fixture model;
    struct sq_shadow *shadow;
    struct sq_err err;
    open_fixture(&model, NULL);
    assert_int_equal(sq_shadow_open(&shadow, model.engine, model.engine, 0.25, &err), 0);
    struct sq_shadow_counts counts = compare(shadow, &model, texts, 3, 80, 20);
    assert_true(counts.agreed > 0);
    assert_int_equal(counts.differed, 0);
    assert_true(sq_shadow_agreement(&counts) == 1);
    assert_true(sq_shadow_difference(&counts) == 0);
    sq_shadow_close(shadow);
    close_fixture(&model);
}

static void labels_are_compared_by_name(void **state)
{
    (void)state;
    struct fixture model, other;
    struct sq_shadow *shadow;
    struct sq_err err;
    open_fixture(&model, NULL);
    open_fixture(&other, "{\"0\":\"positive\",\"1\":\"neutral\",\"2\":\"negative\"}");
    assert_int_equal(sq_shadow_open(&shadow, other.engine, model.engine, 1, &err), 0);
    struct sq_shadow_counts neutral = compare(shadow, &model, &texts[1], 1, 30, 30);
    assert_int_equal(neutral.differed, 0);
    struct sq_shadow_counts bad = compare(shadow, &model, &texts[0], 1, 30, 60);
    assert_int_equal(bad.agreed, neutral.agreed);
    assert_true(bad.differed > 0);
    assert_true(sq_shadow_difference(&bad) > 0.1);
    sq_shadow_close(shadow);
    close_fixture(&other);
    close_fixture(&model);
}

static void models_without_a_label_in_common_are_refused(void **state)
{
    (void)state;
    struct fixture model, other;
    struct sq_shadow *shadow;
    struct sq_err err;
    open_fixture(&model, NULL);
    open_fixture(&other, "{\"0\":\"bug\",\"1\":\"praise\",\"2\":\"question\"}");
    assert_int_equal(sq_shadow_open(&shadow, other.engine, model.engine, 1, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "no label in common"));
    assert_null(shadow);
    close_fixture(&other);
    close_fixture(&model);
}

static void what_it_has_no_time_for_is_skipped_and_counted(void **state)
{
    (void)state;
    struct fixture model;
    struct sq_shadow *shadow;
    struct sq_err err;
    struct sq_prediction prediction = {0};
    open_fixture(&model, NULL);
    assert_int_equal(sq_shadow_open(&shadow, model.engine, model.engine, 1, &err), 0);
    struct sq_str text = sq_str_view(texts[0]);
    sq_session_score(model.session, &text, 1, &prediction);
    for (unsigned i = 0; i < 100000; i++) sq_shadow_offer(shadow, text, &prediction);
    struct sq_shadow_counts counts;
    sq_shadow_counts(shadow, &counts);
    assert_true(counts.skipped > 0);
    sq_shadow_close(shadow);
    sq_shadow_offer(NULL, text, &prediction);
    close_fixture(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_agrees_with_itself),
        cmocka_unit_test(labels_are_compared_by_name),
        cmocka_unit_test(models_without_a_label_in_common_are_refused),
        cmocka_unit_test(what_it_has_no_time_for_is_skipped_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
