/* SPDX-License-Identifier: Apache-2.0 */
/* Where a model is looked for: flag, environment, configuration, then next to the executable; never in the working directory. */
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
#include "worker/io/model_path.h"

static struct sq_err err;
static char path[SQ_MODEL_PATH_BYTES];

static void test_order(void **state)
{
    (void)state;
    setenv("SQUALL_MODEL", "from-env", 1);
    assert_int_equal(sq_model_path_find("from-flag", "from-config", path, &err), 0);
    assert_string_equal(path, "from-flag");
    assert_int_equal(sq_model_path_find(NULL, "from-config", path, &err), 0);
    assert_string_equal(path, "from-env");
    setenv("SQUALL_MODEL", "", 1);
    assert_int_equal(sq_model_path_find("default", "from-config", path, &err), 0);
    assert_string_equal(path, "from-config");
    unsetenv("SQUALL_MODEL");
    char *huge = calloc(SQ_MODEL_PATH_BYTES + 1, 1);
    memset(huge, 'a', SQ_MODEL_PATH_BYTES);
    assert_int_equal(sq_model_path_find(huge, NULL, path, &err), SQ_E_MODEL_FILE);
    free(huge);
}

static void make_folder(const struct test_folder *folder, const char *name)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", folder->path, name);
    assert_int_equal(mkdir(whole, 0700), 0);
}

/* What stands below the folder, last first, so that it can be removed. */
static const char *const made[] = {"share/squall/models/two/config.json", "share/squall/models/two", "share/squall/models/one/config.json",
                                   "share/squall/models/one", "share/squall/models/empty", "share/squall/models", "share/squall", "share", "bin"};

static void test_shipped(void **state)
{
    (void)state;
    struct test_folder folder;
    char bin[512];
    test_folder_init(&folder);
    snprintf(bin, sizeof bin, "%s/bin", folder.path);
    for (size_t i = sizeof made / sizeof *made; i-- > 4;) make_folder(&folder, made[i]);
    assert_int_equal(sq_model_path_shipped(bin, path, &err), SQ_E_MODEL_FILE); /* a folder without config.json is no model */
    assert_non_null(strstr(err.message, "SQUALL_MODEL"));
    make_folder(&folder, made[3]);
    test_folder_write(&folder, made[2], (struct sq_str){"{}", 2});
    assert_int_equal(sq_model_path_shipped(bin, path, &err), 0);
    assert_non_null(strstr(path, "/share/squall/models/one"));
    make_folder(&folder, made[1]);
    test_folder_write(&folder, made[0], (struct sq_str){"{}", 2});
    assert_int_equal(sq_model_path_shipped(bin, path, &err), SQ_E_MODEL_FILE);
    assert_non_null(strstr(err.message, "holds 2 models"));
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) test_folder_remove(&folder, made[i]);
    test_folder_deinit(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_shipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
