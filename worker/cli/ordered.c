/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/ordered.h"

#include <stdlib.h>

static struct sq_ordered_slot *slot_at(const struct sq_ordered *ordered, size_t index)
{
    return (struct sq_ordered_slot *)(void *)(ordered->slots + index % ordered->slots_count * ordered->slot_bytes);
}

/* On an engine thread. */
static void mark_finished(struct sq_job *jobs, void *ctx)
{
    struct sq_ordered *ordered = ctx;
    pthread_mutex_lock(&ordered->mutex);
    for (struct sq_job *job = jobs; job; job = job->next) ((struct sq_ordered_slot *)(void *)job)->finished = true;
    pthread_cond_signal(&ordered->finished);
    pthread_mutex_unlock(&ordered->mutex);
}

int sq_ordered_open(struct sq_ordered *ordered, const struct sq_engine *engine, unsigned threads, size_t cache_texts, size_t slots_count,
                    size_t slot_bytes, struct sq_err *err)
{
    *ordered = (struct sq_ordered){.slots_count = slots_count, .slot_bytes = slot_bytes};
    pthread_mutex_init(&ordered->mutex, NULL);
    pthread_cond_init(&ordered->finished, NULL);
    ordered->slots = calloc(slots_count, slot_bytes);
    if (!ordered->slots) return sq_err_set(err, SQ_E_NOMEM, "no memory for the lines in work");
    const struct sq_pool_options options = {.threads = threads, .queue_jobs_max = slots_count, .collapses = true, .cache_texts = cache_texts,
                                            .done = mark_finished, .done_ctx = ordered};
    return sq_pool_open(&ordered->pool, engine, &options, err);
}

void sq_ordered_close(struct sq_ordered *ordered, void (*deinit)(void *slot))
{
    if (ordered->pool) sq_pool_close(ordered->pool);
    for (size_t i = 0; ordered->slots && i < ordered->slots_count; i++) deinit(slot_at(ordered, i));
    free(ordered->slots);
    pthread_cond_destroy(&ordered->finished);
    pthread_mutex_destroy(&ordered->mutex);
}

void *sq_ordered_free(struct sq_ordered *ordered)
{
    return ordered->head - ordered->tail == ordered->slots_count ? NULL : slot_at(ordered, ordered->head);
}

int sq_ordered_submit(struct sq_ordered *ordered)
{
    struct sq_ordered_slot *slot = slot_at(ordered, ordered->head);
    slot->finished = false;
    int status = sq_pool_try_submit(ordered->pool, &slot->job);
    if (status == 0) ordered->head++; /* only the owner looks at it: the job may well be done by now */
    return status;
}

void sq_ordered_skip(struct sq_ordered *ordered) { slot_at(ordered, ordered->head++)->finished = true; }

void *sq_ordered_oldest_wait(struct sq_ordered *ordered)
{
    if (ordered->tail == ordered->head) return NULL;
    struct sq_ordered_slot *slot = slot_at(ordered, ordered->tail);
    pthread_mutex_lock(&ordered->mutex);
    while (!slot->finished) pthread_cond_wait(&ordered->finished, &ordered->mutex);
    pthread_mutex_unlock(&ordered->mutex);
    return slot;
}

void sq_ordered_release(struct sq_ordered *ordered) { ordered->tail++; }

size_t sq_ordered_count(const struct sq_ordered *ordered) { return ordered->head - ordered->tail; }
