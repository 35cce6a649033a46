/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/err.h"

#include <string.h>

static void a_code_has_its_row(void **state)
{
    (void)state;
    assert_string_equal(sq_err_word(SQ_E_MISSING_FIELD), "missing_field");
    assert_int_equal(sq_err_class(SQ_E_MISSING_FIELD), SQ_CLASS_POISON);
    assert_int_equal(sq_err_class(SQ_E_BROKER), SQ_CLASS_RETRY);
    assert_int_equal(sq_err_exit_code(SQ_E_BROKER), 69);
    assert_int_equal(sq_err_exit_code(SQ_E_MODEL_FILE), 78);
    assert_int_equal(sq_err_exit_code(0), 0);
}

static void a_code_from_nowhere_is_a_bug(void **state)
{
    (void)state;
    static const int codes[] = {1, -(int)SQ_ERR_COUNT, -100000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(sq_err_class(codes[i]), SQ_CLASS_BUG);
        assert_string_equal(sq_err_word(codes[i]), "state");
    }
}

static void a_message_gets_its_context(void **state)
{
    (void)state;
    struct sq_err err;
    assert_int_equal(sq_err_set(&err, SQ_E_CONFIG, "%s is not %d", "x", 3), SQ_E_CONFIG);
    assert_int_equal(sq_err_prefix(&err, "%s:%d: ", "squall.yaml", 7), SQ_E_CONFIG);
    assert_string_equal(err.message, "squall.yaml:7: x is not 3");
    assert_int_equal(sq_err_set(NULL, SQ_E_IO, "nobody listens"), SQ_E_IO);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    struct sq_err err;
    char text[2 * SQ_ERR_MESSAGE_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    sq_err_set(&err, SQ_E_FAILED, "%s", text);
    assert_int_equal(strlen(err.message), SQ_ERR_MESSAGE_BYTES - 1);
    sq_err_prefix(&err, "front: ");
    assert_int_equal(strlen(err.message), SQ_ERR_MESSAGE_BYTES - 1);
    assert_memory_equal(err.message, "front: xxx", 10);
    sq_err_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.message), SQ_ERR_MESSAGE_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_has_its_row),
        cmocka_unit_test(a_code_from_nowhere_is_a_bug),
        cmocka_unit_test(a_message_gets_its_context),
        cmocka_unit_test(a_long_message_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
