/* SPDX-License-Identifier: Apache-2.0 */
/* `squall classify` and `squall bench` as scripts call them: the forms that design and usage promise, on a tiny random model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>


#include <cmocka.h>

#include "engine/base/json.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

static struct test_folder folder;
static struct sq_buf out;

static int setup(void **state)
{
    (void)state;
    test_folder_init(&folder);
    test_model_write(folder.path, &test_model_tiny);
    sq_buf_init(&out);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sq_buf_deinit(&out);
    test_folder_deinit(&folder);
    return 0;
}

/* Runs `squall ARGUMENTS`, where @ stands for the model's folder; its stdout is in `out`. Returns the exit code. */
static int squall(const char *arguments)
{
    struct sq_buf command;
    char chunk[4096];
    sq_buf_init(&command);
    sq_buf_printf(&command, "unset SQUALL_MODEL; '%s' ", SQUALL_BINARY);
    for (const char *c = arguments; *c; c++) {
        if (*c == '@') sq_buf_append_text(&command, folder.path);
        else sq_buf_append_char(&command, *c);
    }
    sq_buf_append_text(&command, " 2>/dev/null");
    FILE *pipe = popen(command.data, "r");
    assert_non_null(pipe);
    sq_buf_clear(&out);
    for (size_t bytes; (bytes = fread(chunk, 1, sizeof chunk, pipe)) > 0;) sq_buf_append(&out, chunk, bytes);
    int status = pclose(pipe);
    sq_buf_deinit(&command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The next line of `out` as JSON; the caller drops it. */
static json_t *next_line(const char **at)
{
    json_t *value;
    struct sq_err err;
    const char *end = strchr(*at, '\n');
    assert_non_null(end);
    if (sq_json_parse(&value, "stdout", (struct sq_str){*at, (size_t)(end - *at)}, SQ_E_DECODE, &err) < 0) fail_msg("%s", err.message);
    *at = end + 1;
    return value;
}

static void test_lines_in_order(void **state)
{
    (void)state;
    test_folder_write(&folder, "texts", SQ_STR("abc\n\nbad \xff\nnul \0 here\nlast"));
    assert_int_equal(squall("classify --json --logits --model @ --threads 3 @/texts"), 1); /* a line could not be scored */
    const char *at = out.data;
    static const size_t ids[] = {5, 2, 0, 9, 6}; /* a letter is a token */
    for (size_t i = 0; i < 5; i++) {
        json_t *row = next_line(&at);
        if (i == 2) {
            assert_string_equal(json_string_value(json_object_get(row, "error")), "invalid_utf8");
            assert_null(json_object_get(row, "label"));
        } else {
            const json_t *scores = json_object_get(row, "scores");
            assert_int_equal(json_object_size(scores), 3);
            assert_true(json_number_value(json_object_get(scores, json_string_value(json_object_get(row, "label")))) ==
                        json_number_value(json_object_get(row, "score")));
            assert_int_equal(json_array_size(json_object_get(row, "logits")), 3);
            assert_int_equal(json_array_size(json_object_get(row, "ids")), ids[i]);
        }
        json_decref(row);
    }
    assert_int_equal(*at, '\0');
}

/* More lines than are in work at once, the same whatever the threads. */
static void test_many_lines(void **state)
{
    (void)state;
    struct sq_buf texts, first;
    sq_buf_init(&texts);
    for (int i = 0; i < 5000; i++) sq_buf_printf(&texts, "text %d %s\n", i, i % 7 ? "" : "abc def ghi jkl mno pqr stu vwx yz");
    test_folder_write(&folder, "texts", sq_buf_view(&texts));
    assert_int_equal(squall("classify --json --model @ --threads 1 @/texts"), 0);
    first = out;
    sq_buf_init(&out);
    assert_int_equal(squall("classify --json --model @ --threads 4 - < @/texts"), 0);
    unsigned lines = 0;
    for (const char *c = out.data; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 5000);
    json_t *a, *b;
    const char *at_a = first.data, *at_b = out.data;
    for (unsigned i = 0; i < 5000; i++) {
        a = next_line(&at_a);
        b = next_line(&at_b);
        double difference = json_number_value(json_object_get(a, "score")) - json_number_value(json_object_get(b, "score"));
        assert_true(difference < 1e-6 && difference > -1e-6);
        json_decref(a);
        json_decref(b);
    }
    sq_buf_deinit(&first);
    sq_buf_deinit(&texts);
}

/* An ensemble's line is the average of its models' lines. */
static void test_ensemble(void **state)
{
    (void)state;
    struct test_folder other;
    struct test_model model = test_model_tiny;
    char arguments[512];
    double scores[3][3];
    model.seed = 99;
    test_folder_init(&other);
    test_model_write(other.path, &model);
    test_folder_write(&folder, "texts", SQ_STR("what a day\n"));
    for (unsigned i = 0; i < 3; i++) { /* the first, the other, both */
        snprintf(arguments, sizeof arguments, "classify --json --threads 2 %s%s%s @/texts", i == 1 ? "" : "--model @", i == 0 ? "" : " --model ",
                 i == 0 ? "" : other.path);
        assert_int_equal(squall(arguments), 0);
        const char *line = out.data;
        json_t *row = next_line(&line);
        for (unsigned label = 0; label < 3; label++) {
            char name[16];
            snprintf(name, sizeof name, "label %u", label);
            scores[i][label] = json_number_value(json_object_get(json_object_get(row, "scores"), name));
        }
        json_decref(row);
    }
    for (unsigned label = 0; label < 3; label++) {
        double difference = scores[2][label] - (scores[0][label] + scores[1][label]) / 2;
        assert_true(difference < 1e-6 && difference > -1e-6);
    }
    test_folder_deinit(&other);
}

static void test_exit_codes(void **state)
{
    (void)state;
    test_folder_write(&folder, "texts", SQ_STR("abc\n"));
    assert_int_equal(squall("classify --model @ @/texts"), 0);
    assert_non_null(strstr(out.data, "5 tokens"));
    assert_int_equal(squall("classify --model /nowhere @/texts"), 78);
    assert_int_equal(squall("classify --model @ --precision int8 @/texts"), 0);
    assert_int_equal(squall("classify --model @ --precision fp32 @/texts"), 0);
    assert_int_equal(squall("classify --model @ --model /nowhere @/texts"), 78);
    assert_int_equal(squall("classify --model @ --model @ --logits @/texts"), 2); /* an ensemble has none */
    assert_int_equal(squall("classify --model @ --nope @/texts"), 2);
    assert_int_equal(squall("classify --model @ @/none"), 1);
    assert_int_equal(squall("classify --help"), 0);
    assert_int_equal(squall("classify --model @ --json < /dev/null"), 0);
    assert_int_equal(out.bytes, 0);
    assert_int_equal(squall("bench --model @"), 2);
    assert_int_equal(squall("bench --model @ --input @/texts --threads 1,x"), 2);
    assert_int_equal(squall("bench --model @ --input @/none"), 1);
}

static void assert_run(const json_t *run, int threads)
{
    static const char *const positive[] = {"texts_per_second", "tokens_per_second", "encode_only_texts_per_second", "rss_bytes"};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++) assert_true(json_number_value(json_object_get(run, positive[i])) > 0);
    assert_int_equal(json_integer_value(json_object_get(run, "threads")), threads);
    assert_string_equal(json_string_value(json_object_get(run, "precision")), "fp32");
    assert_non_null(json_string_value(json_object_get(run, "isa")));
    assert_int_equal(json_integer_value(json_object_get(run, "texts")), 3);
    assert_int_equal(json_integer_value(json_object_get(run, "tokens")), 9);
    assert_int_equal(json_integer_value(json_object_get(run, "failed")), 1);
}

/* Lines of one to five letters in turns: three to seven tokens. */
static void write_many_texts(unsigned count)
{
    struct sq_buf texts;
    sq_buf_init(&texts);
    for (unsigned i = 0; i < count; i++) sq_buf_printf(&texts, "%.*s\n", (int)(i % 5 + 1), "abcab");
    test_folder_write(&folder, "many", sq_buf_view(&texts));
    sq_buf_deinit(&texts);
}

/* However the threads take turns. */
static void test_bench_counts_the_texts_of_a_pass(void **state)
{
    (void)state;
    write_many_texts(1000);
    assert_int_equal(squall("bench --precision fp32 --model @ --seconds 1 --threads 4 --input @/many"), 0);
    assert_non_null(strstr(out.data, "1000 texts, 5000 tokens, 0 cut, 0 could not be scored"));
    assert_non_null(strstr(out.data, "speed-up"));
}

static void test_bench(void **state)
{
    (void)state;
    test_folder_write(&folder, "texts", SQ_STR("abc\nb\xff\nab\n"));
    assert_int_equal(squall("bench --json --precision fp32 --model @ --seconds 1 --threads 2 --input @/texts"), 0);
    const char *at = out.data;
    json_t *one = next_line(&at);
    assert_run(one, 2);
    json_decref(one);
    assert_int_equal(squall("bench --json --precision fp32 --model @ --seconds 1 --threads 1,2 --input @/texts"), 0);
    at = out.data;
    json_t *two = next_line(&at);
    const json_t *runs = json_object_get(two, "runs");
    assert_int_equal(json_array_size(runs), 2);
    assert_run(json_array_get(runs, 0), 1);
    assert_run(json_array_get(runs, 1), 2);
    json_decref(two);
}

static void test_vectors(void **state)
{
    (void)state;
    test_folder_write(&folder, "texts", SQ_STR("abc\nbad \xff\nlast\n"));
    assert_int_equal(squall("classify --task embed --json --model @ @/texts"), 1); /* a line has no vector */
    const char *at = out.data;
    for (int i = 0; i < 3; i++) {
        json_t *line = next_line(&at);
        double squares = 0;
        const json_t *vector = json_object_get(line, "embedding");
        assert_int_equal(json_array_size(vector), i == 1 ? 0 : test_model_tiny.hidden);
        for (size_t d = 0; d < json_array_size(vector); d++) squares += pow(json_number_value(json_array_get(vector, d)), 2);
        if (i == 1) assert_string_equal(json_string_value(json_object_get(line, "error")), "invalid_utf8");
        else assert_true(fabs(squares - 1) < 1e-6);
        json_decref(line);
    }
    assert_int_equal(squall("classify --task embed --model @ --model @ @/texts"), 78); /* vectors of two models can't be averaged */
}

static void test_inspect(void **state)
{
    (void)state;
    assert_int_equal(squall("model inspect @ --json"), 0);
    const char *at = out.data;
    json_t *line = next_line(&at);
    assert_string_equal(json_string_value(json_object_get(line, "architecture")), "BertForSequenceClassification");
    assert_int_equal(json_integer_value(json_object_get(line, "hidden")), test_model_tiny.hidden);
    assert_int_equal(json_array_size(json_object_get(line, "labels")), test_model_tiny.labels);
    assert_string_equal(json_string_value(json_object_get(line, "function")), "softmax");
    const json_t *precisions = json_object_get(line, "precisions");
    assert_int_equal(json_array_size(precisions), test_model_tiny.layers);
    assert_non_null(json_string_value(json_object_get(json_array_get(precisions, 0), "down")));
    json_decref(line);
    assert_int_equal(squall("model inspect @"), 0);
    assert_non_null(strstr(out.data, "labels         label 0, label 1, label 2\n"));
    assert_int_equal(squall("model inspect @ --cache-dir @/kept"), 0);
    assert_non_null(strstr(out.data, "shared         yes\n"));
    assert_int_equal(squall("model inspect @ --cache-dir ''"), 0);
    assert_non_null(strstr(out.data, "shared         no\n"));
    test_folder_write(&folder, "config.json", SQ_STR("{}"));
    assert_int_equal(squall("model inspect @"), 78);
    assert_int_equal(squall("model"), 2);
    assert_int_equal(squall("model polish @"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ensemble, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exit_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bench, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bench_counts_the_texts_of_a_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inspect, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
