/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/folder.h"
#include "worker/cli/lines.h"

enum { LINE_BYTES_MAX = 200000 };

static struct sq_err err;
static struct test_folder folder;
static char path[512];
static struct sq_lines lines;
static struct sq_str line;

static void open_lines(struct sq_str contents)
{
    test_folder_write(&folder, "lines", contents);
    assert_int_equal(sq_lines_open(&lines, path, LINE_BYTES_MAX, &err), 0);
}

static void expect(const char *text)
{
    assert_int_equal(sq_lines_next(&lines, &line, &err), SQ_LINE_TEXT);
    assert_true(sq_str_equal(line, sq_str_view(text)));
}

static void expect_end(void)
{
    assert_int_equal(sq_lines_next(&lines, &line, &err), SQ_LINE_END);
    assert_int_equal(sq_lines_next(&lines, &line, &err), SQ_LINE_END); /* and stays there */
    sq_lines_close(&lines);
}

static void test_short(void **state)
{
    (void)state;
    open_lines(SQ_STR("one\n\n two \r\nlast"));
    expect("one");
    expect("");
    expect(" two \r");
    expect("last");
    expect_end();
    open_lines(SQ_STR("one\n"));
    assert_false(sq_lines_would_wait(&lines));
    expect("one");
    expect_end();
    open_lines(SQ_STR("\n"));
    expect("");
    expect_end();
    open_lines(SQ_STR(""));
    expect_end();
    open_lines(SQ_STR("a\0b\nc"));
    assert_int_equal(sq_lines_next(&lines, &line, &err), SQ_LINE_TEXT);
    assert_true(sq_str_equal(line, SQ_STR("a\0b")));
    expect("c");
    expect_end();
}

/* Lines around the bound and around the size of a read; a line that is too long spoils no other. */
static void test_long(void **state)
{
    (void)state;
    static const size_t lengths[] = {65535, 65536, 65537, LINE_BYTES_MAX - 1, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, 3 * LINE_BYTES_MAX};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    for (int has_end = 0; has_end < 2; has_end++) {
        struct sq_buf contents;
        sq_buf_init(&contents);
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t at = 0; at < lengths[i]; at++) sq_buf_append_char(&contents, (char)('a' + i));
            sq_buf_append_text(&contents, i + 1 < COUNT ? "\nshort\n" : has_end ? "\n" : "");
        }
        open_lines(sq_buf_view(&contents));
        for (size_t i = 0; i < COUNT; i++) {
            int kind = sq_lines_next(&lines, &line, &err);
            assert_int_equal(kind, lengths[i] > LINE_BYTES_MAX ? SQ_LINE_TOO_LONG : SQ_LINE_TEXT);
            if (kind == SQ_LINE_TEXT) assert_int_equal(line.bytes, lengths[i]);
            if (kind == SQ_LINE_TEXT) assert_true(line.data[0] == (char)('a' + i) && line.data[line.bytes - 1] == (char)('a' + i));
            if (i + 1 < COUNT) expect("short");
        }
        assert_true(lines.buf.capacity_bytes < 4 * LINE_BYTES_MAX);
        expect_end();
        sq_buf_deinit(&contents);
    }
}

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(sq_lines_open(&lines, "/nowhere/at/all", 10, &err), SQ_E_IO);
    assert_int_equal(sq_lines_open(&lines, folder.path, 10, &err), 0);
    assert_int_equal(sq_lines_next(&lines, &line, &err), SQ_E_IO); /* a folder */
    sq_lines_close(&lines);
}

static int setup(void **state)
{
    (void)state;
    test_folder_init(&folder);
    snprintf(path, sizeof path, "%s/lines", folder.path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_deinit(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_short), cmocka_unit_test(test_long), cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
