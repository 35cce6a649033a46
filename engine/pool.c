/* SPDX-License-Identifier: Apache-2.0 */
/* Threads sleep on one condition while there is nothing to do. One that wakes takes jobs off the queue one at a time, tokenises each into
 * its session's batch, and stops when the batch is full, the queue is empty or it has its share; the lock is held for the taking
 * alone. A job that didn't fit is held for the thread's next batch. Under load the queue is never empty and batches are full; with
 * little to do they are small and nobody waits for them to fill. */
#include "engine/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/kernels/kernels.h"
#include "engine/session.h"

enum { QUEUE_JOBS_MAX_DEFAULT = 1024, THREADS_MAX = 4096, SERIES_ENGINE_QUEUE = 0 };

struct worker {
    struct sq_pool *pool;
    struct sq_session *session;
    pthread_t thread;
    bool is_running;
    struct sq_job *held; /* taken, but the batch had no room */
    _Atomic uint64_t started_ns;    /* of the batch in work; 0: none */
    _Atomic uint64_t waiting_ns, tokenising_ns, encoding_ns;
};

struct sq_pool {
    const struct sq_engine *engine;
    struct sq_pool_options options;
    pthread_mutex_t mutex; /* guards what follows up to `closed` */
    pthread_cond_t not_empty;
    struct sq_job *head, *tail;
    size_t queued_count;
    unsigned sleeping_count; /* threads in the condition */
    bool closed;
    unsigned workers_count;
    struct worker workers[];
};

/* A batch's jobs in the order in which they were taken. */
struct batch {
    struct sq_job *head, *tail;
    size_t count;
};

static void append(struct batch *batch, struct sq_job *job)
{
    job->next = NULL;
    if (batch->tail) batch->tail->next = job;
    else batch->head = job;
    batch->tail = job;
    batch->count++;
}

static void add_ns(_Atomic uint64_t *total, uint64_t since_ns)
{
    atomic_fetch_add_explicit(total, sq_clock_monotonic_ns() - since_ns, memory_order_relaxed);
}

/* Sleeps until there is work. Returns how many jobs this thread should take: its share when others sleep too. 0: closed and all done. */
static size_t wait_for_share(struct worker *worker)
{
    struct sq_pool *pool = worker->pool;
    size_t held = worker->held != NULL;
    pthread_mutex_lock(&pool->mutex);
    if (!held && !pool->head && !pool->closed) {
        uint64_t since_ns = sq_clock_monotonic_ns();
        pool->sleeping_count++;
        while (!pool->head && !pool->closed) pthread_cond_wait(&pool->not_empty, &pool->mutex);
        pool->sleeping_count--;
        add_ns(&worker->waiting_ns, since_ns);
    }
    size_t sharers = (size_t)pool->sleeping_count + 1;
    size_t share = (pool->queued_count + held + sharers - 1) / sharers;
    pthread_mutex_unlock(&pool->mutex);
    return share;
}

static struct sq_job *take(struct worker *worker)
{
    struct sq_pool *pool = worker->pool;
    struct sq_job *job = worker->held;
    worker->held = NULL;
    if (job) return job;
    pthread_mutex_lock(&pool->mutex);
    job = pool->head;
    if (job) {
        pool->head = job->next;
        if (!pool->head) pool->tail = NULL;
        sq_metric_set(SQ_M_QUEUE_ITEMS, SERIES_ENGINE_QUEUE, (int64_t)--pool->queued_count);
    }
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void fill_batch(struct worker *worker, struct batch *batch, size_t share)
{
    while (batch->count < share) {
        struct sq_job *job = take(worker);
        if (!job) return;
        uint64_t now_ns = sq_clock_monotonic_ns();
        if (batch->count == 0) atomic_store(&worker->started_ns, now_ns);
        job->started_ns = now_ns;
        bool added = sq_session_try_add(worker->session, job->text, &job->prediction);
        add_ns(&worker->tokenising_ns, now_ns);
        if (!added) {
            worker->held = job;
            return;
        }
        append(batch, job);
    }
}

static void count_batch(const struct batch *batch, unsigned texts, unsigned tokens, uint64_t started_ns, uint64_t finished_ns)
{
    uint64_t truncated = 0;
    for (const struct sq_job *job = batch->head; job; job = job->next) truncated += job->prediction.truncated;
    if (truncated) sq_metric_add(SQ_M_TEXTS_TRUNCATED, 0, truncated);
    if (texts == 0) return;
    sq_metric_observe(SQ_M_BATCH_TOKENS, 0, tokens);
    sq_metric_observe(SQ_M_BATCH_TEXTS, 0, texts);
    sq_metric_add(SQ_M_INFERENCE_TOKENS, 0, tokens);
    sq_metric_observe(SQ_M_INFERENCE_SECONDS, 0, (double)(finished_ns - started_ns) * 1e-9);
}

static void run_batch(struct worker *worker, struct batch *batch)
{
    unsigned texts = sq_session_texts_count(worker->session), tokens = sq_session_tokens_count(worker->session);
    uint64_t since_ns = sq_clock_monotonic_ns();
    sq_session_run(worker->session);
    add_ns(&worker->encoding_ns, since_ns);
    uint64_t finished_ns = sq_clock_monotonic_ns();
    for (struct sq_job *job = batch->head; job; job = job->next) job->finished_ns = finished_ns;
    count_batch(batch, texts, tokens, atomic_load(&worker->started_ns), finished_ns);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct sq_pool *pool = worker->pool;
    for (;;) {
        size_t share = wait_for_share(worker);
        if (share == 0) {
            pthread_mutex_lock(&pool->mutex);
            bool done = pool->closed && !pool->head;
            pthread_mutex_unlock(&pool->mutex);
            if (done) return NULL;
            continue; /* another thread was faster */
        }
        struct batch batch = {0};
        sq_metric_move(SQ_M_ENGINE_THREADS_BUSY, 0, 1);
        fill_batch(worker, &batch, share);
        if (batch.head) run_batch(worker, &batch);
        sq_metric_move(SQ_M_ENGINE_THREADS_BUSY, 0, -1);
        atomic_store(&worker->started_ns, 0);
        if (batch.head) pool->options.done(batch.head, pool->options.done_ctx);
    }
}

int sq_pool_try_submit(struct sq_pool *pool, struct sq_job *job)
{
    int status = 0;
    job->submitted_ns = sq_clock_monotonic_ns();
    job->next = NULL;
    pthread_mutex_lock(&pool->mutex);
    if (pool->closed) status = SQ_E_CLOSED;
    else if (pool->queued_count >= pool->options.queue_jobs_max) status = SQ_E_FULL;
    if (status == 0) {
        if (pool->tail) pool->tail->next = job;
        else pool->head = job;
        pool->tail = job;
        sq_metric_set(SQ_M_QUEUE_ITEMS, SERIES_ENGINE_QUEUE, (int64_t)++pool->queued_count);
        pthread_cond_signal(&pool->not_empty);
    }
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

/* Signals are the loop's: engine threads are born with all of them blocked. */
static int start_worker(struct sq_pool *pool, struct worker *worker, struct sq_err *err)
{
    sigset_t all, before;
    worker->pool = pool;
    int status = sq_session_open(&worker->session, pool->engine, err);
    if (status < 0) return status;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem) return sq_err_set(err, SQ_E_FAILED, "an engine thread could not be started: %s", strerror(problem));
    worker->is_running = true;
    pthread_setname_np(worker->thread, "sq-engine");
    return 0;
}

/* OpenBLAS bounds how many threads may be inside it. */
static unsigned threads_bound(const struct sq_engine *engine)
{
    return engine->encoder.kernels->is_blas ? sq_blas_threads_max() : THREADS_MAX;
}

/* What was asked for, or the default; 0 and an error when it is more than there may be. */
static unsigned choose_threads(const struct sq_engine *engine, unsigned asked, struct sq_err *err)
{
    unsigned most = threads_bound(engine);
    if (asked == 0) asked = sq_pool_threads_default();
    else if (asked > most) {
        sq_err_set(err, SQ_E_CONFIG, "model.threads: %u is more than the %u that can run at once here", asked, most);
        return 0;
    }
    return asked < most ? asked : most;
}

int sq_pool_open(struct sq_pool **pool, const struct sq_engine *engine, const struct sq_pool_options *options, struct sq_err *err)
{
    *pool = NULL;
    unsigned threads = choose_threads(engine, options->threads, err);
    if (threads == 0) return SQ_E_CONFIG;
    int status = 0;
    struct sq_pool *opened = calloc(1, sizeof *opened + threads * sizeof opened->workers[0]);
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for the engine threads");
    opened->engine = engine;
    opened->options = *options;
    if (opened->options.queue_jobs_max == 0) opened->options.queue_jobs_max = QUEUE_JOBS_MAX_DEFAULT;
    opened->workers_count = threads;
    pthread_mutex_init(&opened->mutex, NULL);
    pthread_cond_init(&opened->not_empty, NULL);
    for (unsigned i = 0; status == 0 && i < threads; i++) status = start_worker(opened, &opened->workers[i], err);
    if (status < 0) {
        sq_pool_close(opened);
        return status;
    }
    sq_metric_set(SQ_M_ENGINE_THREADS, 0, threads);
    sq_metric_set(SQ_M_QUEUE_CAPACITY, SERIES_ENGINE_QUEUE, (int64_t)opened->options.queue_jobs_max);
    *pool = opened;
    return 0;
}

void sq_pool_close(struct sq_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    pthread_cond_broadcast(&pool->not_empty);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->workers_count; i++) {
        if (pool->workers[i].is_running) pthread_join(pool->workers[i].thread, NULL);
        sq_session_close(pool->workers[i].session);
    }
    sq_metric_set(SQ_M_ENGINE_THREADS, 0, 0);
    pthread_cond_destroy(&pool->not_empty);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

size_t sq_pool_queued(struct sq_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    size_t queued_count = pool->queued_count;
    pthread_mutex_unlock(&pool->mutex);
    return queued_count;
}

unsigned sq_pool_threads(const struct sq_pool *pool) { return pool->workers_count; }

uint64_t sq_pool_oldest_started_ns(struct sq_pool *pool)
{
    uint64_t oldest_ns = 0;
    for (unsigned i = 0; i < pool->workers_count; i++) {
        uint64_t started_ns = atomic_load(&pool->workers[i].started_ns);
        if (started_ns && (!oldest_ns || started_ns < oldest_ns)) oldest_ns = started_ns;
    }
    return oldest_ns;
}

void sq_pool_times(struct sq_pool *pool, struct sq_pool_times *times)
{
    *times = (struct sq_pool_times){0};
    for (unsigned i = 0; i < pool->workers_count; i++) {
        times->waiting_ns += atomic_load(&pool->workers[i].waiting_ns);
        times->tokenising_ns += atomic_load(&pool->workers[i].tokenising_ns);
        times->encoding_ns += atomic_load(&pool->workers[i].encoding_ns);
    }
}
