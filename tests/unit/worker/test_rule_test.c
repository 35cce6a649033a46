/* SPDX-License-Identifier: Apache-2.0 */
/* squall test from end to end: what passes, what fails and how that reads, and which files are no tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "tests/lib/command.h"
#include "tests/lib/tiny_model.h"
#include "worker/cli/test_file.h"

static struct test_folder *const folder = &test_group_folder;

#define SPIKE "  - name: spike\n    input:\n      - {entity: acme, to: 3d, every: 2m, negative: 0.1}\n      - {entity: acme, from: 3d, to: 3d40m, every: 20s, negative: 0.6}\n"

/* Runs one file of tests; what it tells is in "out" and "err". */
static int run_file(const char *text, const char *option, const char *value)
{
    test_folder_write(folder, "rules.test.yaml", sq_str_view(text));
    char *path = test_path(folder, "rules.test.yaml");
    const char *const args[] = {path, option, value, NULL};
    int exit_code = test_command(folder, &sq_command_test, args);
    free(path);
    return exit_code;
}

static void expect_in(const char *name, const char *says)
{
    struct sq_buf text = test_content(folder, name);
    if (!strstr(text.data, says)) fail_msg("'%s' is not in:\n%s", says, text.data);
    sq_buf_deinit(&text);
}

static void the_shipped_tests_pass(void **state)
{
    (void)state;
    const char *const args[] = {SQUALL_SOURCE_DIR "/ops/rules/negative_spike.test.yaml", NULL};
    assert_int_equal(test_command(folder, &sq_command_test, args), 0);
    expect_in("out", "5 tests, 0 failed\n");
}

static void a_failure_says_where_what_was_expected_and_what_came(void **state)
{
    (void)state;
    assert_int_equal(run_file("tests:\n" SPIKE "    expect:\n      - {entity: acme, state: firing, between: [1h, 2h]}\n    never:\n      - {state: updated}\n", NULL, NULL), 1);
    expect_in("out", "FAIL spike\n");
    expect_in("out", "rules.test.yaml:7\n    expected  firing acme between 1h and 2h\n    got       firing NegativeSpike acme at 3d");
    expect_in("out", "rules.test.yaml:9\n    never     updated at any time\n    got       updated NegativeSpike acme at 3d");
    expect_in("out", "1 test, 1 failed\n");
    assert_int_equal(run_file("tests:\n" SPIKE "    expect: [{entity: other}]\n", NULL, NULL), 1);
    expect_in("out", "got       no alert of this entity");
}

static void settings_and_configurations_reach_the_rules(void **state)
{
    (void)state;
    static const char text[] = "config: strict.yaml\ntests:\n" SPIKE "    never: [{entity: acme}]\n";
    test_folder_write(folder, "strict.yaml", SQ_STR("rules:\n  - {name: NegativeSpike, threshold: 90}\n"));
    assert_int_equal(run_file(text, NULL, NULL), 0);
    assert_int_equal(run_file(text, "--set", "rules.NegativeSpike.threshold=3"), 1);
    assert_int_equal(run_file(text, "--set", "rules.NegativeSpike.moon=3"), 78);
}

static void json_is_one_object(void **state)
{
    (void)state;
    assert_int_equal(run_file("tests:\n" SPIKE "    expect: [{state: firing}]\n", "--json", NULL), 0);
    struct sq_buf out = test_content(folder, "out");
    json_t *root;
    struct sq_err err;
    assert_int_equal(sq_json_parse(&root, "out", sq_buf_view(&out), SQ_E_DECODE, &err), 0);
    assert_true(json_is_true(json_object_get(root, "ok")) && json_array_size(json_object_get(root, "tests")) == 1);
    json_decref(root);
    sq_buf_deinit(&out);
}

static void texts_go_through_the_model(void **state)
{
    (void)state;
    struct test_folder model;
    test_folder_init(&model);
    test_tiny_model_write(&model);
    static const char text[] = "tests:\n  - name: texts\n    input:\n      - {entity: acme, to: 2h, every: 1m, text: \"bad news from us today\"}\n    never: [{rule: Other}]\n";
    assert_int_equal(run_file(text, "--model", model.path), 0);
    expect_in("out", "PASS texts\n");
    test_folder_deinit(&model);
}

static void files_that_are_no_tests_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "tests: the file has none"},
        {"tests: [", "not valid YAML"},
        {"test: []", ":1:1: test: there is no such key here"},
        {"tests: [{name: a}]", "needs expect or never"},
        {"tests: [{input: [], expect: [{}]}]", "a test needs a name"},
        {"tests:\n  - name: a\n    name: b", ":3:5: this key stands twice"},
        {"tests: [{name: a, input: [{entity: e, at: soon, label: x}], never: [{}]}]", "at: expected a time"},
        {"tests: [{name: a, input: [{entity: e, to: 1h, label: x}], never: [{}]}]", "a row of records needs"},
        {"tests: [{name: a, input: [{entity: e, to: 1h, every: 1m, negative: 2}], never: [{}]}]", "a label's share is"},
        {"tests: [{name: a, input: [{entity: e, to: 400d, every: 1ms, negative: 1}], never: [{}]}]", "five million"},
        {"tests: [{name: a, input: [{at: 1h, label: x}], never: [{}]}]", "entity: expected a name"},
        {"tests: [{name: a, input: [{entity: e, at: 1h}], never: [{}]}]", "a label or a text is missing"},
        {"tests: [{name: a, expect: [{state: loud}]}]", "state: expected firing, updated or resolved"},
        {"tests: [{name: a, expect: [{between: [2h, 1h]}]}]", "between: expected two times"},
        {"tests: [{name: a, expect: [{when: 1h}]}]", "when: there is no such key here"},
        {"a: &a [1]\ntests: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "nest too deep"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run_file(cases[i].text, NULL, NULL), 78);
        expect_in("err", cases[i].says);
        expect_in("err", "rules.test.yaml");
    }
    const char *const none[] = {NULL}, *const missing[] = {"/nonexistent.test.yaml", NULL};
    assert_int_equal(test_command(folder, &sq_command_test, none), 2);
    assert_int_equal(test_command(folder, &sq_command_test, missing), 78);
}

static void times_read_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0"}, {90000, "1m30s"}, {260400000, "3d20m"}, {5, "5ms"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[48];
        sq_test_time_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_tests_pass),
        cmocka_unit_test(a_failure_says_where_what_was_expected_and_what_came),
        cmocka_unit_test(settings_and_configurations_reach_the_rules),
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(texts_go_through_the_model),
        cmocka_unit_test(files_that_are_no_tests_are_refused_with_their_place),
        cmocka_unit_test(times_read_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, test_group_folder_open, test_group_folder_close);
}
