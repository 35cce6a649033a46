/* SPDX-License-Identifier: Apache-2.0 */
/* What it promises: when commit returns 0, a read_committed reader sees each of the batch's outputs once, and the group its offsets. When
 * it returns anything else, the reader sees none of them, or commit called again with the batch finds out that it does.
 *
 * The happy path: begin, produce, wait for the answers, send the offsets, commit. What can go wrong:
 *
 * - The transaction can't be committed (a record refused, the group moved on): abort it. Nothing of the batch is out; the stage takes out
 *   what is no longer its own and hands the rest in again.
 * - A call timed out or the producer is fenced: the producer is closed, and a new one with the same id makes the broker decide. If commit
 *   had been called, only the broker knows what came of it. Each attempt's offsets carry a tag of its own; as offsets and outputs are one
 *   transaction, finding the tag with the committed offsets is the proof that all of it is out.
 * - Being fenced again and again means that another live worker uses our id. Then both stop, since neither could ever get through.
 *
 * A broker refuses a whole request for one bad record in it, or for the sum of good ones. So each that was refused is tried once more in a
 * transaction of its own, which is aborted; only what is refused alone is reported as refused for good. The next attempt sends each output
 * in a request of its own. */
#include "worker/io/sink_txn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"

struct txn_sink {
    struct sq_sink base; /* first */
    struct sq_txn_client *client; /* owned */
    bool is_open;     /* the client's producer can begin */
    bool is_careful;  /* a request was refused: one output a request until a batch is through */
    bool is_in_doubt; /* commit was called for the batch in hand, and its outcome is unknown */
    char run[40];     /* tells this sink's tags from all others' */
    uint64_t attempts;
    char tag[SQ_TXN_TAG_BYTES]; /* of the last attempt */
    uint64_t fenced_ns[SQ_TXN_FENCES_MAX]; /* ring */
    unsigned fences;
};

static struct txn_sink *txn_sink(struct sq_sink *sink) { return (struct txn_sink *)sink; }

static int open_producer(struct txn_sink *sink, struct sq_err *err)
{
    if (sink->is_open) return 0;
    int status = sink->client->ops->open(sink->client, err);
    sink->is_open = status == 0;
    return status;
}

/* None of the batch is out. What is refused for good stays so. */
static void unsettle(struct sq_batch *batch)
{
    for (size_t i = 0; i < batch->outputs_count; i++)
        if (batch->outputs[i].status == 0) batch->outputs[i].status = SQ_E_TIMEOUT;
    batch->offsets_are_committed = false;
}

static void settle(struct txn_sink *sink, struct sq_batch *batch)
{
    for (size_t i = 0; i < batch->outputs_count; i++) batch->outputs[i].status = 0;
    batch->offsets_are_committed = true;
    sink->is_in_doubt = sink->is_careful = false;
}

/* ---- what follows a failure ---- */

static int note_fence(struct txn_sink *sink, struct sq_err *err)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    uint64_t *oldest_ns = &sink->fenced_ns[sink->fences++ % SQ_TXN_FENCES_MAX];
    bool is_loop = sink->fences > SQ_TXN_FENCES_MAX && now_ns - *oldest_ns < SQ_TXN_FENCES_MS * UINT64_C(1000000);
    *oldest_ns = now_ns;
    if (!is_loop) {
        char why[SQ_ERR_MESSAGE_BYTES];
        snprintf(why, sizeof why, "%s", err->message);
        return sq_err_set(err, SQ_E_TIMEOUT, "fenced; if that comes again, another live worker has this app and `instance`, and each needs its own: %s", why);
    }
    return sq_err_set(err, SQ_E_KAFKA_FATAL, "fenced %u times in %d minutes: another live worker has the same app and instance; give each worker an "
                      "`instance` of its own", SQ_TXN_FENCES_MAX + 1, SQ_TXN_FENCES_MS / 60000);
}

/* The producer is of no more use. */
static int give_up(struct txn_sink *sink, enum sq_txn_result result, struct sq_err *err)
{
    sink->is_open = false;
    if (result == SQ_TXN_FATAL) return err->code;
    if (result == SQ_TXN_FENCED && note_fence(sink, err) == SQ_E_KAFKA_FATAL) return SQ_E_KAFKA_FATAL;
    return err->code = SQ_E_TIMEOUT;
}

/* After this the batch can be handed in again. `err` says what went wrong; it stays, unless something worse comes. */
static int recover(struct txn_sink *sink, enum sq_txn_result result, struct sq_err *err)
{
    struct sq_err abort_err;
    if (result == SQ_TXN_ABORT) {
        result = sink->client->ops->abort(sink->client, &abort_err);
        if (result == SQ_TXN_OK) {
            sink->is_in_doubt = false;
            return err->code = SQ_E_TIMEOUT;
        }
        *err = abort_err;
        if (result == SQ_TXN_ABORT) result = SQ_TXN_IN_DOUBT; /* what it would have aborted, the next producer's opening will */
    }
    return give_up(sink, result, err);
}

/* ---- refused outputs ---- */

/* Whether the broker refuses this one alone. SQ_E_PRODUCE or SQ_E_TIMEOUT is left in its status. */
static int try_alone(struct txn_sink *sink, struct sq_output *output, struct sq_err *err)
{
    const struct sq_txn_client_ops *ops = sink->client->ops;
    enum sq_txn_result result = ops->begin(sink->client, err);
    output->status = SQ_E_TIMEOUT;
    if (result != SQ_TXN_OK) return recover(sink, result, err);
    result = ops->produce(sink->client, output, 1, err);
    if (output->status == 0) output->status = SQ_E_TIMEOUT; /* as it is aborted */
    if (result == SQ_TXN_OK || result == SQ_TXN_ABORT) result = ops->abort(sink->client, err);
    return result == SQ_TXN_OK ? 0 : recover(sink, result == SQ_TXN_ABORT ? SQ_TXN_IN_DOUBT : result, err);
}

static int sift_refused(struct txn_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    struct sq_err alone_err = {0};
    sink->is_careful = true;
    for (size_t i = 0; i < batch->outputs_count; i++) {
        if (batch->outputs[i].status != SQ_E_PRODUCE) continue;
        if (!sink->is_open || try_alone(sink, &batch->outputs[i], &alone_err)) batch->outputs[i].status = SQ_E_TIMEOUT; /* next time */
        if (sq_err_class(alone_err.code) == SQ_CLASS_FATAL) {
            *err = alone_err;
            return err->code;
        }
        alone_err.code = 0;
    }
    size_t refused = sq_batch_count(batch, SQ_E_PRODUCE);
    if (!refused) return SQ_E_TIMEOUT;
    return sq_err_set(err, SQ_E_PRODUCE, "the broker refused %zu of %zu outputs", refused, batch->outputs_count);
}

/* ---- the transaction ---- */

static enum sq_txn_result produce_all(struct txn_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    size_t step = sink->is_careful ? 1 : batch->outputs_count;
    enum sq_txn_result result = SQ_TXN_OK;
    for (size_t i = 0; i < batch->outputs_count && result == SQ_TXN_OK; i += step)
        result = sink->client->ops->produce(sink->client, &batch->outputs[i], step, err);
    return result;
}

static enum sq_txn_result run(struct txn_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    const struct sq_txn_client_ops *ops = sink->client->ops;
    snprintf(sink->tag, sizeof sink->tag, "%s.%" PRIu64, sink->run, ++sink->attempts);
    enum sq_txn_result result = ops->begin(sink->client, err);
    if (result == SQ_TXN_OK) result = produce_all(sink, batch, err);
    if (result == SQ_TXN_OK) result = ops->send_offsets(sink->client, batch, sink->tag, err);
    if (result != SQ_TXN_OK) return result;
    result = ops->commit(sink->client, err);
    sink->is_in_doubt = result != SQ_TXN_OK; /* until an abort succeeds */
    return result;
}

static int attempt(struct txn_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    enum sq_txn_result result = run(sink, batch, err);
    if (result == SQ_TXN_OK) {
        settle(sink, batch);
        return 0;
    }
    int status = recover(sink, result, err);
    unsettle(batch);
    return sq_err_class(status) == SQ_CLASS_RETRY && sq_batch_count(batch, SQ_E_PRODUCE) ? sift_refused(sink, batch, err) : status;
}

/* The producer that left the doubt is gone, so the offsets are as they will stay. */
static int resolve(struct txn_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    bool is_committed = false;
    if (!sink->is_in_doubt) return 0;
    if (batch->offsets_count) { /* else all its partitions are others' by now, and so are its outputs */
        int status = sink->client->ops->is_committed(sink->client, batch, sink->tag, &is_committed, err);
        if (status) return status;
    }
    sink->is_in_doubt = false;
    if (is_committed) settle(sink, batch);
    return 0;
}

static int sink_commit(struct sq_sink *base, struct sq_batch *batch, struct sq_err *err)
{
    struct txn_sink *sink = txn_sink(base);
    batch->offsets_are_committed = false;
    int status = open_producer(sink, err);
    if (status == 0) status = resolve(sink, batch, err);
    if (status || batch->offsets_are_committed) return status;
    if (!batch->outputs_count && !batch->offsets_count) return 0;
    if (!batch->offsets_count) return sq_err_set(err, SQ_E_STATE, "outputs without the offsets they stand for");
    if (!sq_membership_is_valid(&batch->membership)) return sq_err_set(err, SQ_E_TIMEOUT, "not a member of the group at the moment");
    for (size_t i = 0; i < batch->outputs_count; i++) batch->outputs[i].status = SQ_E_TIMEOUT;
    return attempt(sink, batch, err);
}

static int sink_prepare(struct sq_sink *base, struct sq_err *err) { return open_producer(txn_sink(base), err); }

static void sink_interrupt(struct sq_sink *base)
{
    struct sq_txn_client *client = txn_sink(base)->client;
    client->ops->interrupt(client);
}

static void sink_close(struct sq_sink *base)
{
    struct sq_txn_client *client = txn_sink(base)->client;
    client->ops->close(client);
    free(base);
}

static const struct sq_sink_ops ops = {sink_prepare, sink_commit, sink_interrupt, sink_close};

/* Another worker has another id, and the same one was not there before at this time. */
static void name_run(struct txn_sink *sink)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *at = sink->client->id; *at; at++) hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    snprintf(sink->run, sizeof sink->run, "%016" PRIx64 ".%" PRIx64, hash, (uint64_t)sq_clock_wall_ms());
}

int sq_sink_txn_open(struct sq_sink **out, struct sq_txn_client *client, struct sq_err *err)
{
    *out = NULL;
    struct txn_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        client->ops->close(client);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a sink");
    }
    *sink = (struct txn_sink){.base = {&ops}, .client = client};
    name_run(sink);
    *out = &sink->base;
    return 0;
}
