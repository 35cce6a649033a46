/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "worker/io/log.h"

static int ends[2];

static int setup(void **state)
{
    (void)state;
    if (pipe2(ends, O_NONBLOCK)) return -1; /* a line that isn't there fails the test */
    sq_log_set_fd(ends[1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sq_log_set_fd(STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static const char *line_of(void)
{
    static char line[SQ_LOG_LINE_BYTES + 1];
    ssize_t bytes = read(ends[0], line, sizeof line - 1);
    assert_true(bytes > 0);
    line[bytes] = '\0';
    return line;
}

static void a_text_line_has_time_level_message_and_fields(void **state)
{
    (void)state;
    sq_log_set(SQ_LOG_INFO, SQ_LOG_TEXT);
    sq_log(SQ_LOG_WARN, SQ_L("all is well"), SQ_LS("stage", "score"), SQ_LI("count", -3), SQ_LS("why", "it \"is\"\n"), SQ_LR("ratio", 0.5));
    const char *line = line_of();
    assert_non_null(strstr(line, "Z WARN  all is well stage=score count=-3 why=\"it \\\"is\\\"\\u000a\" ratio=0.5\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_json_line_is_json(void **state)
{
    (void)state;
    struct sq_err err;
    json_t *value;
    sq_log_set(SQ_LOG_INFO, SQ_LOG_JSON);
    sq_log(SQ_LOG_ERROR, SQ_L("quoted \"so\""), SQ_LS("tab", "a\tb"), SQ_LI("n", 7));
    const char *line = line_of();
    assert_int_equal(sq_json_parse(&value, "line", sq_str_view(line), SQ_E_DECODE, &err), 0);
    assert_string_equal(json_string_value(json_object_get(value, "msg")), "quoted \"so\"");
    assert_string_equal(json_string_value(json_object_get(value, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(value, "tab")), "a\tb");
    assert_int_equal(json_integer_value(json_object_get(value, "n")), 7);
    json_decref(value);
}

static void a_field_that_does_not_fit_is_left_out_and_the_line_stays_json(void **state)
{
    (void)state;
    struct sq_err err;
    json_t *value;
    char *text = malloc(2 * SQ_LOG_LINE_BYTES);
    assert_non_null(text);
    memset(text, 'x', 2 * SQ_LOG_LINE_BYTES - 1);
    text[2 * SQ_LOG_LINE_BYTES - 1] = '\0';
    sq_log_set(SQ_LOG_INFO, SQ_LOG_JSON);
    sq_log(SQ_LOG_INFO, SQ_L("long"), SQ_LS("text", text));
    assert_int_equal(sq_json_parse(&value, "line", sq_str_view(line_of()), SQ_E_DECODE, &err), 0);
    assert_null(json_object_get(value, "text"));
    json_decref(value);
    free(text);
}

static void lower_levels_are_silent(void **state)
{
    (void)state;
    sq_log_set(SQ_LOG_WARN, SQ_LOG_TEXT);
    assert_false(sq_log_enabled(SQ_LOG_INFO));
    sq_log(SQ_LOG_INFO, SQ_L("not this"));
    sq_log(SQ_LOG_ERROR, SQ_L("but this"));
    assert_null(strstr(line_of(), "not this"));
}

static void a_limit_lets_one_line_through_and_counts_the_rest(void **state)
{
    (void)state;
    struct sq_log_limit limit = {0};
    uint64_t suppressed = 0;
    assert_true(sq_log_allow(&limit, 20, &suppressed));
    for (int i = 0; i < 5; i++) assert_false(sq_log_allow(&limit, 20, NULL));
    usleep(25000);
    assert_true(sq_log_allow(&limit, 20, &suppressed));
    assert_int_equal(suppressed, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_line_has_time_level_message_and_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(a_json_line_is_json, setup, teardown),
        cmocka_unit_test_setup_teardown(a_field_that_does_not_fit_is_left_out_and_the_line_stays_json, setup, teardown),
        cmocka_unit_test_setup_teardown(lower_levels_are_silent, setup, teardown),
        cmocka_unit_test(a_limit_lets_one_line_through_and_counts_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
