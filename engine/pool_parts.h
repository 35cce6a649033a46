/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the pool share: pool.c opens, feeds, resizes and closes it; pool_thread.c is the life of an engine thread. */
#ifndef SQ_POOL_PARTS_H
#define SQ_POOL_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/backlog.h"
#include "engine/pool.h"
#include "engine/session.h"

struct sq_ticket;

/* A job's pass through one model: what waits in the backlog and what batches are made of. */
struct sq_part {
    struct sq_piece piece; /* first */
    struct sq_ticket *ticket;
    struct sq_part *next; /* in its batch */
    struct sq_prediction *prediction; /* where the model's answer goes */
    uint64_t started_ns;
};

/* A job in the pool. With one model the answer goes into the job itself; with several each part has its own, and who finishes the last
 * part averages them. */
struct sq_ticket {
    struct sq_ticket *next_free;
    struct sq_job *job;
    _Atomic unsigned parts_left;
    struct sq_prediction *predictions; /* [members_count], behind the parts; NULL with one model */
    struct sq_part parts[];            /* [members_count] */
};

struct sq_pool_thread {
    struct sq_pool *pool;
    struct sq_session *sessions[SQ_MEMBERS_MAX]; /* one a model */
    pthread_t thread;
    unsigned index;
    _Atomic uint64_t started_ns; /* of the batch in work; 0: none */
    _Atomic uint64_t waiting_ns, tokenising_cpu_ns, encoding_ns, encoding_cpu_ns, cpu_ns;
};

struct sq_pool {
    const struct sq_engine *engine;
    struct sq_pool_options options;
    unsigned members_count;
    struct sq_score_cache *caches[SQ_MEMBERS_MAX]; /* one a model; NULL: none */
    bool follows_cores;               /* the number of threads was not asked for */
    _Atomic uint64_t cores_look_at_ns; /* when to look again how many there are */

    pthread_mutex_t mutex; /* guards what follows up to `is_closed` */
    pthread_cond_t not_empty;  /* for threads that sleep */
    pthread_cond_t more;       /* for batches that wait for more */
    pthread_cond_t unparked;
    struct sq_backlog backlog;
    struct sq_ticket *free_tickets;
    size_t tickets_used; /* of `tickets`, free again or not */
    unsigned sleeping_count, gathering_count;
    unsigned threads_allowed; /* those with a larger index are parked */
    bool is_closed;

    pthread_mutex_t resizing; /* one resize at a time */
    unsigned char *tickets;   /* [tickets_count], each followed by its parts and predictions; owned */
    size_t tickets_count;
    _Atomic unsigned threads_started;
    unsigned threads_max;     /* of `threads` */
    struct sq_pool_thread threads[];
};

/* The body of an engine thread. */
void *sq_pool_thread_run(void *thread);

size_t sq_pool_jobs_waiting(const struct sq_pool *pool); /* under the mutex */

/* Under the mutex: tells the queue's gauge. */
void sq_pool_show_queue(const struct sq_pool *pool);

/* Follows the cores this process may use, where the number of threads was left to the pool; looks every few seconds at most. */
void sq_pool_follow_cores(struct sq_pool *pool);

#endif
