/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed block of memory handed out front to back and taken back all at once. Sized at start from a budget, so that what runs on it
 * allocates nothing later. One thread owns it. */
#ifndef SQ_BASE_ARENA_H
#define SQ_BASE_ARENA_H

#include <stddef.h>

#include "engine/base/err.h"

enum { SQ_ARENA_ALIGN_BYTES = 64 }; /* a cache line, and the widest vector */

struct sq_arena {
    unsigned char *base; /* owned */
    size_t capacity_bytes;
    size_t used_bytes;
    size_t used_bytes_max; /* high-water mark, for the budget printed at start */
};

int sq_arena_init(struct sq_arena *arena, size_t capacity_bytes, struct sq_err *err);
void sq_arena_deinit(struct sq_arena *arena);

/* `bytes` at SQ_ARENA_ALIGN_BYTES, not zeroed; NULL when the arena is full. */
void *sq_arena_alloc(struct sq_arena *arena, size_t bytes);

/* Gives back everything allocated since `used_bytes` was read: `size_t mark = arena->used_bytes; ... sq_arena_rewind(arena, mark);` */
void sq_arena_rewind(struct sq_arena *arena, size_t mark_bytes);

#endif
