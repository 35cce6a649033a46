/* SPDX-License-Identifier: Apache-2.0 */
/* A sandbox is for good, so each test enters it in a child process, which says by its exit code how many of its checks failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/io/sandbox.h"

static char folder[64], inside[128], outside[128], other[64];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/squall-sandbox-XXXXXX");
    strcpy(other, "/tmp/squall-outside-XXXXXX");
    if (!mkdtemp(folder) || !mkdtemp(other)) return -1;
    snprintf(inside, sizeof inside, "%s/file", folder);
    snprintf(outside, sizeof outside, "%s/file", other);
    int file = open(outside, O_CREAT | O_WRONLY, 0600);
    if (file < 0 || write(file, "old", 3) != 3) return -1;
    return close(file);
}

static int teardown(void **state)
{
    (void)state;
    unlink(inside);
    unlink(outside);
    return rmdir(folder) | rmdir(other);
}

static int failures;

#define CHECK(what)                                                    \
    do {                                                               \
        if (!(what)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            failures++;                                                \
        }                                                              \
    } while (0)

static bool can_open(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    if (file < 0) return false;
    close(file);
    return true;
}

static void *nothing(void *arg) { return arg; }

static void enter(struct sq_sandbox *sandbox)
{
    struct sq_err err;
    if (sq_sandbox_enter(sandbox, folder, &err) == 0) return;
    fprintf(stderr, "%s\n", err.message);
    _exit(100);
}

static void check_files(void)
{
    struct sq_sandbox sandbox;
    enter(&sandbox);
    if (sandbox.landlock_abi == 0) return; /* this kernel can't */
    CHECK(can_open(outside, O_RDONLY));
    CHECK(!can_open(outside, O_WRONLY) && errno == EACCES);
    CHECK(unlink(outside) != 0 && errno == EACCES);
    CHECK(mkdir("/tmp/squall-sandbox-none", 0700) != 0 && errno == EACCES);
    CHECK(can_open(inside, O_CREAT | O_RDWR));
    CHECK(unlink(inside) == 0);
    struct sq_err err;
    CHECK(sq_sandbox_close_folder(&sandbox, &err) == 0);
    CHECK(can_open(outside, O_RDONLY));
    CHECK(!can_open(inside, O_CREAT | O_RDWR) && errno == EACCES);
}

static void check_calls(void)
{
    struct sq_sandbox sandbox;
    enter(&sandbox);
    if (!sandbox.has_seccomp) return;
    CHECK(execl("/bin/true", "true", (char *)NULL) != 0 && errno == EPERM);
    CHECK(fork() < 0 && errno == EPERM);
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM);
    CHECK(setuid(getuid()) != 0 && errno == EPERM);
}

static void check_threads(void)
{
    struct sq_sandbox sandbox;
    pthread_t thread;
    enter(&sandbox);
    CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void in_child(void (*check)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        check();
        _exit(failures);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void files_are_read_but_not_written(void **state)
{
    (void)state;
    in_child(check_files);
}

static void programs_processes_and_tracing_are_refused(void **state)
{
    (void)state;
    in_child(check_calls);
}

static void threads_still_start(void **state)
{
    (void)state;
    in_child(check_threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_read_but_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(programs_processes_and_tracing_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_still_start, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
