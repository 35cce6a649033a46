/* SPDX-License-Identifier: Apache-2.0 */
/* The records in flight: from taking until their output is committed. A fixed number of slots, each with a little memory of its own; a
 * record that doesn't fit gets a block from the heap, and the sum of those is bounded, too. When slots or bytes are used up, the stage
 * stops taking. Thread: the loop's, but for `job`, which is the pool's while submitted. */
#ifndef SQ_PIPELINE_SLOTS_H
#define SQ_PIPELINE_SLOTS_H

#include "engine/pool.h"
#include "worker/pipeline/dead_letter.h"
#include "worker/pipeline/owned.h"

enum {
    SQ_SLOT_BYTES = 2048,             /* of a slot's own memory: a post with its JSON */
    SQ_SLOT_EXTRA_BYTES_MAX = 32 << 20, /* of all blocks from the heap; one record may overshoot it */
    SQ_SLOT_MESSAGE_BYTES = 192,
};

struct sq_slot {
    struct sq_job job;         /* first: the pool gives jobs back */
    struct sq_owned *owned;    /* a reference */
    uint64_t ticket;
    struct sq_origin origin;   /* strings in the slot's memory */
    struct sq_str entity, id;
    uint64_t author_hash;
    int64_t event_time_ms;
    bool is_clamped;
    bool is_skipped;           /* not scored, for want of time */
    float share;               /* that was being scored when it came; 0: all */
    uint64_t taken_ns;         /* monotonic */
    int code;                  /* 0, or why it is a dead letter */
    char message[SQ_SLOT_MESSAGE_BYTES];
    struct sq_slot *next_free;
    char *own_memory, *block;  /* block: from the heap, NULL for none */
    size_t capacity_bytes, used_bytes; /* of the one in use */
};

struct sq_slots {
    struct sq_slot *items; /* owned */
    char *memory;          /* owned */
    struct sq_slot *free;
    size_t count, used_count;
    size_t extra_bytes;
};

int sq_slots_init(struct sq_slots *slots, size_t count, struct sq_err *err);
void sq_slots_deinit(struct sq_slots *slots);

static inline bool sq_slots_has_room(const struct sq_slots *slots) { return slots->free && slots->extra_bytes < SQ_SLOT_EXTRA_BYTES_MAX; }

/* A slot with room for `bytes` of strings, everything else zero. There must be a free one; NULL: no memory for its block. */
struct sq_slot *sq_slots_take(struct sq_slots *slots, size_t bytes);
void sq_slots_give_back(struct sq_slots *slots, struct sq_slot *slot);

/* Memory of the slot, 8-byte aligned. What was taken for must suffice, each piece rounded up to 8. */
void *sq_slot_alloc(struct sq_slot *slot, size_t bytes);
struct sq_str sq_slot_copy(struct sq_slot *slot, struct sq_str str); /* data NULL stays NULL */
static inline size_t sq_slot_piece_bytes(size_t bytes) { return (bytes + 8) / 8 * 8; } /* a NUL included */

/* Resident, for the budget. */
static inline size_t sq_slots_bytes(size_t count) { return count * (sizeof(struct sq_slot) + SQ_SLOT_BYTES); }

#endif
