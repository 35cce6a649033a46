/* SPDX-License-Identifier: Apache-2.0 */
/* Threads are started when they are first allowed to run and live until the pool is closed; when there are fewer cores than before, those
 * with the highest indices park. A ticket a job that can be in the pool is allocated at open, so that submitting allocates nothing. */
#include "engine/pool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/ensemble.h"
#include "engine/kernels/kernels.h"
#include "engine/pool_parts.h"

enum {
    QUEUE_JOBS_MAX_DEFAULT = 1024,
    THREADS_MAX = 4096,
    SERIES_ENGINE_QUEUE = 0,
    BYTES_A_TOKEN = 4,     /* of most languages' subwords, for the guess before tokenising */
    SPECIAL_TOKENS = 2,
};
static const uint64_t LOOK_EVERY_NS = UINT64_C(2000000000);

/* ---- the queue ---- */

size_t sq_pool_jobs_waiting(const struct sq_pool *pool) { return (pool->backlog.count + pool->members_count - 1) / pool->members_count; }

void sq_pool_show_queue(const struct sq_pool *pool)
{
    sq_metric_set(SQ_M_QUEUE_ITEMS, SERIES_ENGINE_QUEUE, (int64_t)sq_pool_jobs_waiting(pool));
}

static unsigned guess_tokens(const struct sq_engine *member, const struct sq_job *job)
{
    size_t guess = job->text.bytes / BYTES_A_TOKEN + SPECIAL_TOKENS;
    unsigned tokens_max = sq_engine_info(member)->tokens_max;
    return guess < tokens_max ? (unsigned)guess : tokens_max;
}

static size_t ticket_bytes(const struct sq_pool *pool)
{
    size_t predictions = pool->members_count > 1 ? pool->members_count : 0;
    return sizeof(struct sq_ticket) + pool->members_count * sizeof(struct sq_part) + predictions * sizeof(struct sq_prediction);
}

/* Under the mutex; NULL when all are in use. Memory that no ticket was needed in is never touched. */
static struct sq_ticket *take_ticket(struct sq_pool *pool)
{
    struct sq_ticket *ticket = pool->free_tickets;
    if (ticket) {
        pool->free_tickets = ticket->next_free;
    } else if (pool->tickets_used < pool->tickets_count) {
        ticket = (struct sq_ticket *)(void *)(pool->tickets + pool->tickets_used++ * ticket_bytes(pool));
        if (pool->members_count > 1) ticket->predictions = (struct sq_prediction *)(void *)&ticket->parts[pool->members_count];
    }
    return ticket;
}

/* Under the mutex. */
static void line_up(struct sq_pool *pool, struct sq_ticket *ticket, struct sq_job *job)
{
    ticket->job = job;
    atomic_store(&ticket->parts_left, pool->members_count);
    for (unsigned i = 0; i < pool->members_count; i++) {
        struct sq_part *part = &ticket->parts[i];
        part->ticket = ticket;
        part->prediction = ticket->predictions ? &ticket->predictions[i] : &job->prediction;
        part->piece = (struct sq_piece){.submitted_ns = job->submitted_ns, .class = job->class, .member = i,
                                        .tokens = guess_tokens(sq_engine_member(pool->engine, i), job)};
        sq_backlog_push(&pool->backlog, &part->piece);
        pthread_cond_signal(&pool->not_empty);
    }
    if (pool->gathering_count > 0) pthread_cond_broadcast(&pool->more);
    sq_pool_show_queue(pool);
}

int sq_pool_try_submit(struct sq_pool *pool, struct sq_job *job)
{
    int status = 0;
    struct sq_ticket *ticket = NULL;
    job->submitted_ns = sq_clock_monotonic_ns();
    pthread_mutex_lock(&pool->mutex);
    if (pool->is_closed) status = SQ_E_CLOSED;
    else if (sq_pool_jobs_waiting(pool) >= pool->options.queue_jobs_max || !(ticket = take_ticket(pool))) status = SQ_E_FULL;
    else line_up(pool, ticket, job);
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

/* As many as can be in the queue, each with one part left to take, and in batches. */
static int open_tickets(struct sq_pool *pool, struct sq_err *err)
{
    pool->tickets_count = pool->options.queue_jobs_max * pool->members_count + (size_t)pool->threads_max * SQ_BATCH_TEXTS_MAX;
    pool->tickets = calloc(pool->tickets_count, ticket_bytes(pool));
    return pool->tickets ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the engine's queue");
}

/* ---- the score cache ---- */

size_t sq_pool_cache_bytes(const struct sq_engine *engine, size_t cache_texts)
{
    return cache_texts ? sq_engine_members_count(engine) * sq_score_cache_bytes(cache_texts, sq_engine_info(engine)->outputs_count) : 0;
}

static int open_caches(struct sq_pool *pool, struct sq_err *err)
{
    int status = 0;
    for (unsigned i = 0; status == 0 && pool->options.cache_texts && i < pool->members_count; i++)
        status = sq_score_cache_open(&pool->caches[i], pool->options.cache_texts, sq_engine_info(pool->engine)->outputs_count, err);
    return status;
}

/* ---- threads ---- */

static int open_sessions(struct sq_pool_thread *thread, struct sq_err *err)
{
    const struct sq_pool *pool = thread->pool;
    int status = 0;
    for (unsigned i = 0; status == 0 && i < pool->members_count; i++)
        status = sq_session_open(&thread->sessions[i], sq_engine_member(pool->engine, i), err);
    for (unsigned i = 0; status == 0 && i < pool->members_count; i++)
        if (pool->options.collapses || pool->caches[i]) sq_session_reuse(thread->sessions[i], pool->caches[i]);
    return status;
}

static void close_sessions(struct sq_pool_thread *thread)
{
    for (unsigned i = 0; i < SQ_MEMBERS_MAX; i++) sq_session_close(thread->sessions[i]);
}

/* Signals are the loop's: engine threads are born with all of them blocked. */
static int start_thread(struct sq_pool *pool, unsigned index, struct sq_err *err)
{
    sigset_t all, before;
    struct sq_pool_thread *thread = &pool->threads[index];
    *thread = (struct sq_pool_thread){.pool = pool, .index = index};
    int status = open_sessions(thread, err);
    if (status == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int problem = pthread_create(&thread->thread, NULL, sq_pool_thread_run, thread);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (problem) status = sq_err_set(err, SQ_E_FAILED, "an engine thread could not be started: %s", strerror(problem));
    }
    if (status < 0) close_sessions(thread);
    else pthread_setname_np(thread->thread, "sq-engine");
    return status;
}

static void allow(struct sq_pool *pool, unsigned threads)
{
    pthread_mutex_lock(&pool->mutex);
    pool->threads_allowed = threads;
    pthread_cond_broadcast(&pool->unparked);
    pthread_cond_broadcast(&pool->not_empty); /* who sleeps there may have to park */
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->mutex);
    sq_metric_set(SQ_M_ENGINE_THREADS, 0, threads);
    sq_metric_set(SQ_M_ENGINE_THREADS_PARKED, 0, (int64_t)atomic_load(&pool->threads_started) - threads);
}

/* Under `resizing`. */
static int resize(struct sq_pool *pool, unsigned threads, struct sq_err *err)
{
    int status = 0;
    if (threads == 0) threads = 1;
    if (threads > pool->threads_max) threads = pool->threads_max;
    allow(pool, threads); /* before they start, so that they don't park first */
    for (unsigned i = atomic_load(&pool->threads_started); status == 0 && i < threads; i++) {
        status = start_thread(pool, i, err);
        if (status == 0) atomic_store(&pool->threads_started, i + 1);
    }
    unsigned started = atomic_load(&pool->threads_started);
    allow(pool, threads < started ? threads : started);
    return status;
}

int sq_pool_resize(struct sq_pool *pool, unsigned threads, struct sq_err *err)
{
    int status = 0;
    pthread_mutex_lock(&pool->resizing);
    if (!pool->is_closed) status = resize(pool, threads, err);
    pthread_mutex_unlock(&pool->resizing);
    return status;
}

void sq_pool_follow_cores(struct sq_pool *pool)
{
    struct sq_err err;
    uint64_t now_ns = sq_clock_monotonic_ns(), look_at_ns = atomic_load(&pool->cores_look_at_ns);
    if (!pool->follows_cores || now_ns < look_at_ns) return;
    if (!atomic_compare_exchange_strong(&pool->cores_look_at_ns, &look_at_ns, now_ns + LOOK_EVERY_NS)) return;
    unsigned threads = sq_pool_threads_default();
    if (threads != sq_pool_threads(pool)) sq_pool_resize(pool, threads, &err); /* without memory for more, those that are there go on */
}

/* ---- open and close ---- */

/* OpenBLAS bounds how many threads may be inside it. */
static unsigned threads_bound(const struct sq_engine *engine)
{
    for (unsigned i = 0; i < sq_engine_members_count(engine); i++)
        if (sq_engine_member(engine, i)->encoder.kernels->is_blas) return sq_blas_threads_max();
    return THREADS_MAX;
}

/* How many threads at first and at most. */
static int choose_threads(const struct sq_engine *engine, unsigned asked, unsigned *first, unsigned *most, struct sq_err *err)
{
    unsigned bound = threads_bound(engine);
    if (asked > bound) return sq_err_set(err, SQ_E_CONFIG, "model.threads: %u is more than the %u that can run at once here", asked, bound);
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    *first = asked ? asked : sq_pool_threads_default();
    *most = asked ? asked : processors > (long)*first ? (unsigned)processors : *first;
    if (*most > bound) *most = bound;
    if (*first > *most) *first = *most;
    return 0;
}

static void init_locks(struct sq_pool *pool)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_mutex_init(&pool->resizing, NULL);
    pthread_cond_init(&pool->not_empty, NULL);
    pthread_cond_init(&pool->more, &monotonic);
    pthread_cond_init(&pool->unparked, NULL);
    pthread_condattr_destroy(&monotonic);
}

int sq_pool_open(struct sq_pool **pool, const struct sq_engine *engine, const struct sq_pool_options *options, struct sq_err *err)
{
    unsigned first = 0, most = 0;
    *pool = NULL;
    int status = choose_threads(engine, options->threads, &first, &most, err);
    if (status < 0) return status;
    struct sq_pool *opened = calloc(1, sizeof *opened + most * sizeof opened->threads[0]);
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for the engine threads");
    opened->engine = engine;
    opened->options = *options;
    if (opened->options.queue_jobs_max == 0) opened->options.queue_jobs_max = QUEUE_JOBS_MAX_DEFAULT;
    opened->members_count = sq_engine_members_count(engine);
    opened->follows_cores = options->threads == 0;
    opened->threads_max = most;
    sq_backlog_init(&opened->backlog, sq_engine_info(engine)->batch_tokens_max, options->wait_ms_max * UINT64_C(1000000));
    init_locks(opened);
    status = open_tickets(opened, err);
    if (status == 0) status = open_caches(opened, err);
    if (status == 0) status = sq_pool_resize(opened, first, err);
    if (status < 0) {
        sq_pool_close(opened);
        return status;
    }
    sq_metric_set(SQ_M_QUEUE_CAPACITY, SERIES_ENGINE_QUEUE, (int64_t)opened->options.queue_jobs_max);
    *pool = opened;
    return 0;
}

/* Nobody resizes or submits from here on; threads leave when nothing is left. */
static void stop_taking(struct sq_pool *pool)
{
    pthread_mutex_lock(&pool->resizing);
    pthread_mutex_lock(&pool->mutex);
    pool->is_closed = true;
    pthread_cond_broadcast(&pool->not_empty);
    pthread_cond_broadcast(&pool->more);
    pthread_cond_broadcast(&pool->unparked);
    pthread_mutex_unlock(&pool->mutex);
    pthread_mutex_unlock(&pool->resizing);
}

void sq_pool_close(struct sq_pool *pool)
{
    if (!pool) return;
    stop_taking(pool);
    for (unsigned i = 0; i < pool->threads_started; i++) {
        pthread_join(pool->threads[i].thread, NULL);
        close_sessions(&pool->threads[i]);
    }
    sq_metric_set(SQ_M_ENGINE_THREADS, 0, 0);
    sq_metric_set(SQ_M_ENGINE_THREADS_PARKED, 0, 0);
    pthread_cond_destroy(&pool->not_empty);
    pthread_cond_destroy(&pool->more);
    pthread_cond_destroy(&pool->unparked);
    pthread_mutex_destroy(&pool->resizing);
    pthread_mutex_destroy(&pool->mutex);
    for (unsigned i = 0; i < SQ_MEMBERS_MAX; i++) sq_score_cache_close(pool->caches[i]);
    free(pool->tickets);
    free(pool);
}

/* ---- figures ---- */

size_t sq_pool_queued(struct sq_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    size_t jobs = sq_pool_jobs_waiting(pool);
    pthread_mutex_unlock(&pool->mutex);
    return jobs;
}

unsigned sq_pool_threads(struct sq_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    unsigned threads = pool->threads_allowed;
    pthread_mutex_unlock(&pool->mutex);
    return threads;
}

uint64_t sq_pool_oldest_started_ns(struct sq_pool *pool)
{
    uint64_t oldest_ns = 0;
    unsigned started = atomic_load(&pool->threads_started);
    for (unsigned i = 0; i < started; i++) {
        uint64_t started_ns = atomic_load(&pool->threads[i].started_ns);
        if (started_ns && (!oldest_ns || started_ns < oldest_ns)) oldest_ns = started_ns;
    }
    return oldest_ns;
}

void sq_pool_times(struct sq_pool *pool, struct sq_pool_times *times)
{
    *times = (struct sq_pool_times){0};
    unsigned started = atomic_load(&pool->threads_started);
    for (unsigned i = 0; i < started; i++) {
        struct sq_pool_thread *thread = &pool->threads[i];
        times->waiting_ns += atomic_load(&thread->waiting_ns);
        times->encoding_ns += atomic_load(&thread->encoding_ns);
        times->tokenising_cpu_ns += atomic_load(&thread->tokenising_cpu_ns);
        times->encoding_cpu_ns += atomic_load(&thread->encoding_cpu_ns);
        times->cpu_ns += atomic_load(&thread->cpu_ns);
    }
}
