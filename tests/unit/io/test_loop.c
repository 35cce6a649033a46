/* SPDX-License-Identifier: Apache-2.0 */
/* Wake-ups of the loop from other threads: none is lost, and many may be one. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/io/loop.h"

enum { SENDERS = 3, SENDS = 20000 };

/* In place of the C library's: refuses what has the size of a wake-up as often as it is told to. */
static _Atomic unsigned refusals;
ssize_t write(int fd, const void *data, size_t bytes)
{
    if (bytes != sizeof(uint64_t) || atomic_load(&refusals) == 0) return syscall(SYS_write, fd, data, bytes);
    atomic_fetch_sub(&refusals, 1);
    errno = ENOSPC;
    return -1;
}

struct counter {
    struct sq_loop *loop;
    struct sq_wake *wake;
    _Atomic unsigned sent; /* raised before each send */
    unsigned seen, calls;
};

static void on_wake(void *ctx)
{
    struct counter *counter = ctx;
    counter->calls++;
    counter->seen = atomic_load(&counter->sent);
    if (counter->seen == SENDERS * SENDS) sq_loop_stop(counter->loop);
}

static void *send_all(void *ctx)
{
    struct counter *counter = ctx;
    for (unsigned i = 0; i < SENDS; i++) {
        atomic_fetch_add(&counter->sent, 1);
        sq_wake_send(counter->wake);
    }
    return NULL;
}

static void open_counter(struct counter *counter)
{
    struct sq_err err;
    *counter = (struct counter){0};
    assert_int_equal(sq_loop_open(&counter->loop, &err), 0);
    assert_int_equal(sq_wake_open(&counter->wake, counter->loop, on_wake, counter, &err), 0);
}

static void close_counter(struct counter *counter)
{
    sq_wake_close(counter->wake);
    sq_loop_close(counter->loop);
}

/* The loop stops by itself only when the last send was followed by a call. */
static void test_the_last_send_is_seen(void **state)
{
    (void)state;
    struct counter counter;
    pthread_t senders[SENDERS];
    open_counter(&counter);
    for (unsigned i = 0; i < SENDERS; i++) assert_int_equal(pthread_create(&senders[i], NULL, send_all, &counter), 0);
    sq_loop_run(counter.loop);
    for (unsigned i = 0; i < SENDERS; i++) pthread_join(senders[i], NULL);
    assert_int_equal(counter.seen, SENDERS * SENDS);
    close_counter(&counter);
}

static void test_sends_before_the_loop_looks_are_one_call(void **state)
{
    (void)state;
    struct counter counter;
    open_counter(&counter);
    for (unsigned i = 0; i < 3; i++) sq_wake_send(counter.wake);
    for (unsigned i = 0; i < 3; i++) sq_loop_turn(counter.loop, 1);
    assert_int_equal(counter.calls, 1);
    sq_wake_send(counter.wake);
    sq_loop_turn(counter.loop, 1000);
    assert_int_equal(counter.calls, 2);
    close_counter(&counter);
}

static void test_a_send_that_is_refused_is_sent_again(void **state)
{
    (void)state;
    struct counter counter;
    open_counter(&counter);
    atomic_store(&refusals, 2);
    sq_wake_send(counter.wake);
    sq_loop_turn(counter.loop, 1000);
    assert_int_equal(atomic_load(&refusals), 0);
    assert_int_equal(counter.calls, 1);
    close_counter(&counter);
}

static void test_nothing_is_called_once_closed(void **state)
{
    (void)state;
    struct counter counter;
    open_counter(&counter);
    sq_wake_send(counter.wake);
    close_counter(&counter); /* turns the loop once more */
    assert_int_equal(counter.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_send_is_seen),
        cmocka_unit_test(test_sends_before_the_loop_looks_are_one_call),
        cmocka_unit_test(test_a_send_that_is_refused_is_sent_again),
        cmocka_unit_test(test_nothing_is_called_once_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
