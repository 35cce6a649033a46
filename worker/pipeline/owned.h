/* SPDX-License-Identifier: Apache-2.0 */
/* A partition while this worker owns it. Everything that is under way for it (a record in the engine, an offset in a commit) holds a
 * reference, so the object outlives the ownership; `is_gone` then tells that its results are nobody's any more. The same partition
 * owned again is another object: that is the ownership epoch. Thread: the loop's. */
#ifndef SQ_PIPELINE_OWNED_H
#define SQ_PIPELINE_OWNED_H

#include "worker/core/breaker.h"
#include "worker/core/ledger.h"
#include "worker/io/sink.h"

struct sq_owned {
    struct sq_owned *next;
    char *topic; /* owned */
    int32_t partition;
    uint64_t epoch;
    struct sq_ledger ledger;
    struct sq_breaker breaker;  /* all zero in a stage that has none */
    int64_t committed_offset;   /* the group's, as far as we know; -1: none */
    int64_t end_offset;         /* of the log when last seen at its end; -1: never */
    int64_t last_processed_ms;  /* wall clock; 0: never */
    int64_t moved_offset;       /* the watchdog's: the committed offset when last seen to move, or with nothing to move for */
    uint64_t moved_ns;          /* ... and when that was; 0: not looked at yet */
    bool is_stalled;
    bool is_gone;
    bool is_refused;            /* the group took no offsets of it any more while it was being revoked: its next owner reads again */
    bool has_output;            /* in the open batch without an offset that moved: its offset goes along all the same */
    struct sq_source_partition *source_partition; /* NULL once gone */
    unsigned in_flight;         /* records taken whose output is not safe yet */
    unsigned references;
    void (*deinit)(struct sq_owned *owned); /* of what the stage keeps with it; NULL: nothing */
};

struct sq_owned_list {
    struct sq_owned *head;
    unsigned count;
};

/* `owned` is fresh zeroed heap memory that begins with a struct sq_owned; from here on it belongs to its references. The first is the
 * list's. On failure the memory is freed. */
int sq_owned_init(struct sq_owned *owned, struct sq_owned_list *list, struct sq_source_partition *partition, uint64_t records_max,
                  uint64_t bytes_max, struct sq_err *err);

/* Takes it off the list, marks it gone, and drops the list's reference. */
void sq_owned_gone(struct sq_owned *owned, struct sq_owned_list *list);

static inline struct sq_owned *sq_owned_ref(struct sq_owned *owned)
{
    owned->references++;
    return owned;
}
void sq_owned_unref(struct sq_owned *owned);

/* Something finished that is not committed yet. */
static inline bool sq_owned_has_moved(const struct sq_owned *owned)
{
    int64_t next_offset = sq_ledger_next_offset(&owned->ledger);
    return next_offset >= 0 && next_offset != owned->committed_offset;
}

/* There is something to commit: an offset, or only what stands beside it. */
static inline bool sq_owned_has_progress(const struct sq_owned *owned)
{
    return sq_owned_has_moved(owned) || sq_breaker_wishes(&owned->breaker);
}

/* Nothing under way, to be saved or to be committed: it can be given away. */
static inline bool sq_owned_is_settled(const struct sq_owned *owned)
{
    return owned->in_flight == 0 && !owned->has_output && !sq_owned_has_progress(owned);
}

/* The partition was read to its end: what stands before `offset` needs no more reading. True when that is progress. */
bool sq_owned_note_end(struct sq_owned *owned, int64_t offset);

/* Adds the next offset of each partition with progress or output, with a reference as its cookie. False: no memory. */
bool sq_owned_collect(const struct sq_owned_list *list, struct sq_batch *batch);
/* Before a batch is tried again: what was lost meanwhile is another member's to commit. */
void sq_owned_drop_gone(struct sq_batch *batch);
/* The batch is through: notes what was committed and drops the references. */
void sq_owned_committed(struct sq_batch *batch);

#endif
