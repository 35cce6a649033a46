/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/outbox.h"

#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/core/backoff.h"
#include "worker/io/log.h"

enum {
    CLOSE_AGE_MS = 250,
    CLOSE_OUTPUTS = 256,
    CLOSE_BYTES = 1 << 20,
    RETRY_MS = 500,
    RETRY_MS_MAX = 4000,          /* a group may be waiting for what is in doubt */
    PREPARE_RETRY_MS = 1000,
    PREPARE_RETRY_MS_MAX = 10000, /* each try is another producer, and where a password is refused another failed login */
    TROUBLE_LOG_MS = 10000,
    SERIES_COMMIT_QUEUE = 1,
    RESULT_OK = 0,
    RESULT_FAILED = 1,
};

struct sq_outbox {
    struct sq_outbox_options options;
    struct sq_committer *committer;
    struct sq_batch batches[2];
    unsigned open;             /* index of the open one; the other is being committed or empty */
    bool is_preparing, is_prepared;
    bool is_committing;        /* the other batch is not through yet, retries included */
    bool is_flushing;
    bool has_failed;
    uint64_t closed_ns;
    uint64_t retry_at_ns;      /* 0: nothing to retry */
    struct sq_backoff prepare_backoff, commit_backoff;
    struct sq_log_limit limit;
    char trouble[SQ_ERR_MESSAGE_BYTES];
};

static const char *const stages[] = {SQ_STAGES};

static void fail(struct sq_outbox *outbox, const struct sq_err *err)
{
    if (outbox->has_failed) return;
    outbox->has_failed = true;
    outbox->options.failed(err, outbox->options.ctx);
}

static void note_trouble(struct sq_outbox *outbox, const struct sq_err *err, struct sq_backoff *backoff)
{
    uint64_t suppressed = 0;
    memcpy(outbox->trouble, err->message, sizeof outbox->trouble);
    outbox->retry_at_ns = sq_clock_monotonic_ns() + sq_backoff_next_ms(backoff) * UINT64_C(1000000);
    if (sq_log_allow(&outbox->limit, TROUBLE_LOG_MS, &suppressed))
        sq_log(SQ_LOG_WARN, SQ_L(outbox->is_prepared ? "commit failed, trying again" : "waiting for Kafka"), SQ_LS("stage", stages[outbox->options.stage]),
               SQ_LS("error", sq_err_word(err->code)), SQ_LS("reason", err->message), SQ_LI("suppressed", suppressed));
}

static void on_prepared(struct sq_outbox *outbox, int status, const struct sq_err *err)
{
    outbox->is_preparing = false;
    if (status == 0) {
        outbox->is_prepared = true;
        outbox->trouble[0] = '\0';
        outbox->options.prepared(outbox->options.ctx);
    } else if (sq_err_class(status) == SQ_CLASS_RETRY) {
        note_trouble(outbox, err, &outbox->prepare_backoff);
    } else {
        fail(outbox, err);
    }
}

static void on_committed(struct sq_outbox *outbox, struct sq_batch *batch)
{
    double seconds = (double)(sq_clock_monotonic_ns() - outbox->closed_ns) * 1e-9;
    sq_metric_add(SQ_M_COMMITS, batch->offsets_count && !batch->offsets_are_committed ? RESULT_FAILED : RESULT_OK, 1);
    sq_metric_observe(SQ_M_COMMIT_SECONDS, outbox->options.stage, seconds);
    outbox->options.committed(batch, outbox->options.ctx);
    sq_batch_clear(batch);
    sq_backoff_succeed(&outbox->commit_backoff);
    outbox->is_committing = false;
    outbox->trouble[0] = '\0';
    sq_metric_set(SQ_M_QUEUE_ITEMS, SERIES_COMMIT_QUEUE, 0);
    sq_outbox_tick(outbox);
}

/* The broker will never take some outputs: the stage puts dead letters in their place. */
static int replace_refused(struct sq_outbox *outbox, struct sq_batch *batch, struct sq_err *err)
{
    int status = 0;
    for (size_t i = 0; i < batch->outputs_count && status == 0; i++) {
        if (batch->outputs[i].status != SQ_E_PRODUCE) continue;
        status = outbox->options.replace(batch, &batch->outputs[i], err, outbox->options.ctx);
        batch->outputs[i].status = SQ_E_TIMEOUT;
    }
    return status;
}

static void on_done(struct sq_batch *batch, int status, const struct sq_err *err, void *ctx)
{
    struct sq_outbox *outbox = ctx;
    struct sq_err replace_err;
    if (!batch) {
        on_prepared(outbox, status, err);
        return;
    }
    if (status == 0) {
        on_committed(outbox, batch);
        return;
    }
    sq_metric_add(SQ_M_COMMITS, RESULT_FAILED, 1);
    if (status == SQ_E_PRODUCE) {
        if (replace_refused(outbox, batch, &replace_err) == 0) sq_committer_submit(outbox->committer, batch);
        else fail(outbox, &replace_err);
    } else if (sq_err_class(status) == SQ_CLASS_RETRY) {
        note_trouble(outbox, err, &outbox->commit_backoff);
    } else {
        fail(outbox, err);
    }
}

int sq_outbox_open(struct sq_outbox **out, const struct sq_outbox_options *options, struct sq_err *err)
{
    *out = NULL;
    struct sq_outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) return sq_err_set(err, SQ_E_NOMEM, "no memory for an outbox");
    outbox->options = *options;
    uint64_t seed = sq_clock_monotonic_ns();
    outbox->prepare_backoff = (struct sq_backoff){PREPARE_RETRY_MS, PREPARE_RETRY_MS_MAX, 0, seed};
    outbox->commit_backoff = (struct sq_backoff){RETRY_MS, RETRY_MS_MAX, 0, ~seed};
    int status = sq_committer_open(&outbox->committer, options->loop, options->sink, on_done, outbox, err);
    if (status) {
        free(outbox);
        return status;
    }
    sq_metric_set(SQ_M_QUEUE_CAPACITY, SERIES_COMMIT_QUEUE, CLOSE_OUTPUTS);
    *out = outbox;
    return 0;
}

void sq_outbox_close(struct sq_outbox *outbox, void (*drop)(struct sq_batch *batch, void *ctx))
{
    if (!outbox) return;
    sq_committer_close(outbox->committer);
    for (unsigned i = 0; i < 2; i++) {
        if (drop) drop(&outbox->batches[i], outbox->options.ctx);
        sq_batch_deinit(&outbox->batches[i]);
    }
    free(outbox);
}

void sq_outbox_prepare(struct sq_outbox *outbox)
{
    outbox->is_preparing = true;
    sq_committer_submit(outbox->committer, NULL);
}

struct sq_batch *sq_outbox_batch(struct sq_outbox *outbox) { return &outbox->batches[outbox->open]; }
const char *sq_outbox_trouble(const struct sq_outbox *outbox) { return outbox->trouble; }

void sq_outbox_touch(struct sq_outbox *outbox)
{
    struct sq_batch *batch = sq_outbox_batch(outbox);
    if (!batch->opened_ns) batch->opened_ns = sq_clock_monotonic_ns();
}

static bool is_full(const struct sq_batch *batch) { return batch->outputs_count >= CLOSE_OUTPUTS || batch->bytes >= CLOSE_BYTES; }

bool sq_outbox_has_room(const struct sq_outbox *outbox) { return !is_full(&outbox->batches[outbox->open]); }

bool sq_outbox_is_empty(const struct sq_outbox *outbox) { return !outbox->is_committing && !outbox->batches[outbox->open].opened_ns; }

void sq_outbox_flush(struct sq_outbox *outbox)
{
    outbox->is_flushing = true;
    sq_outbox_tick(outbox);
}

static bool is_due(const struct sq_outbox *outbox, const struct sq_batch *batch)
{
    if (!batch->opened_ns) return false;
    return outbox->is_flushing || is_full(batch) || sq_clock_monotonic_ns() - batch->opened_ns >= CLOSE_AGE_MS * UINT64_C(1000000);
}

static void close_batch(struct sq_outbox *outbox)
{
    struct sq_batch *batch = sq_outbox_batch(outbox);
    struct sq_err err;
    outbox->is_flushing = false;
    outbox->options.renew(batch, outbox->options.ctx);
    if (!outbox->options.collect(batch, outbox->options.ctx)) {
        sq_err_set(&err, SQ_E_NOMEM, "no memory for a batch of offsets");
        fail(outbox, &err);
        return;
    }
    if (!batch->outputs_count && !batch->offsets_count) { /* what moved is gone */
        sq_batch_clear(batch);
        return;
    }
    outbox->open = !outbox->open;
    outbox->is_committing = true;
    outbox->closed_ns = sq_clock_monotonic_ns();
    sq_metric_set(SQ_M_QUEUE_ITEMS, SERIES_COMMIT_QUEUE, (int64_t)batch->outputs_count);
    sq_committer_submit(outbox->committer, batch);
}

static void resubmit(struct sq_outbox *outbox)
{
    struct sq_batch *batch = &outbox->batches[!outbox->open];
    outbox->options.renew(batch, outbox->options.ctx);
    sq_committer_submit(outbox->committer, batch);
}

void sq_outbox_tick(struct sq_outbox *outbox)
{
    if (outbox->has_failed || !sq_committer_is_idle(outbox->committer)) return;
    if (outbox->retry_at_ns) {
        if (sq_clock_monotonic_ns() < outbox->retry_at_ns) return;
        outbox->retry_at_ns = 0;
        if (outbox->is_committing) resubmit(outbox);
        else sq_outbox_prepare(outbox);
        return;
    }
    if (outbox->is_prepared && !outbox->is_committing && is_due(outbox, sq_outbox_batch(outbox))) close_batch(outbox);
}
