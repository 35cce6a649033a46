/* SPDX-License-Identifier: Apache-2.0 */
/* A compacted topic in memory: what a detector saved, key by key. */
#ifndef SQ_TEST_STATE_STORE_H
#define SQ_TEST_STATE_STORE_H

#include "worker/core/state_codec.h"

struct state_store {
    struct state_record *records; /* uthash */
    struct sq_buf meta;
    unsigned written, deleted;
    size_t bytes_largest;         /* of a state */
};

void state_store_init(struct state_store *store);
void state_store_deinit(struct state_store *store);

/* Fails the test when the detector can't. */
void state_store_save(struct state_store *store, struct sq_detector *detector);
void state_store_restore(const struct state_store *store, struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx);

unsigned state_store_count(const struct state_store *store);
bool state_store_equal(const struct state_store *a, const struct state_store *b);
void state_store_copy(struct state_store *to, const struct state_store *from);

#endif
