/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

/* A send that got lost would leave the loop asleep, maybe for ever. The kernel has no reason to refuse a 1 to an eventfd that is emptied before the
 * next one; where something refuses it all the same it is sent again, and after so many times the process ends rather than hang. */
enum { WAKE_TRIES = 100 };

struct sq_loop {
    uv_loop_t uv;
};

/* All four kinds of handle are one struct: libuv's handle, and whom to call. libuv frees nothing before its close callback, so the
 * memory goes there; `fn` is cleared first, which makes closing final for the caller.
 *
 * A wake-up is an eventfd of ours and not uv_async_t: libuv's callback spins until the sender is out of its call, and where threads share a
 * core the loop, woken in the middle of it, would spin for as long as it keeps the sender from running. */
struct handle {
    union {
        uv_handle_t any;
        uv_timer_t timer;
        uv_poll_t poll;
        uv_signal_t signal;
    } uv;
    sq_loop_fn fn;
    void *ctx;
    int wake_fd;          /* of a wake-up; else -1 */
    _Atomic bool is_sent; /* and not seen by the loop yet */
};

int sq_loop_open(struct sq_loop **loop, struct sq_err *err)
{
    *loop = calloc(1, sizeof **loop);
    if (!*loop) return sq_err_set(err, SQ_E_NOMEM, "no memory for the event loop");
    int status = uv_loop_init(&(*loop)->uv);
    if (status == 0) return 0;
    free(*loop);
    *loop = NULL;
    return sq_err_set(err, SQ_E_FAILED, "can't start the event loop: %s", uv_strerror(status));
}

void sq_loop_close(struct sq_loop *loop)
{
    if (!loop) return;
    uv_run(&loop->uv, UV_RUN_NOWAIT); /* close callbacks still to come */
    while (uv_loop_close(&loop->uv) == UV_EBUSY) uv_run(&loop->uv, UV_RUN_ONCE);
    free(loop);
}

void sq_loop_run(struct sq_loop *loop) { uv_run(&loop->uv, UV_RUN_DEFAULT); }
void sq_loop_stop(struct sq_loop *loop) { uv_stop(&loop->uv); }
struct uv_loop_s *sq_loop_uv(struct sq_loop *loop) { return &loop->uv; }

static struct handle *handle_new(sq_loop_fn fn, void *ctx)
{
    struct handle *handle = calloc(1, sizeof *handle);
    if (!handle) return NULL;
    handle->uv.any.data = handle;
    handle->fn = fn;
    handle->ctx = ctx;
    handle->wake_fd = -1;
    return handle;
}

static void call(void *uv)
{
    struct handle *handle = ((uv_handle_t *)uv)->data;
    if (handle->fn) handle->fn(handle->ctx);
}

static void handle_free(struct handle *handle)
{
    if (handle->wake_fd >= 0) close(handle->wake_fd);
    free(handle);
}

static void on_closed(uv_handle_t *uv) { handle_free(uv->data); }

static void handle_close(struct handle *handle)
{
    if (!handle) return;
    handle->fn = NULL;
    uv_close(&handle->uv.any, on_closed);
}

/* The end of every open that failed: gives the handle up, with a reason. */
static int handle_fail(struct handle *handle, bool is_init, int status, const char *what, struct sq_err *err)
{
    if (!handle) return sq_err_set(err, SQ_E_NOMEM, "no memory for %s", what);
    if (is_init) handle_close(handle);
    else handle_free(handle);
    return sq_err_set(err, SQ_E_FAILED, "can't set up %s: %s", what, uv_strerror(status));
}

static void on_timer(uv_timer_t *timer) { call(timer); }
static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    call(poll);
}
/* Who sends from here on is either seen by this call or makes another. */
static void on_wake(uv_poll_t *poll, int status, int events)
{
    struct handle *handle = poll->data;
    uint64_t sent;
    while (read(handle->wake_fd, &sent, sizeof sent) < 0 && errno == EINTR) {}
    atomic_exchange(&handle->is_sent, false);
    on_poll(poll, status, events);
}
static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    call(signal);
}

int sq_timer_open(struct sq_timer **timer, struct sq_loop *loop, uint64_t interval_ms, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    struct handle *handle = handle_new(fn, ctx);
    int status = 0;
    if (handle) {
        uv_timer_init(&loop->uv, &handle->uv.timer);
        status = uv_timer_start(&handle->uv.timer, on_timer, interval_ms, interval_ms);
    }
    bool is_open = handle && status == 0;
    *timer = is_open ? (struct sq_timer *)handle : NULL;
    return is_open ? 0 : handle_fail(handle, true, status, "a timer", err);
}

/* Calls back while the descriptor is readable. */
static int poll_open(struct handle **out, struct handle *handle, struct sq_loop *loop, int fd, uv_poll_cb callback, const char *what, struct sq_err *err)
{
    int status = handle ? uv_poll_init(&loop->uv, &handle->uv.poll, fd) : 0;
    bool is_init = status == 0;
    if (handle && is_init) status = uv_poll_start(&handle->uv.poll, UV_READABLE, callback);
    bool is_open = handle && status == 0;
    *out = is_open ? handle : NULL;
    return is_open ? 0 : handle_fail(handle, is_init, status, what, err);
}

int sq_wake_open(struct sq_wake **wake, struct sq_loop *loop, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    struct handle *handle = handle_new(fn, ctx);
    if (handle) handle->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return poll_open((struct handle **)wake, handle, loop, handle ? handle->wake_fd : -1, on_wake, "a wake-up", err);
}

int sq_watch_open(struct sq_watch **watch, struct sq_loop *loop, int fd, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    return poll_open((struct handle **)watch, handle_new(fn, ctx), loop, fd, on_poll, "a watch on a descriptor", err);
}

int sq_signal_open(struct sq_signal **signal, struct sq_loop *loop, int number, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    struct handle *handle = handle_new(fn, ctx);
    int status = handle ? uv_signal_init(&loop->uv, &handle->uv.signal) : 0;
    bool is_init = status == 0;
    if (handle && is_init) status = uv_signal_start(&handle->uv.signal, on_signal, number);
    bool is_open = handle && status == 0;
    *signal = is_open ? (struct sq_signal *)handle : NULL;
    return is_open ? 0 : handle_fail(handle, is_init, status, "a signal handler", err);
}

void sq_wake_send(struct sq_wake *wake)
{
    struct handle *handle = (struct handle *)wake;
    const uint64_t one = 1;
    if (atomic_exchange(&handle->is_sent, true)) return; /* the loop has yet to look */
    for (unsigned tries = 1; write(handle->wake_fd, &one, sizeof one) < 0; tries++)
        if (tries == WAKE_TRIES) abort(); /* in every kind of build */
}

void sq_timer_close(struct sq_timer *timer) { handle_close((struct handle *)timer); }
void sq_wake_close(struct sq_wake *wake) { handle_close((struct handle *)wake); }
void sq_watch_close(struct sq_watch *watch) { handle_close((struct handle *)watch); }
void sq_signal_close(struct sq_signal *signal) { handle_close((struct handle *)signal); }

static void on_turn_over(uv_timer_t *timer) { uv_stop(timer->loop); }

void sq_loop_turn(struct sq_loop *loop, unsigned wait_ms)
{
    struct handle *handle = handle_new(NULL, NULL);
    if (!handle) return;
    uv_timer_init(&loop->uv, &handle->uv.timer);
    uv_timer_start(&handle->uv.timer, on_turn_over, wait_ms, 0);
    uv_run(&loop->uv, UV_RUN_ONCE);
    handle_close(handle);
}
