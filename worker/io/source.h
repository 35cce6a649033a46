/* SPDX-License-Identifier: Apache-2.0 */
/* Where a stage's records come from, as the stages see it: partitions that are given and taken away, and records in their order.
 * worker/io/source_kafka.h is the real one; tests have a fake, and a simulated broker can be one too.
 *
 * Thread: the loop's. Nothing blocks. A source calls its handler only from the loop, never from inside one of its own operations but
 * `pull`, `release` and `close`. Back-pressure is the handler's has_room: a source takes nothing while it is false, goes on answering
 * the group, and is told by `pull` when to look again. */
#ifndef SQ_IO_SOURCE_H
#define SQ_IO_SOURCE_H

#include "engine/base/err.h"
#include "proto/codec.h"

enum sq_stage_name { SQ_STAGE_SCORE, SQ_STAGE_ALERT }; /* the order of SQ_STAGES in engine/base/metrics.h */

/* A partition while it is owned: from handler->assigned to handler->gone. Owned again later, it is another one with a higher epoch, so
 * whoever holds results of the old one can tell. */
struct sq_source_partition {
    const char *topic;
    int32_t partition;
    uint64_t epoch;            /* rises with each assignment; never twice the same in a process */
    int64_t committed_offset;  /* of the group when it was assigned; -1: none */
    unsigned begun;            /* what offset_note.h says with it */
    int64_t start_offset;      /* first offset to deliver, or one of SQ_OFFSET_*; the handler may change it in `assigned` */
    bool is_revoking;          /* to be given away soon: nothing more is delivered */
    bool is_parked;            /* the handler sets it in `assigned`: nothing is delivered until `unpark` */
    void *user;                /* the handler's */
};
enum { SQ_OFFSET_BEGINNING = -2, SQ_OFFSET_END = -1 }; /* values of start_offset */

enum { SQ_HEADERS_MAX = 64 };
struct sq_header {
    struct sq_str name;
    struct sq_str value; /* data NULL: null */
};

/* One record; all of it is borrowed for the length of the call. */
struct sq_delivery_record {
    struct sq_source_partition *partition;
    int64_t offset;
    int64_t timestamp_ms;   /* the record's own; -1: none */
    bool is_append_time;    /* the broker's clock wrote it, not the producer's */
    struct sq_record record; /* a header function has this struct as its context */
    struct sq_header headers[SQ_HEADERS_MAX]; /* those that fit */
    unsigned headers_count;
    int code;            /* 0, or the POISON code of a record that the source can't read: then nothing but its coordinates is known */
    const char *message; /* with a code: why */
};

/* Who this worker is in the stage's group. A commit that carries it is refused once the group has moved on, which is what keeps a worker
 * that slept from committing what others own by now. A commit with generation -1 would *not* be refused, so none may carry that. */
enum { SQ_MEMBER_BYTES = 256 };
struct sq_membership {
    int32_t generation;             /* -1: no member */
    char member[SQ_MEMBER_BYTES];   /* "": no member */
    char instance[SQ_MEMBER_BYTES]; /* of static membership; "": none */
};
static inline bool sq_membership_is_valid(const struct sq_membership *membership)
{
    return membership->generation >= 0 && membership->member[0];
}

struct sq_source_handler {
    /* Ownership begins. start_offset is what the source would do: go on at the committed offset, else by input.start. */
    void (*assigned)(struct sq_source_partition *partition, void *ctx);
    /* An assignment is complete, even an empty one. */
    void (*assignment)(unsigned partitions_count, void *ctx);
    bool (*has_room)(void *ctx);
    void (*take)(const struct sq_delivery_record *record, void *ctx);
    /* All that stands in the partition now was delivered; `offset` is the next one that will be written. */
    void (*end)(struct sq_source_partition *partition, int64_t offset, void *ctx);
    /* Partitions with is_revoking must be given up: finish, commit, then call source->ops->release. */
    void (*revoking)(void *ctx);
    /* Ownership is over. is_lost: others may own it already, nothing of it may be committed. */
    void (*gone)(struct sq_source_partition *partition, bool is_lost, void *ctx);
    void (*closed)(void *ctx); /* after `leave`: out of the group */
    void (*failed)(const struct sq_err *err, void *ctx); /* can't go on; FATAL class */
    void *ctx;
};

struct sq_source;
struct sq_source_ops {
    int (*start)(struct sq_source *source, const struct sq_source_handler *handler, struct sq_err *err); /* joins the group */
    void (*pull)(struct sq_source *source);     /* there is room again */
    void (*release)(struct sq_source *source);  /* answers `revoking`: gone is called for those partitions before it returns */
    /* Delivers from `start_offset` (as in sq_source_partition) on. */
    void (*unpark)(struct sq_source *source, struct sq_source_partition *partition, int64_t start_offset);
    void (*leave)(struct sq_source *source);    /* gives all back and leaves the group; `closed` tells when */
    /* The log's end as last seen, without asking anyone; false: unknown. */
    bool (*watermarks)(struct sq_source *source, const struct sq_source_partition *partition, int64_t *low, int64_t *high);
    /* As of the last thing the group told and the handler knows: never newer, so that partitions lost meanwhile don't pass for owned. */
    void (*membership)(struct sq_source *source, struct sq_membership *membership);
    void (*close)(struct sq_source *source);    /* at once, whatever the state; frees it */
};
struct sq_source {
    const struct sq_source_ops *ops;
};

#endif
