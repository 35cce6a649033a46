/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of squall from end to end, within a folder of the test's own. */
#ifndef SQ_TEST_COMMAND_H
#define SQ_TEST_COMMAND_H

#include "engine/base/buf.h"
#include "tests/lib/folder.h"
#include "worker/cli/cli.h"

/* Runs `squall NAME args...` in a process of its own and returns its exit code; args end with NULL. Its stdout and stderr go to the files
 * "out" and "err" of the folder. */
int test_command(const struct test_folder *folder, const struct sq_command *command, const char *const *args);

/* FOLDER/name; the caller frees it. */
char *test_path(const struct test_folder *folder, const char *name);

/* A file of the folder, with a NUL at its end; the caller's to deinit. */
struct sq_buf test_content(const struct test_folder *folder, const char *name);

/* A folder that a group of tests shares: for cmocka_run_group_tests. */
extern struct test_folder test_group_folder;
int test_group_folder_open(void **state);
int test_group_folder_close(void **state);

unsigned test_count(const struct sq_buf *buf, const char *what);

#endif
