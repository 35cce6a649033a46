/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of engine threads fed from one bounded queue, in arrival order.
 *
 * A thread takes as many waiting jobs as fit its token budget (but no more than its share when the queue is shorter than the pool),
 * tokenises and runs them as one packed batch, and hands the finished jobs to `done`. Nobody waits at a barrier and nobody spins: with
 * an empty queue all threads sleep. A job belongs to the pool from a successful submit until `done` gives it back. */
#ifndef SQ_ENGINE_POOL_H
#define SQ_ENGINE_POOL_H

#include "engine/engine.h"

/* Embedded in the caller's own record of the work. */
struct sq_job {
    struct sq_job *next;               /* the pool's, and the list given to done */
    struct sq_str text;                /* set by the caller; must stay valid until done */
    struct sq_prediction prediction;   /* set by the pool */
    uint64_t submitted_ns, started_ns, finished_ns; /* monotonic; set by the pool */
};

/* Called on an engine thread with a batch's finished jobs as a list linked by `next`. Must not block. */
typedef void (*sq_pool_done_fn)(struct sq_job *jobs, void *ctx);

struct sq_pool;

struct sq_pool_options {
    unsigned threads;       /* 0: sq_pool_threads_default() */
    size_t queue_jobs_max;  /* bound of the queue; 0: 1024 */
    sq_pool_done_fn done;
    void *done_ctx;
};

int sq_pool_open(struct sq_pool **pool, const struct sq_engine *engine, const struct sq_pool_options *options, struct sq_err *err);

/* Any thread; never blocks. 0, SQ_E_FULL or SQ_E_CLOSED: the job is then still the caller's. */
int sq_pool_try_submit(struct sq_pool *pool, struct sq_job *job);

/* Runs what is queued, joins the threads, frees. After it returns `done` is not called again. */
void sq_pool_close(struct sq_pool *pool);

size_t sq_pool_queued(struct sq_pool *pool);
unsigned sq_pool_threads(const struct sq_pool *pool);

/* When the oldest job now in a forward pass was started (monotonic ns), or 0: what a watchdog looks at. */
uint64_t sq_pool_oldest_started_ns(struct sq_pool *pool);

/* Where the threads' time went since the pool was opened, summed over the threads; the rest of their lifetime is handing over. */
struct sq_pool_times {
    uint64_t waiting_ns; /* asleep with an empty queue */
    uint64_t tokenising_ns;
    uint64_t encoding_ns;
};
void sq_pool_times(struct sq_pool *pool, struct sq_pool_times *times);

/* Cores this process may use: the affinity mask, and the cgroup's CPU quota rounded up; at least 1. */
unsigned sq_pool_threads_default(void);

#endif
