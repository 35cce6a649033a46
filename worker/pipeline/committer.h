/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that makes a sink's blocking calls, one at a time. The result comes back on the loop. */
#ifndef SQ_PIPELINE_COMMITTER_H
#define SQ_PIPELINE_COMMITTER_H

#include "worker/io/loop.h"
#include "worker/io/sink.h"

struct sq_committer;

/* On the loop. batch: what was submitted, now the caller's again; NULL: the sink's prepare. status and err as the sink gave them. */
typedef void (*sq_committer_done_fn)(struct sq_batch *batch, int status, const struct sq_err *err, void *ctx);

/* The sink stays the caller's, and must outlive the committer. */
int sq_committer_open(struct sq_committer **committer, struct sq_loop *loop, struct sq_sink *sink, sq_committer_done_fn done, void *ctx,
                      struct sq_err *err);

/* On the loop, only while idle. The batch is the committer's until `done`; NULL asks for prepare. */
void sq_committer_submit(struct sq_committer *committer, struct sq_batch *batch);
bool sq_committer_is_idle(const struct sq_committer *committer);

/* Interrupts what is under way, joins the thread; `done` is not called any more, so a batch under way is the caller's again. */
void sq_committer_close(struct sq_committer *committer);

#endif
