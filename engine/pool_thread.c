/* SPDX-License-Identifier: Apache-2.0 */
/* An engine thread draws a batch from the backlog, tokenising each text as it is taken, runs it, and hands over what that finished. The lock
 * is held for the taking alone, one text at a time, so that all threads can draw at once and none gets more than it can run. */
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/ensemble.h"
#include "engine/pool_parts.h"

/* Parts in the order in which they were taken. */
struct batch {
    struct sq_draw draw;
    struct sq_session *session;
    struct sq_part *head, *tail;
    unsigned count, count_max;
    uint64_t oldest_ns; /* arrival */
};

static void append(struct batch *batch, struct sq_part *part)
{
    part->next = NULL;
    if (batch->tail) batch->tail->next = part;
    else batch->head = part;
    batch->tail = part;
    if (batch->count++ == 0) batch->oldest_ns = part->piece.submitted_ns;
}

static void add(_Atomic uint64_t *total, uint64_t ns) { atomic_fetch_add_explicit(total, ns, memory_order_relaxed); }

/* ---- sleeping; all under the mutex ---- */

static bool is_parked(const struct sq_pool_thread *thread) { return thread->index >= thread->pool->threads_allowed; }

/* A thread that parks may have been woken for work: somebody else does it. */
static void park(struct sq_pool_thread *thread)
{
    struct sq_pool *pool = thread->pool;
    if (pool->backlog.count > 0) pthread_cond_signal(&pool->not_empty);
    pthread_cond_wait(&pool->unparked, &pool->mutex);
}

/* Batches that wait for more texts do so only while nobody is idle. */
static void sleep_until_work(struct sq_pool_thread *thread)
{
    struct sq_pool *pool = thread->pool;
    uint64_t since_ns = sq_clock_monotonic_ns();
    pool->sleeping_count++;
    if (pool->gathering_count > 0) pthread_cond_broadcast(&pool->more);
    pthread_cond_wait(&pool->not_empty, &pool->mutex);
    pool->sleeping_count--;
    add(&thread->waiting_ns, sq_clock_monotonic_ns() - since_ns);
}

/* Waits for more texts, at most until `until_ns`. */
static void gather(struct sq_pool_thread *thread, uint64_t now_ns, uint64_t until_ns)
{
    struct sq_pool *pool = thread->pool;
    const struct timespec until = {(time_t)(until_ns / 1000000000u), (long)(until_ns % 1000000000u)};
    pool->gathering_count++;
    pthread_cond_timedwait(&pool->more, &pool->mutex, &until);
    pool->gathering_count--;
    add(&thread->waiting_ns, sq_clock_monotonic_ns() - now_ns);
}

/* ---- drawing a batch ---- */

/* The threads that sleep are about to be woken, or could be: each gets its share. With nobody to share with, a batch takes what fits. */
static unsigned share_of(const struct sq_pool *pool)
{
    if (pool->sleeping_count == 0) return SQ_BATCH_TEXTS_MAX;
    size_t sharers = (size_t)pool->sleeping_count + 1;
    size_t share = (pool->backlog.count + sharers - 1) / sharers;
    return share < SQ_BATCH_TEXTS_MAX ? (unsigned)share : SQ_BATCH_TEXTS_MAX;
}

static struct sq_part *take(struct sq_pool *pool, const struct batch *batch, unsigned tokens)
{
    struct sq_piece *piece = sq_backlog_take(&pool->backlog, &batch->draw, tokens);
    if (piece) sq_pool_show_queue(pool);
    return (struct sq_part *)piece;
}

/* Sleeps until there is a batch to begin and takes its first text. NULL: the pool is closed and everything is taken. */
static struct sq_part *begin(struct sq_pool_thread *thread, struct batch *batch)
{
    struct sq_pool *pool = thread->pool;
    struct sq_part *first = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (!first) {
        bool parked = is_parked(thread);
        if (!parked && pool->backlog.count > 0) {
            batch->count_max = share_of(pool);
            batch->draw = sq_backlog_choose(&pool->backlog);
            first = take(pool, batch, 0);
        } else if (pool->is_closed) break;
        else if (parked) park(thread);
        else sleep_until_work(thread);
    }
    pthread_mutex_unlock(&pool->mutex);
    batch->session = thread->sessions[batch->draw.member];
    return first;
}

/* The next text of the batch, waited for where waiting pays. NULL: the batch runs. */
static struct sq_part *next(struct sq_pool_thread *thread, const struct batch *batch)
{
    struct sq_pool *pool = thread->pool;
    unsigned tokens = sq_session_tokens_count(batch->session);
    struct sq_part *part = NULL;
    pthread_mutex_lock(&pool->mutex);
    while (batch->draw.size == SQ_SIZE_SHORT) {
        part = take(pool, batch, tokens);
        if (part || pool->is_closed) break;
        const struct sq_waiting waiting = {batch->count, tokens, batch->oldest_ns, pool->threads_allowed, pool->sleeping_count};
        uint64_t until_ns = sq_backlog_wait_until_ns(&pool->backlog, &batch->draw, &waiting), now_ns = sq_clock_monotonic_ns();
        if (until_ns <= now_ns) break;
        gather(thread, now_ns, until_ns);
    }
    pthread_mutex_unlock(&pool->mutex);
    return part;
}

static void put_back(struct sq_pool *pool, struct sq_part *part, unsigned tokens)
{
    part->piece.tokens = tokens;
    pthread_mutex_lock(&pool->mutex);
    sq_backlog_put_back(&pool->backlog, &part->piece);
    sq_pool_show_queue(pool);
    pthread_cond_signal(&pool->not_empty);
    pthread_mutex_unlock(&pool->mutex);
}

/* Tokenises the text into the batch. False: it had no room and waits again. */
static bool take_in(struct sq_pool_thread *thread, struct batch *batch, struct sq_part *part)
{
    uint64_t before_ns = sq_clock_thread_cpu_ns();
    part->started_ns = sq_clock_monotonic_ns();
    if (batch->count == 0) atomic_store(&thread->started_ns, part->started_ns);
    bool added = sq_session_try_add(batch->session, part->ticket->job->text, part->prediction);
    add(&thread->tokenising_cpu_ns, sq_clock_thread_cpu_ns() - before_ns);
    if (added) append(batch, part);
    else put_back(thread->pool, part, sq_session_refused_tokens(batch->session));
    return added;
}

static void fill(struct sq_pool_thread *thread, struct batch *batch, struct sq_part *part)
{
    struct sq_pool *pool = thread->pool;
    while (part && take_in(thread, batch, part)) part = batch->count < batch->count_max ? next(thread, batch) : NULL;
    pthread_mutex_lock(&pool->mutex);
    sq_backlog_filled(&pool->backlog, &batch->draw, sq_session_tokens_count(batch->session));
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- running it ---- */

static void count_batch(const struct batch *batch, unsigned texts, unsigned tokens, uint64_t took_ns)
{
    uint64_t truncated = 0;
    for (const struct sq_part *part = batch->head; part; part = part->next) truncated += part->prediction->truncated;
    if (truncated && batch->draw.member == 0) sq_metric_add(SQ_M_TEXTS_TRUNCATED, 0, truncated);
    if (texts == 0) return;
    sq_metric_observe(SQ_M_BATCH_TOKENS, 0, tokens);
    sq_metric_observe(SQ_M_BATCH_TEXTS, 0, texts);
    sq_metric_add(SQ_M_INFERENCE_TOKENS, 0, tokens);
    sq_metric_observe(SQ_M_INFERENCE_SECONDS, 0, (double)took_ns * 1e-9);
}

static void show_cache(const struct sq_pool *pool)
{
    size_t texts = 0;
    if (!pool->caches[0]) return;
    for (unsigned i = 0; i < pool->members_count; i++) texts += sq_score_cache_texts(pool->caches[i]);
    sq_metric_set(SQ_M_SCORE_CACHE_TEXTS, 0, (int64_t)texts);
}

static void run(struct sq_pool_thread *thread, struct batch *batch)
{
    unsigned texts = sq_session_texts_count(batch->session), tokens = sq_session_tokens_count(batch->session);
    uint64_t before_ns = sq_clock_monotonic_ns(), before_cpu_ns = sq_clock_thread_cpu_ns();
    sq_session_run(batch->session);
    uint64_t now_ns = sq_clock_monotonic_ns();
    add(&thread->encoding_ns, now_ns - before_ns);
    add(&thread->encoding_cpu_ns, sq_clock_thread_cpu_ns() - before_cpu_ns);
    count_batch(batch, texts, tokens, now_ns - atomic_load(&thread->started_ns));
    show_cache(thread->pool);
}

/* ---- handing over ---- */

static void finish(const struct sq_pool *pool, struct sq_ticket *ticket, uint64_t now_ns)
{
    struct sq_job *job = ticket->job;
    job->started_ns = now_ns;
    job->finished_ns = now_ns;
    for (unsigned i = 0; i < pool->members_count; i++)
        if (ticket->parts[i].started_ns < job->started_ns) job->started_ns = ticket->parts[i].started_ns;
    if (ticket->predictions) sq_ensemble_average(pool->engine->ensemble, ticket->predictions, &job->prediction);
}

/* Hands over the jobs whose last part was in this batch; their tickets are free again. */
static void hand_over(struct sq_pool *pool, const struct batch *batch)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    struct sq_job *jobs = NULL, **end = &jobs;
    struct sq_ticket *free_tickets = NULL, *last = NULL;
    for (struct sq_part *part = batch->head, *following; part; part = following) {
        struct sq_ticket *ticket = part->ticket;
        following = part->next;
        if (atomic_fetch_sub(&ticket->parts_left, 1) > 1) continue;
        finish(pool, ticket, now_ns);
        *end = ticket->job;
        end = &ticket->job->next;
        if (!last) last = ticket;
        ticket->next_free = free_tickets;
        free_tickets = ticket;
    }
    *end = NULL;
    if (!last) return;
    pthread_mutex_lock(&pool->mutex);
    last->next_free = pool->free_tickets;
    pool->free_tickets = free_tickets;
    pthread_mutex_unlock(&pool->mutex);
    pool->options.done(jobs, pool->options.done_ctx);
}

void *sq_pool_thread_run(void *arg)
{
    struct sq_pool_thread *thread = arg;
    struct sq_pool *pool = thread->pool;
    for (;;) {
        struct batch batch = {0};
        struct sq_part *first = begin(thread, &batch);
        if (!first) return NULL;
        sq_metric_move(SQ_M_ENGINE_THREADS_BUSY, 0, 1);
        fill(thread, &batch, first);
        run(thread, &batch);
        sq_metric_move(SQ_M_ENGINE_THREADS_BUSY, 0, -1);
        atomic_store(&thread->started_ns, 0);
        hand_over(pool, &batch);
        atomic_store(&thread->cpu_ns, sq_clock_thread_cpu_ns());
        sq_pool_follow_cores(pool);
    }
}
