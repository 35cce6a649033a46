/* SPDX-License-Identifier: Apache-2.0 */
/* A detector's state as records of <app>.alert-state, and back.
 *
 * Written in the transaction of the alerts and offsets that it belongs to: each state that changed, and a meta record that says which offset
 * it stands for. So after any crash the state that a reader finds is the state at the group's committed offset, and a partition goes on
 * where it stood, whoever owned it before. Where the two disagree somebody else has moved the offset, and going on would fire or miss alerts:
 * that is refused, unless the configuration allows to rebuild the windows from the scores that are left.
 *
 * A rebuild draws a new lineage, a number that each record carries. Of another lineage's states nothing may be left in the windows, so where
 * the lineage changes in the log, a restore starts over.
 *
 * Thread: the loop's. */
#ifndef SQ_PIPELINE_ALERT_STATE_H
#define SQ_PIPELINE_ALERT_STATE_H

#include "proto/codec.h"
#include "worker/core/state_codec.h"

/* Memory for one record at a time. */
struct sq_alert_states {
    struct sq_arena arena;
    struct sq_buf key, value, meta;
};

int sq_alert_states_init(struct sq_alert_states *states, struct sq_err *err);
void sq_alert_states_deinit(struct sq_alert_states *states);

/* Key and value are borrowed for the call; value.data NULL: to be deleted. */
typedef int (*sq_alert_state_put_fn)(struct sq_str key, struct sq_str value, void *ctx);

/* Gives everything that changed since the last save, the meta last. */
int sq_alert_state_save(struct sq_alert_states *states, struct sq_detector *detector, uint64_t lineage, int64_t next_offset,
                        sq_alert_state_put_fn put, void *ctx, struct sq_err *err);

/* What a partition's restore has come to. */
struct sq_alert_restore {
    struct sq_detector *detector; /* owned; gets the states */
    uint64_t lineage;             /* of the records so far; 0: none */
    bool has_meta;
    int64_t next_offset;          /* of the latest meta */
    struct sq_buf meta;           /* its data */
    bool is_unreadable;           /* something is there that this build can't read */
    char why[128];
};

/* Opens a fresh detector for the partition. */
typedef int (*sq_alert_open_fn)(struct sq_detector **detector, void *ctx, struct sq_err *err);

int sq_alert_restore_init(struct sq_alert_restore *restore, sq_alert_open_fn open, void *ctx, struct sq_err *err);
void sq_alert_restore_deinit(struct sq_alert_restore *restore);

/* The next record of the topic. Fails only for want of memory. */
int sq_alert_restore_take(struct sq_alert_restore *restore, struct sq_alert_states *states, struct sq_str key, struct sq_str value,
                          sq_alert_open_fn open, void *ctx, struct sq_err *err);

enum sq_alert_verdict {
    SQ_ALERT_FRESH,    /* nothing was there, and nothing committed */
    SQ_ALERT_RESTORED, /* the detector stands at the committed offset */
    SQ_ALERT_REBUILD,  /* silently, from the scores up to the committed offset: `why` */
    SQ_ALERT_REFUSED,  /* err says why */
};

/* All was read. may_rebuild: as the configuration says. What a rule's end resolves is emitted. FRESH and REBUILD: the detector is a fresh
 * one; take it, and a new lineage. */
enum sq_alert_verdict sq_alert_restore_end(struct sq_alert_restore *restore, int64_t committed_offset, bool may_rebuild, sq_alert_open_fn open,
                                           void *open_ctx, sq_detector_emit_fn emit, void *emit_ctx, struct sq_err *err);

#endif
