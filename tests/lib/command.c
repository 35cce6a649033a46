/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 24 };

char *test_path(const struct test_folder *folder, const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", folder->path, name) > 0);
    return path;
}

int test_command(const struct test_folder *folder, const struct sq_command *command, const char *const *args)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t)command->name}, *out = test_path(folder, "out"), *err = test_path(folder, "err");
    int argc = 1, status;
    for (; args[argc - 1] && argc <= ARGS_MAX; argc++) argv[argc] = (char *)(uintptr_t)args[argc - 1];
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr)) _exit(99);
        unsetenv("SQUALL_CONFIG");
        exit(command->run(argc, argv));
    }
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
    free(out);
    free(err);
    return WEXITSTATUS(status);
}

struct sq_buf test_content(const struct test_folder *folder, const char *name)
{
    struct sq_buf buf;
    char *path = test_path(folder, name);
    test_read_file(path, &buf);
    free(path);
    sq_buf_append(&buf, "", 0); /* a NUL at its end, if it is empty too */
    return buf;
}

struct test_folder test_group_folder;

int test_group_folder_open(void **state)
{
    (void)state;
    test_folder_init(&test_group_folder);
    return 0;
}

int test_group_folder_close(void **state)
{
    (void)state;
    test_folder_deinit(&test_group_folder);
    return 0;
}

unsigned test_count(const struct sq_buf *buf, const char *what)
{
    unsigned count = 0;
    for (const char *at = buf->data; (at = strstr(at, what)); at++) count++;
    return count;
}
