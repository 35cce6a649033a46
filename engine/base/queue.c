/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/queue.h"

#include <stdlib.h>

int sq_queue_init(struct sq_queue *queue, size_t capacity, struct sq_err *err)
{
    *queue = (struct sq_queue){.capacity = capacity, .items = calloc(capacity ? capacity : 1, sizeof(void *))};
    if (!queue->items) return sq_err_set(err, SQ_E_NOMEM, "no memory for a queue of %zu items", capacity);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    return 0;
}

void sq_queue_deinit(struct sq_queue *queue)
{
    if (!queue->items) return;
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    *queue = (struct sq_queue){0};
}

int sq_queue_try_push(struct sq_queue *queue, void *item)
{
    int status = 0;
    pthread_mutex_lock(&queue->mutex);
    if (queue->closed) {
        status = SQ_E_CLOSED;
    } else if (queue->count == queue->capacity) {
        status = SQ_E_FULL;
    } else {
        queue->items[(queue->head + queue->count) % queue->capacity] = item;
        queue->count++;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->mutex);
    return status;
}

/* The mutex is held. */
static void *pop_locked(struct sq_queue *queue)
{
    if (queue->count == 0) return NULL;
    void *item = queue->items[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    return item;
}

void *sq_queue_try_pop(struct sq_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    void *item = pop_locked(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void *sq_queue_pop_wait(struct sq_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->closed) pthread_cond_wait(&queue->not_empty, &queue->mutex);
    void *item = pop_locked(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void sq_queue_close(struct sq_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
}

size_t sq_queue_count(struct sq_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}
