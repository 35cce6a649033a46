/* SPDX-License-Identifier: Apache-2.0 */
/* Time, loop, committer and pool, in place of the real ones. Each file replaced is replaced whole, or the linker would take it, too. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "engine/base/clock.h"
#include "engine/pool.h"
#include "tests/sim/pipeline/seams.h"
#include "worker/pipeline/committer.h"

enum { STACK_BYTES = 128 * 1024 };

/* ---- engine/base/clock.c ---- */

int64_t sq_clock_wall_ms(void) { return (int64_t)(sim->now_ns / SIM_MS); }
uint64_t sq_clock_monotonic_ns(void) { return sim->now_ns; }
uint64_t sq_clock_thread_cpu_ns(void) { return sim->now_ns; }

/* ---- worker/io/loop.c ---- */

struct sq_timer {
    struct sq_loop *loop;
    uint64_t interval_ns;
    sq_loop_fn fn; /* NULL: closed */
    void *ctx;
    struct sq_timer *next; /* of the loop's, for its end */
};

struct sq_wake {
    struct sq_loop *loop;
    sq_loop_fn fn;
    void *ctx;
    bool is_sent;
    struct sq_wake *next;
};

static void on_timer(void *ctx)
{
    struct sq_timer *timer = ctx;
    if (!timer->fn) return;
    sim_after(timer->interval_ns, timer->loop->worker, on_timer, timer);
    timer->fn(timer->ctx);
}

int sq_timer_open(struct sq_timer **out, struct sq_loop *loop, uint64_t interval_ms, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    (void)err;
    struct sq_timer *timer = *out = malloc(sizeof *timer);
    if (!timer) abort();
    *timer = (struct sq_timer){loop, interval_ms * SIM_MS, fn, ctx, loop->timers};
    loop->timers = timer;
    sim_after(timer->interval_ns, loop->worker, on_timer, timer);
    return 0;
}

void sq_timer_close(struct sq_timer *timer)
{
    if (timer) timer->fn = NULL; /* its memory is the loop's */
}

static void on_wake(void *ctx)
{
    struct sq_wake *wake = ctx;
    wake->is_sent = false;
    if (wake->fn) wake->fn(wake->ctx);
}

int sq_wake_open(struct sq_wake **out, struct sq_loop *loop, sq_loop_fn fn, void *ctx, struct sq_err *err)
{
    (void)err;
    struct sq_wake *wake = *out = malloc(sizeof *wake);
    if (!wake) abort();
    *wake = (struct sq_wake){.loop = loop, .fn = fn, .ctx = ctx, .next = loop->wakes};
    loop->wakes = wake;
    return 0;
}

void sq_wake_send(struct sq_wake *wake)
{
    if (wake->is_sent) return;
    wake->is_sent = true;
    sim_after(sim_between_ms(0, 1), wake->loop->worker, on_wake, wake);
}

void sq_wake_close(struct sq_wake *wake)
{
    if (wake) wake->fn = NULL;
}

struct sq_loop *sim_loop_open(struct sim_worker *worker)
{
    struct sq_loop *loop = calloc(1, sizeof *loop);
    if (!loop) abort();
    loop->worker = worker;
    return loop;
}

void sq_loop_close(struct sq_loop *loop)
{
    for (struct sq_timer *timer = loop->timers, *next; timer; timer = next) {
        next = timer->next;
        free(timer);
    }
    for (struct sq_wake *wake = loop->wakes, *next; wake; wake = next) {
        next = wake->next;
        free(wake);
    }
    free(loop);
}

void sq_loop_run(struct sq_loop *loop) { (void)loop; } /* the world's scheduler runs it */
void sq_loop_stop(struct sq_loop *loop) { loop->worker->has_stopped = true; }

/* ---- worker/pipeline/committer.c ---- */

struct sq_committer {
    struct sim_worker *worker;
    struct sq_sink *sink;
    sq_committer_done_fn done;
    void *ctx;
    bool is_busy, is_inside, is_closing; /* inside: the coroutine has begun and not ended */
    struct sq_batch *batch;
    int status;
    struct sq_err err;
    ucontext_t context;
    char *stack; /* owned */
};

static ucontext_t scheduler;
static struct sq_committer *running; /* whose coroutine has control; NULL: the scheduler has */

static void on_result(void *ctx)
{
    struct sq_committer *committer = ctx;
    committer->is_busy = false;
    committer->done(committer->batch, committer->status, &committer->err, committer->ctx);
}

static void coroutine(void)
{
    struct sq_committer *committer = running;
    const struct sq_sink_ops *ops = committer->sink->ops;
    memset(&committer->err, 0, sizeof committer->err);
    committer->status = committer->batch ? ops->commit(committer->sink, committer->batch, &committer->err)
                                         : ops->prepare(committer->sink, &committer->err);
    committer->is_inside = false;
}

static void resume(void *ctx)
{
    struct sq_committer *committer = ctx;
    if (!committer->is_inside) return;
    assert(!running);
    running = committer;
    swapcontext(&scheduler, &committer->context);
    running = NULL;
    if (!committer->is_inside && !committer->is_closing) sim_after(sim_between_ms(0, 1), committer->worker, on_result, committer);
}

bool sim_await(struct sim_worker *worker, uint64_t delay_ns)
{
    struct sq_committer *committer = running;
    if (!worker->is_alive || committer->is_closing) return false;
    if (sim_chance(sim->faults.crash)) sim->crash_worker = worker->index;
    sim_after(delay_ns, worker, resume, committer);
    swapcontext(&committer->context, &scheduler);
    return worker->is_alive && !committer->is_closing;
}

static void begin(void *ctx)
{
    struct sq_committer *committer = ctx;
    getcontext(&committer->context);
    committer->context.uc_stack.ss_sp = committer->stack;
    committer->context.uc_stack.ss_size = STACK_BYTES;
    committer->context.uc_link = &scheduler;
    makecontext(&committer->context, coroutine, 0);
    committer->is_inside = true;
    resume(committer);
}

int sq_committer_open(struct sq_committer **out, struct sq_loop *loop, struct sq_sink *sink, sq_committer_done_fn done, void *ctx,
                      struct sq_err *err)
{
    (void)err;
    struct sq_committer *committer = *out = calloc(1, sizeof *committer);
    if (!committer || !(committer->stack = malloc(STACK_BYTES))) abort();
    committer->worker = loop->worker;
    committer->sink = sink;
    committer->done = done;
    committer->ctx = ctx;
    return 0;
}

void sq_committer_submit(struct sq_committer *committer, struct sq_batch *batch)
{
    assert(!committer->is_busy);
    committer->is_busy = true;
    committer->batch = batch;
    sim_after(sim_between_ms(0, 2), committer->worker, begin, committer);
}

bool sq_committer_is_idle(const struct sq_committer *committer) { return !committer->is_busy; }

/* Events that are still to come for it belong to a worker that is over by then. */
void sq_committer_close(struct sq_committer *committer)
{
    if (!committer) return;
    committer->is_closing = true;
    committer->sink->ops->interrupt(committer->sink);
    while (committer->is_inside) resume(committer);
    free(committer->stack);
    free(committer);
}

/* ---- engine/pool.c ---- */

struct pending {
    struct pending *next;
    struct sq_pool *pool;
    struct sq_job *job; /* NULL: done */
};

struct sq_pool {
    struct sim_worker *worker;
    struct sq_pool_options options;
    struct pending *pending; /* owned */
};

static struct sim_worker *opening; /* whose pipeline is being opened: the pool is told of no loop */

void sim_pool_owner(struct sim_worker *worker) { opening = worker; }

static void score(struct sq_job *job)
{
    int label = sim_label_of(job->text);
    job->prediction = (struct sq_prediction){.label = (unsigned)label, .score = 0.9f, .tokens = 4};
    for (int i = 0; i < 3; i++) job->prediction.probabilities[i] = i == label ? 0.9f : 0.05f;
    job->started_ns = job->finished_ns = sim->now_ns;
    job->next = NULL;
}

static void finish(struct pending *pending)
{
    struct sq_job *job = pending->job;
    if (!job) return;
    pending->job = NULL;
    score(job);
    pending->pool->options.done(job, pending->pool->options.done_ctx);
}

static void on_scored(void *ctx)
{
    struct pending *pending = ctx;
    if (pending->job && sim_hangs(pending->job->text)) return;
    if (pending->job && sim_is_killer(pending->job->text)) sim->crash_worker = pending->pool->worker->index;
    else finish(pending);
}

int sq_pool_open(struct sq_pool **out, const struct sq_engine *engine, const struct sq_pool_options *options, struct sq_err *err)
{
    (void)engine;
    (void)err;
    struct sq_pool *pool = *out = calloc(1, sizeof *pool);
    if (!pool) abort();
    pool->worker = opening;
    pool->options = *options;
    return 0;
}

int sq_pool_try_submit(struct sq_pool *pool, struct sq_job *job)
{
    struct pending *pending = malloc(sizeof *pending);
    if (!pending) abort();
    *pending = (struct pending){pool->pending, pool, job};
    pool->pending = pending;
    job->submitted_ns = sim->now_ns;
    sim_after(sim_chance(0.01) ? sim_between_ms(300, 3000) : sim_between_ms(0.1, 30), pool->worker, on_scored, pending);
    return 0;
}

void sq_pool_close(struct sq_pool *pool)
{
    for (struct pending *pending = pool->pending, *next; pending; pending = next) {
        next = pending->next;
        finish(pending);
        free(pending);
    }
    free(pool);
}

unsigned sq_pool_threads(struct sq_pool *pool) { return pool ? 1 : 0; }
uint64_t sq_pool_oldest_started_ns(struct sq_pool *pool)
{
    uint64_t oldest_ns = 0;
    for (const struct pending *pending = pool->pending; pending; pending = pending->next)
        if (pending->job && sim_hangs(pending->job->text)) oldest_ns = pending->job->submitted_ns;
    return oldest_ns;
}
size_t sq_pool_cache_bytes(const struct sq_engine *engine, size_t cache_texts) { return engine ? cache_texts : 0; }
unsigned sq_pool_threads_default(void) { return 1; }
