/* SPDX-License-Identifier: Apache-2.0 */
/* Lets the n-th fallible call of the code under test fail: SQUALL_TORTURE=n. Which calls those are says calls.inc.
 *
 * SQUALL_TORTURE_LIST=FILE instead writes down the first call from each stack, one a line: its number, its name, a hash of the stack and
 * a hash of the place it is called from. That is where tests/torture/torture.py learns which numbers are worth a run.
 *
 * A test that asserts what can't be any more ends the program at once with 42: it would leave behind what it had opened. A test that goes
 * well although a call failed must have freed everything; the sanitizer looks at the end of the program. */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <microhttpd.h>
#include <netdb.h>
#include <protobuf-c/protobuf-c.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>
#include <uv.h>
#include <xxhash.h>
#include <yaml.h>

enum { FRAMES_MAX = 14, STACKS = 1 << 16, CLEAN_FAILURE = 42 };

static long wanted; /* the number of the call that shall fail; 0: none */
static int list = -1;
static atomic_long calls;

__attribute__((constructor)) static void read_environment(void)
{
    const char *number = getenv("SQUALL_TORTURE"), *path = getenv("SQUALL_TORTURE_LIST");
    wanted = number ? strtol(number, NULL, 10) : 0;
    if (path) list = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static uint64_t hash_of(void *const *frames, int count)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < count; i++) hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 0x100000001b3;
    return hash ? hash : 1;
}

/* Whether this is the first time. */
static bool remember(uint64_t hash)
{
    static atomic_uint_least64_t seen[STACKS];
    for (unsigned i = 0; i < STACKS; i++) {
        uint_least64_t before = 0;
        if (atomic_compare_exchange_strong(&seen[(hash + i) % STACKS], &before, hash)) return true;
        if (before == hash) return false;
    }
    return false;
}

static void note(long number, const char *name, void *caller)
{
    void *frames[FRAMES_MAX];
    uint64_t hash = hash_of(frames, backtrace(frames, FRAMES_MAX));
    if (!remember(hash)) return;
    char line[128];
    int bytes = snprintf(line, sizeof line, "%ld %s %016llx %016llx\n", number, name, (unsigned long long)hash,
                         (unsigned long long)(uintptr_t)caller);
    if (write(list, line, (size_t)bytes) != bytes) abort();
}

static void tell(long number, const char *name)
{
    void *frames[FRAMES_MAX];
    dprintf(STDERR_FILENO, "torture: call %ld, %s, fails here:\n", number, name);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

static bool fails(const char *name, void *caller)
{
    if (!wanted && list < 0) return false;
    long number = atomic_fetch_add(&calls, 1) + 1;
    int before = errno;
    if (list >= 0) note(number, name, caller);
    else if (number == wanted) tell(number, name);
    errno = before;
    return number == wanted;
}

#define CALL(returns, name, parameters, arguments, failure, code) \
    returns sq_torture_##name parameters;                         \
    returns sq_torture_##name parameters                          \
    {                                                             \
        if (!fails(#name, __builtin_return_address(0))) return name arguments; \
        errno = code;                                             \
        return failure;                                           \
    }
#include "tests/torture/calls.inc"

/* cmocka's, which its assertions end in. */
void _fail(const char *file, int line);
void _fail(const char *file, int line)
{
    dprintf(STDERR_FILENO, "%s:%d: failed\n", file, line);
    _exit(CLEAN_FAILURE);
}
