/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of pointers between threads. Any number of producers and consumers; all calls are thread-safe. */
#ifndef SQ_BASE_QUEUE_H
#define SQ_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

struct sq_queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    void **items; /* ring of capacity; owned */
    size_t capacity;
    size_t head; /* index of the oldest */
    size_t count;
    bool closed;
};

int sq_queue_init(struct sq_queue *queue, size_t capacity, struct sq_err *err);
void sq_queue_deinit(struct sq_queue *queue); /* no thread may be inside */

/* Never blocks. 0, SQ_E_FULL, or SQ_E_CLOSED. */
int sq_queue_try_push(struct sq_queue *queue, void *item);

/* Never blocks. NULL when empty. */
void *sq_queue_try_pop(struct sq_queue *queue);

/* Blocks until there is an item; NULL once the queue is closed and empty. */
void *sq_queue_pop_wait(struct sq_queue *queue);

/* Refuses further pushes and wakes every waiter; what is queued can still be popped. */
void sq_queue_close(struct sq_queue *queue);

size_t sq_queue_count(struct sq_queue *queue);

#endif
