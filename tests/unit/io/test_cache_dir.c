/* SPDX-License-Identifier: Apache-2.0 */
/* Where the cache is, by configuration and environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/folder.h"
#include "worker/io/cache_dir.h"

static void test_places(void **state)
{
    (void)state;
    struct test_folder folder;
    struct stat status;
    char path[SQ_CACHE_DIR_BYTES], expected[600];
    test_folder_init(&folder);
    setenv("XDG_CACHE_HOME", "relative/is/invalid", 1);
    setenv("HOME", folder.path, 1);
    sq_cache_dir_find(NULL, path);
    snprintf(expected, sizeof expected, "%s/.cache/squall", folder.path);
    assert_string_equal(path, expected);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    rmdir(path);
    snprintf(expected, sizeof expected, "%s/xdg", folder.path);
    setenv("XDG_CACHE_HOME", expected, 1);
    sq_cache_dir_find("auto", path);
    strcat(expected, "/squall");
    assert_string_equal(path, expected);
    assert_int_equal(rmdir(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    snprintf(expected, sizeof expected, "%s/.cache", folder.path);
    assert_int_equal(rmdir(expected), 0);
    test_folder_deinit(&folder);
}

static void test_none(void **state)
{
    (void)state;
    char path[SQ_CACHE_DIR_BYTES];
    sq_cache_dir_find("", path);
    assert_string_equal(path, "");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    sq_cache_dir_find(NULL, path);
    assert_string_equal(path, "");
    sq_cache_dir_find("/proc/squall", path); /* can't be made: what uses it will tell */
    assert_string_equal(path, "/proc/squall");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
