/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/committer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct sq_committer {
    struct sq_sink *sink;
    struct sq_wake *wake;
    sq_committer_done_fn done;
    void *ctx;
    bool is_busy; /* the loop's view */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    bool has_work, has_result, is_closing;
    struct sq_batch *batch;
    int status;
    struct sq_err err;
};

static void *run(void *ctx)
{
    struct sq_committer *committer = ctx;
    pthread_mutex_lock(&committer->mutex);
    for (;;) {
        while (!committer->has_work && !committer->is_closing) pthread_cond_wait(&committer->changed, &committer->mutex);
        if (committer->is_closing) break;
        struct sq_batch *batch = committer->batch;
        committer->has_work = false;
        pthread_mutex_unlock(&committer->mutex);

        struct sq_err err = {0};
        const struct sq_sink_ops *ops = committer->sink->ops;
        int status = batch ? ops->commit(committer->sink, batch, &err) : ops->prepare(committer->sink, &err);

        pthread_mutex_lock(&committer->mutex);
        committer->status = status;
        committer->err = err;
        committer->has_result = true;
        sq_wake_send(committer->wake);
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

static void on_wake(void *ctx)
{
    struct sq_committer *committer = ctx;
    pthread_mutex_lock(&committer->mutex);
    bool has_result = committer->has_result;
    struct sq_batch *batch = committer->batch;
    int status = committer->status;
    struct sq_err err = committer->err;
    committer->has_result = false;
    pthread_mutex_unlock(&committer->mutex);
    if (!has_result) return;
    committer->is_busy = false;
    committer->done(batch, status, &err, committer->ctx);
}

/* Signals are the loop's. */
static int start_thread(struct sq_committer *committer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&committer->thread, NULL, run, committer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

int sq_committer_open(struct sq_committer **out, struct sq_loop *loop, struct sq_sink *sink, sq_committer_done_fn done, void *ctx,
                      struct sq_err *err)
{
    *out = NULL;
    struct sq_committer *committer = calloc(1, sizeof *committer);
    if (!committer) return sq_err_set(err, SQ_E_NOMEM, "no memory for a committer");
    committer->sink = sink;
    committer->done = done;
    committer->ctx = ctx;
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->changed, NULL);
    int status = sq_wake_open(&committer->wake, loop, on_wake, committer, err);
    if (status == 0 && start_thread(committer)) status = sq_err_set(err, SQ_E_FAILED, "can't start a committer thread");
    if (status == 0) {
        *out = committer;
        return 0;
    }
    sq_wake_close(committer->wake);
    free(committer);
    return status;
}

void sq_committer_submit(struct sq_committer *committer, struct sq_batch *batch)
{
    assert(!committer->is_busy);
    committer->is_busy = true;
    pthread_mutex_lock(&committer->mutex);
    committer->batch = batch;
    committer->has_work = true;
    pthread_cond_signal(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
}

bool sq_committer_is_idle(const struct sq_committer *committer) { return !committer->is_busy; }

void sq_committer_close(struct sq_committer *committer)
{
    if (!committer) return;
    committer->sink->ops->interrupt(committer->sink);
    pthread_mutex_lock(&committer->mutex);
    committer->is_closing = true;
    pthread_cond_signal(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    sq_wake_close(committer->wake);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
}
