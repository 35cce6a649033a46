/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/buf.h"

static void appends_and_stays_terminated(void **state)
{
    (void)state;
    struct sq_buf buf;
    sq_buf_init(&buf);
    sq_buf_append_text(&buf, "ab");
    sq_buf_append_char(&buf, 'c');
    sq_buf_append(&buf, "\0d", 2);
    sq_buf_append_str(&buf, SQ_STR("e"));
    sq_buf_append_str(&buf, (struct sq_str){NULL, 0});
    sq_buf_printf(&buf, "%03d", 7);
    assert_int_equal(buf.bytes, 9);
    assert_memory_equal(buf.data, "abc\0de007", 10);
    sq_buf_clear(&buf);
    assert_int_equal(buf.bytes, 0);
    assert_string_equal(buf.data, "");
    sq_buf_deinit(&buf);
}

static void grows_past_any_start(void **state)
{
    (void)state;
    struct sq_buf buf;
    sq_buf_init(&buf);
    for (int i = 0; i < 100000; i++) sq_buf_printf(&buf, "%d,", i % 10);
    assert_int_equal(buf.bytes, 200000);
    assert_memory_equal(buf.data + 199998, "9,", 3);
    char *room = sq_buf_reserve(&buf, 1 << 20);
    assert_non_null(room);
    memset(room, 'z', 1 << 20);
    sq_buf_deinit(&buf);
}

static void the_first_failure_sticks(void **state)
{
    (void)state;
    struct sq_buf buf;
    sq_buf_init(&buf);
    sq_buf_append_text(&buf, "kept");
    assert_null(sq_buf_reserve(&buf, SIZE_MAX - 8));
    assert_true(sq_buf_failed(&buf));
    sq_buf_append_text(&buf, "dropped");
    sq_buf_printf(&buf, "dropped");
    assert_string_equal(buf.data, "kept");
    sq_buf_clear(&buf);
    sq_buf_append_text(&buf, "again");
    assert_false(sq_buf_failed(&buf));
    assert_string_equal(buf.data, "again");
    sq_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_and_stays_terminated),
        cmocka_unit_test(grows_past_any_start),
        cmocka_unit_test(the_first_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
