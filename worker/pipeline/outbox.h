/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's way out: one batch open for what is finished, one being committed, and no more.
 *
 * A batch is closed when it is old, full or wanted (flush), and only while no other is being committed; then the stage adds the offsets
 * that its outputs stand for. So an offset is in the batch of the outputs behind it, or in a later one. What fails in a way that may pass is
 * tried again with the very same batch. Thread: the loop's. */
#ifndef SQ_PIPELINE_OUTBOX_H
#define SQ_PIPELINE_OUTBOX_H

#include "worker/pipeline/committer.h"

struct sq_outbox_options {
    struct sq_loop *loop;
    struct sq_sink *sink;
    enum sq_stage_name stage;
    void (*prepared)(void *ctx);                             /* the sink is ready */
    void (*renew)(struct sq_batch *batch, void *ctx);   /* before each commit, tries included: take out what is no longer ours, note the membership */
    bool (*collect)(struct sq_batch *batch, void *ctx);      /* add the next offsets; false: no memory */
    void (*committed)(struct sq_batch *batch, void *ctx);    /* outputs are safe; offsets where offsets_are_committed */
    int (*replace)(struct sq_batch *batch, struct sq_output *output, struct sq_err *err, void *ctx); /* refused for good: put another in its place */
    void (*failed)(const struct sq_err *err, void *ctx);     /* FATAL */
    void *ctx;
};

struct sq_outbox;

int sq_outbox_open(struct sq_outbox **outbox, const struct sq_outbox_options *options, struct sq_err *err);
/* What is not committed is left: `drop` (may be NULL) gets both batches to take its cookies back. */
void sq_outbox_close(struct sq_outbox *outbox, void (*drop)(struct sq_batch *batch, void *ctx));

void sq_outbox_prepare(struct sq_outbox *outbox); /* asks the sink until it is ready */

/* To append to; valid until the next call into the outbox. */
struct sq_batch *sq_outbox_batch(struct sq_outbox *outbox);
/* Offsets moved without an output. */
void sq_outbox_touch(struct sq_outbox *outbox);
/* False while the open batch is full and can't be closed yet: take no more. */
bool sq_outbox_has_room(const struct sq_outbox *outbox);
/* Closes, retries: whatever is due. Call it after appending and every few milliseconds. */
void sq_outbox_tick(struct sq_outbox *outbox);
/* Close as soon as possible, without waiting for age. */
void sq_outbox_flush(struct sq_outbox *outbox);
bool sq_outbox_is_empty(const struct sq_outbox *outbox); /* nothing open, nothing being committed */
/* Why it waits for the sink, for people; "" when it doesn't. */
const char *sq_outbox_trouble(const struct sq_outbox *outbox);

#endif
