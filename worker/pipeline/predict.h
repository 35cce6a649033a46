/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict and /embed: texts of an HTTP request through the engine, now. They go before the stream at each batch's start, so a caller
 * waits for the batches in work, not for the backlog (engine/backlog.h).
 *
 * /predict shares the score stage's pool, whose owner hands finished jobs of class SQ_JOB_INTERACTIVE to sq_predict_done. /embed has
 * a model and a pool of its own. Thread: the loop's. */
#ifndef SQ_PIPELINE_PREDICT_H
#define SQ_PIPELINE_PREDICT_H

#include "engine/pool.h"
#include "worker/io/http.h"

struct sq_predict;

struct sq_predict_options {
    struct sq_loop *loop;
    const struct sq_engine *engine;
    struct sq_pool *pool; /* lent; NULL: it opens one of `threads` */
    unsigned threads;
    size_t texts_max;     /* of a request, and of all that wait */
};

int sq_predict_open(struct sq_predict **predict, const struct sq_predict_options *options, struct sq_err *err);

/* Answers the call, now or when its texts are done. predict NULL: this worker has no model, 503. */
void sq_predict_post(struct sq_predict *predict, struct sq_http_call *call, struct sq_str body);

/* A job of a lent pool came back. */
void sq_predict_done(struct sq_job *job);

/* Answers what waits, 503, and forgets the calls: before the server is closed. */
void sq_predict_stop(struct sq_predict *predict); /* NULL is fine */

/* After a lent pool was closed. */
void sq_predict_close(struct sq_predict *predict); /* NULL is fine */

size_t sq_predict_pending(const struct sq_predict *predict); /* texts that wait or run */

#endif
