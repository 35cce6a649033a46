/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

static size_t aligned(size_t bytes) { return (bytes + SQ_ARENA_ALIGN_BYTES - 1) & ~(size_t)(SQ_ARENA_ALIGN_BYTES - 1); }

int sq_arena_init(struct sq_arena *arena, size_t capacity_bytes, struct sq_err *err)
{
    *arena = (struct sq_arena){0};
    if (capacity_bytes > SIZE_MAX / 2) return sq_err_set(err, SQ_E_NOMEM, "an arena of %zu bytes is not possible", capacity_bytes);
    arena->capacity_bytes = aligned(capacity_bytes ? capacity_bytes : 1);
    arena->base = aligned_alloc(SQ_ARENA_ALIGN_BYTES, arena->capacity_bytes);
    if (!arena->base) return sq_err_set(err, SQ_E_NOMEM, "no memory for an arena of %zu bytes", arena->capacity_bytes);
    return 0;
}

void sq_arena_deinit(struct sq_arena *arena)
{
    free(arena->base);
    *arena = (struct sq_arena){0};
}

void *sq_arena_alloc(struct sq_arena *arena, size_t bytes)
{
    size_t room_bytes = arena->capacity_bytes - arena->used_bytes;
    if (bytes > room_bytes || aligned(bytes) > room_bytes) return NULL;
    void *block = arena->base + arena->used_bytes;
    arena->used_bytes += aligned(bytes);
    if (arena->used_bytes > arena->used_bytes_max) arena->used_bytes_max = arena->used_bytes;
    return block;
}

void sq_arena_rewind(struct sq_arena *arena, size_t mark_bytes)
{
    if (mark_bytes < arena->used_bytes) arena->used_bytes = mark_bytes;
}
