/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of engine threads fed from one bounded queue; engine/backlog.h has the rules by which what waits becomes batches.
 *
 * A thread takes as many waiting jobs as fit its token budget (but no more than its share when other threads sleep), tokenises and
 * runs them as one packed batch, and hands the finished jobs to `done`. Of an ensemble, each model's pass through a text is work of its
 * own, so that idle threads share even a single text. Nobody waits at a barrier and nobody spins: with an empty queue all threads sleep.
 * A job belongs to the pool from a successful submit until `done` gives it back. */
#ifndef SQ_ENGINE_POOL_H
#define SQ_ENGINE_POOL_H

#include "engine/engine.h"
#include "engine/backlog.h"

/* Embedded in the caller's own record of the work. */
struct sq_job {
    struct sq_job *next;               /* the list given to done */
    struct sq_str text;                /* set by the caller; must stay valid until done */
    enum sq_job_class class;           /* set by the caller; 0: the stream's */
    struct sq_prediction prediction;   /* set by the pool */
    uint64_t submitted_ns, started_ns, finished_ns; /* monotonic; set by the pool */
};

/* Called on an engine thread with a batch's finished jobs as a list linked by `next`. Must not block. */
typedef void (*sq_pool_done_fn)(struct sq_job *jobs, void *ctx);

struct sq_pool;

struct sq_pool_options {
    unsigned threads;       /* 0: sq_pool_threads_default(), and the pool follows when that changes */
    size_t queue_jobs_max;  /* bound of the queue; 0: 1024 */
    unsigned wait_ms_max;   /* how long a text of the stream may wait for its batch to become half full; 0: not at all */
    bool collapses;         /* texts of the same tokens in a batch are encoded once */
    size_t cache_texts;     /* whose scores are kept to be used again, for each model of an ensemble; 0: none */
    sq_pool_done_fn done;
    void *done_ctx;
};

int sq_pool_open(struct sq_pool **pool, const struct sq_engine *engine, const struct sq_pool_options *options, struct sq_err *err);

/* Any thread; never blocks. 0, SQ_E_FULL or SQ_E_CLOSED: the job is then still the caller's. */
int sq_pool_try_submit(struct sq_pool *pool, struct sq_job *job);

/* Runs what is queued, joins the threads, frees. After it returns `done` is not called again. */
void sq_pool_close(struct sq_pool *pool);

size_t sq_pool_queued(struct sq_pool *pool);

/* Threads that may run; parked ones don't count. */
unsigned sq_pool_threads(struct sq_pool *pool);

/* From now on at most `threads` run, at least 1: those over it are parked when their batch is finished, those missing are started (at
 * most as many as there are processors, or were asked for at open). Any thread but a parked one. On error as many run as could be had. */
int sq_pool_resize(struct sq_pool *pool, unsigned threads, struct sq_err *err);

/* When the oldest job now in a forward pass was started (monotonic ns), or 0: what a watchdog looks at. */
uint64_t sq_pool_oldest_started_ns(struct sq_pool *pool);

/* Where the threads' time went since the pool was opened, summed over the threads. What they used of the cores and is neither
 * tokenising nor encoding went into taking, waking and handing over. */
struct sq_pool_times {
    uint64_t waiting_ns;  /* asleep, wall clock */
    uint64_t encoding_ns; /* wall clock */
    uint64_t tokenising_cpu_ns, encoding_cpu_ns, cpu_ns; /* thread CPU time */
};
void sq_pool_times(struct sq_pool *pool, struct sq_pool_times *times);

/* What a pool's score cache takes. */
size_t sq_pool_cache_bytes(const struct sq_engine *engine, size_t cache_texts);

/* Cores this process may use: the affinity mask, and the cgroup's CPU quota rounded up; at least 1. */
unsigned sq_pool_threads_default(void);

#endif
