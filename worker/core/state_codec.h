/* SPDX-License-Identifier: Apache-2.0 */
/* A detector's state as bytes, so that a partition goes on where another worker left it.
 *
 * One state a rule and entity, and one meta for what the partition's entities share. Saved after record n and restored into a fresh
 * detector with the same options, the detector tells from record n + 1 on, to the byte, what the first one would have told, and saves
 * the same bytes again. States are saved only when their bytes changed.
 *
 * Saving: sq_detector_save after any record gives every state that changed since the last save, in key-byte order, and the meta. All of it
 * belongs into one transaction with the alerts emitted since. Should the transaction abort, the detector must be closed and restored: it
 * takes what it gave as saved.
 *
 * Restoring: sq_detector_open; sq_detector_restore_state for each record of the store in any order, older versions of a key before newer
 * ones; sq_detector_restore_meta; sq_detector_restore_end. Nothing is emitted before restore_end, and there only RESOLVED rule_removed for
 * open alerts of rules that are gone. Then sq_detector_take goes on with the record after the meta's.
 *
 * Bytes from outside are decoded totally: SQ_E_DECODE says that they are none of ours or of a version this build doesn't know; the detector
 * is then to be closed and the partition rebuilt from its scores. Sizes, with the default windows and sources that run together: what decides
 * takes at most SQ_STATE_BYTES_MAX, 300 as a rule; each of up to 18 example texts its own bytes and 28. Thread: the detector's owner. */
#ifndef SQ_CORE_STATE_CODEC_H
#define SQ_CORE_STATE_CODEC_H

#include "engine/base/buf.h"
#include "worker/core/detector.h"

enum { SQ_STATE_VERSION = 3, SQ_STATE_BYTES_MAX = 512 };

struct sq_saved_state {
    struct sq_str rule, entity;      /* the key */
    int64_t last_event_time_ms;
    struct sq_str data;              /* data NULL: forgotten; the store's record is to be deleted */
};

/* Valid during the call only; non-zero stops and is passed on. */
typedef int (*sq_saved_state_fn)(const struct sq_saved_state *state, void *ctx);

/* `meta` is cleared and filled. */
int sq_detector_save(struct sq_detector *detector, sq_saved_state_fn each, void *ctx, struct sq_buf *meta, struct sq_err *err);

/* state->data NULL: forget the key. A state of a rule that is gone or asks for another form of state (label, windows, ...) is kept only for
 * its open alert, which restore_end resolves. */
int sq_detector_restore_state(struct sq_detector *detector, const struct sq_saved_state *state, struct sq_err *err);
int sq_detector_restore_meta(struct sq_detector *detector, struct sq_str meta, struct sq_err *err);
int sq_detector_restore_end(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err);

#endif
