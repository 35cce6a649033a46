/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"

static int parse(json_t **value, const char *text, struct sq_err *err)
{
    return sq_json_parse(value, "test.json", sq_str_view(text), SQ_E_DECODE, err);
}

static void parsing_is_strict_and_says_where(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "{\"a\":1,}", "{\"a\":1} x", "{\"a\":1,\"a\":2}", "{'a':1}", "nul", "[\"\xff\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *value;
        struct sq_err err;
        assert_int_equal(parse(&value, bad[i], &err), SQ_E_DECODE);
        assert_null(value);
        assert_memory_equal(err.message, "test.json:", 10);
    }
    json_t *value;
    assert_int_equal(parse(&value, " \n [1, \"x\"] \n", NULL), 0);
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
}

static void members_are_typed_and_bounded(void **state)
{
    (void)state;
    json_t *value;
    struct sq_err err;
    int64_t whole;
    double real;
    bool truth;
    const char *text;
    assert_int_equal(parse(&value, "{\"n\":5,\"r\":2.5,\"t\":true,\"s\":\"x\",\"z\":null,\"nul\":\"a\\u0000b\"}", &err), 0);

    assert_int_equal(sq_json_get_int(value, "n", 0, 9, -1, &whole, SQ_E_CONFIG, &err), 0);
    assert_int_equal(whole, 5);
    assert_int_equal(sq_json_get_int(value, "z", 0, 9, -1, &whole, SQ_E_CONFIG, &err), 0);
    assert_int_equal(whole, -1);
    assert_int_equal(sq_json_get_int(value, "n", 6, 9, 0, &whole, SQ_E_CONFIG, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "n: 5 is not in [6, 9]"));
    assert_int_equal(sq_json_get_int(value, "r", 0, 9, 0, &whole, SQ_E_CONFIG, &err), SQ_E_CONFIG);

    assert_int_equal(sq_json_get_real(value, "r", 0, 9, 0, &real, SQ_E_CONFIG, &err), 0);
    assert_true(real == 2.5);
    assert_int_equal(sq_json_get_real(value, "n", 0, 9, 0, &real, SQ_E_CONFIG, &err), 0);
    assert_int_equal(sq_json_get_real(value, "s", 0, 9, 0, &real, SQ_E_CONFIG, &err), SQ_E_CONFIG);

    assert_int_equal(sq_json_get_bool(value, "t", false, &truth, SQ_E_CONFIG, &err), 0);
    assert_true(truth);
    assert_int_equal(sq_json_get_bool(value, "n", false, &truth, SQ_E_CONFIG, &err), SQ_E_CONFIG);

    assert_int_equal(sq_json_get_text(value, "absent", "d", &text, SQ_E_CONFIG, &err), 0);
    assert_string_equal(text, "d");
    assert_int_equal(sq_json_get_text(value, "nul", "d", &text, SQ_E_CONFIG, &err), SQ_E_CONFIG);
    json_decref(value);
}

static void any_bytes_make_a_valid_string(void **state)
{
    (void)state;
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    struct sq_buf buf = {0};
    sq_json_write_str(&buf, (struct sq_str){all, sizeof all});
    json_t *value;
    assert_int_equal(sq_json_parse(&value, "own", sq_buf_view(&buf), SQ_E_STATE, NULL), 0);
    assert_memory_equal(json_string_value(value), all, 128);
    assert_int_equal(json_string_length(value), 128 + 128 * 3); /* each stray byte became U+FFFD */
    json_decref(value);
    sq_buf_deinit(&buf);

    sq_json_write_str(&buf, SQ_STR("\"\\/\n\x1f\x7f\xe2\x82\xac"));
    assert_string_equal(buf.data, "\"\\\"\\\\/\\n\\u001f\\u007f\xe2\x82\xac\"");
    sq_buf_deinit(&buf);
}

static void commas_stand_between_members(void **state)
{
    (void)state;
    struct sq_buf buf = {0};
    sq_buf_append_char(&buf, '{');
    sq_json_write_key(&buf, "a");
    sq_buf_append_char(&buf, '{');
    sq_json_write_key(&buf, "b");
    sq_json_write_real(&buf, 0.963104129);
    sq_json_write_key(&buf, "c");
    sq_json_write_real(&buf, NAN);
    sq_buf_append_text(&buf, "}}");
    assert_string_equal(buf.data, "{\"a\":{\"b\":0.963104129,\"c\":null}}");
    sq_buf_deinit(&buf);
}

static void nine_digits_give_a_float_back(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits < 0x7f800000; bits += 104729) {
        float value, back;
        memcpy(&value, &bits, sizeof value);
        struct sq_buf buf = {0};
        sq_json_write_real(&buf, (double)value);
        back = strtof(buf.data, NULL);
        assert_memory_equal(&back, &value, sizeof value);
        sq_buf_deinit(&buf);
    }
}

static void a_file_is_read_up_to_its_bound(void **state)
{
    (void)state;
    struct sq_buf buf = {0};
    struct sq_err err;
    assert_int_equal(sq_json_read_file(&buf, SQUALL_SOURCE_DIR "/LICENSE", 1 << 20, SQ_E_IO, &err), 0);
    assert_true(buf.bytes > 1000);
    assert_int_equal(sq_json_read_file(&buf, SQUALL_SOURCE_DIR "/LICENSE", 1000, SQ_E_IO, &err), SQ_E_IO);
    assert_non_null(strstr(err.message, "over 1000 bytes"));
    assert_int_equal(sq_json_read_file(&buf, SQUALL_SOURCE_DIR "/nothing", 1000, SQ_E_IO, &err), SQ_E_IO);
    sq_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing_is_strict_and_says_where),
        cmocka_unit_test(members_are_typed_and_bounded),
        cmocka_unit_test(any_bytes_make_a_valid_string),
        cmocka_unit_test(commas_stand_between_members),
        cmocka_unit_test(nine_digits_give_a_float_back),
        cmocka_unit_test(a_file_is_read_up_to_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
