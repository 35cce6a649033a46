/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs to all engine threads, results back in the order in which they were given.
 *
 * A ring of slots. The one thread that owns it fills slots at the head and hands them to the pool; engine threads mark them finished in
 * any order; the owner takes them from the tail. So the work in flight is bounded by the ring. */
#ifndef SQ_CLI_ORDERED_H
#define SQ_CLI_ORDERED_H

#include <pthread.h>

#include "engine/pool.h"

/* The first member of the caller's own slot. */
struct sq_ordered_slot {
    struct sq_job job; /* first */
    bool finished;     /* under the mutex */
};

struct sq_ordered {
    struct sq_pool *pool;
    unsigned char *slots; /* [slots_count], slot_bytes each; owned, zeroed at open */
    size_t slots_count, slot_bytes;
    size_t head, tail;    /* slots filled and released so far; their difference is in the ring */
    pthread_mutex_t mutex;
    pthread_cond_t finished;
};

/* slot_bytes: of the caller's slot. threads 0: as many as the process may use. cache_texts: see engine/pool.h. */
int sq_ordered_open(struct sq_ordered *ordered, const struct sq_engine *engine, unsigned threads, size_t cache_texts, size_t slots_count,
                    size_t slot_bytes, struct sq_err *err);

/* Waits for what is in the pool. Calls `deinit` on every slot, used or not. */
void sq_ordered_close(struct sq_ordered *ordered, void (*deinit)(void *slot));

/* The slot to fill, or NULL while the ring is full. It stays the same until it is submitted or skipped. */
void *sq_ordered_free(struct sq_ordered *ordered);

/* Hands the filled slot, its job's text set, to the pool. On failure it stays the one to fill. */
int sq_ordered_submit(struct sq_ordered *ordered);

/* The filled slot needs no engine: its prediction is what the caller wrote. */
void sq_ordered_skip(struct sq_ordered *ordered);

/* Waits for the oldest slot; NULL when the ring is empty. It is the caller's until released. */
void *sq_ordered_oldest_wait(struct sq_ordered *ordered);
void sq_ordered_release(struct sq_ordered *ordered);

size_t sq_ordered_count(const struct sq_ordered *ordered); /* slots in the ring */

#endif
