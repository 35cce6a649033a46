/* SPDX-License-Identifier: Apache-2.0 */
/* A transactional producer on the simulated broker. Each request awaits twice: on its way there and on its way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/murmur2.h"
#include "tests/sim/pipeline/sim.h"
#include "worker/io/sink_txn.h"

enum { TIMEOUT_MS = 9000 }; /* longer than the broker lets a transaction live */

struct client {
    struct sq_txn_client base; /* first */
    struct sim_worker *worker;
    enum sq_stage_name stage;
    int producer, epoch, txn; /* txn -1: none begun */
    bool is_interrupted;
    char id[16];
};

/* An EndTxn that arrives long after its producer gave up waiting. */
struct late_end {
    int txn;
};

static struct client *client_of(struct sq_txn_client *base) { return (struct client *)base; }

static bool trip(struct client *client) { return !client->is_interrupted && sim_await(client->worker, sim_between_ms(0.5, 8)); }

static enum sq_txn_result fail(enum sq_txn_result result, const char *what, struct sq_err *err)
{
    sq_err_set(err, SQ_E_TIMEOUT, "%s", what);
    return result;
}

static int client_open(struct sq_txn_client *base, struct sq_err *err)
{
    struct client *client = client_of(base);
    if (!trip(client)) return sq_err_set(err, SQ_E_CLOSED, "down");
    client->epoch = sim_init_producer(&sim->broker, client->producer);
    client->txn = -1;
    return trip(client) ? 0 : sq_err_set(err, SQ_E_CLOSED, "down");
}

static enum sq_txn_result client_begin(struct sq_txn_client *base, struct sq_err *err)
{
    struct client *client = client_of(base);
    client->txn = sim_begin(&sim->broker, client->producer, client->epoch); /* (as of the first request in it) */
    return client->txn >= 0 ? SQ_TXN_OK : fail(SQ_TXN_FENCED, "fenced", err);
}

static void append(struct client *client, int txn, const struct sq_output *output)
{
    int32_t partition = output->partition >= 0 ? output->partition : sq_partition_of(output->key, sim_partitions((int)output->topic));
    struct sim_record *record = sim_append(&sim->broker, (int)output->topic, partition, txn, output->key, output->value);
    (void)client;
    if (output->topic != SQ_TOPIC_DLQ) return;
    const char *slash = memchr(output->key.data, '/', output->key.bytes); /* topic/partition/offset */
    if (slash) record->source_partition = (int32_t)strtol(slash + 1, (char **)(uintptr_t)&slash, 10);
    if (slash) record->source_offset = strtoll(slash + 1, NULL, 10);
    for (unsigned i = 0; i < output->headers_count; i++)
        if (sq_str_equal(output->headers[i].name, SQ_STR("__squall.errors.reason")))
            snprintf(record->reason, sizeof record->reason, "%.*s", (int)output->headers[i].value.bytes, output->headers[i].value.data);
}

static enum sq_txn_result client_produce(struct sq_txn_client *base, struct sq_output *outputs, size_t outputs_count, struct sq_err *err)
{
    struct client *client = client_of(base);
    size_t half = outputs_count / 2;
    bool is_late = sim->mutation == SIM_COMMIT_BEFORE_PRODUCE;
    for (size_t i = 0; i < outputs_count; i++) {
        if ((i == 0 || i == half) && !trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
        if (!sim_is_current(&sim->broker, client->txn)) return fail(SQ_TXN_FENCED, "fenced", err);
        if (!is_late) append(client, client->txn, &outputs[i]);
        outputs[i].status = 0;
    }
    if (!trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    return sim_chance(sim->faults.refuse) ? fail(SQ_TXN_ABORT, "not acknowledged", err) : SQ_TXN_OK;
}

static void add_offsets(struct client *client, const struct sq_batch *batch, const char *tag)
{
    struct sim_txn *txn = &sim->broker.txns[client->txn];
    for (size_t i = 0; i < batch->offsets_count && txn->offsets_count < SIM_PARTITIONS_MAX; i++) {
        struct sim_offset *offset = &txn->offsets[txn->offsets_count++];
        *offset = (struct sim_offset){.group = (int)client->stage, .partition = batch->offsets[i].partition, .offset = batch->offsets[i].next_offset, .begun = sim->mutation == SIM_FORGET_BEGUN ? 0 : batch->offsets[i].begun};
        snprintf(offset->tag, sizeof offset->tag, "%s", tag);
    }
}

/* The mutation: offsets count at once, and the outputs follow when they can. */
static enum sq_txn_result commit_first(struct client *client, const struct sq_batch *batch, struct sq_err *err)
{
    for (size_t i = 0; i < batch->offsets_count; i++)
        sim->broker.groups[client->stage].committed[batch->offsets[i].partition].offset = batch->offsets[i].next_offset;
    if (!trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    for (size_t i = 0; i < batch->outputs_count; i++) append(client, client->txn, &batch->outputs[i]);
    return SQ_TXN_OK;
}

static enum sq_txn_result client_send_offsets(struct sq_txn_client *base, const struct sq_batch *batch, const char *tag, struct sq_err *err)
{
    struct client *client = client_of(base);
    struct sq_membership membership = batch->membership;
    if (sim->mutation == SIM_NO_GENERATION) membership = (struct sq_membership){.generation = -1};
    if (!trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    if (!sim_is_current(&sim->broker, client->txn)) return fail(SQ_TXN_FENCED, "fenced", err);
    if (!sim_is_member(&sim->broker, (int)client->stage, &membership)) return fail(SQ_TXN_ABORT, "the group moved on", err);
    if (sim_chance(sim->faults.refuse)) return fail(SQ_TXN_ABORT, "refused", err);
    if (sim->mutation == SIM_COMMIT_BEFORE_PRODUCE) return commit_first(client, batch, err);
    add_offsets(client, batch, tag);
    return trip(client) ? SQ_TXN_OK : fail(SQ_TXN_IN_DOUBT, "down", err);
}

static void on_late_end(void *ctx)
{
    struct late_end *late = ctx;
    sim_end(&sim->broker, late->txn, SIM_TXN_COMMITTED);
    free(late);
}

/* The answer never comes: the request got lost, or only the answer did, or it is still on its way and overtaken by what follows. */
static enum sq_txn_result doubt(struct client *client, struct sq_err *err)
{
    sim->doubts++;
    switch (test_random_below(&sim->random, 3)) {
    case 0: break;
    case 1: sim_end(&sim->broker, client->txn, SIM_TXN_COMMITTED); break;
    default: {
        struct late_end *late = malloc(sizeof *late);
        if (!late) abort();
        late->txn = client->txn;
        sim_after(sim_between_ms(1, 2 * TIMEOUT_MS), NULL, on_late_end, late);
    }
    }
    sim_await(client->worker, TIMEOUT_MS / 2 * SIM_MS);
    return fail(SQ_TXN_IN_DOUBT, "no answer to the commit", err);
}

static enum sq_txn_result client_commit(struct sq_txn_client *base, struct sq_err *err)
{
    struct client *client = client_of(base);
    if (sim_chance(sim->faults.expire) && !sim_await(client->worker, TIMEOUT_MS * SIM_MS)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    if (!trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    if (!sim_is_current(&sim->broker, client->txn)) return fail(SQ_TXN_FENCED, "fenced", err);
    if (sim_chance(sim->faults.doubt)) return doubt(client, err);
    sim_end(&sim->broker, client->txn, SIM_TXN_COMMITTED);
    return trip(client) ? SQ_TXN_OK : fail(SQ_TXN_IN_DOUBT, "down", err);
}

static enum sq_txn_result client_abort(struct sq_txn_client *base, struct sq_err *err)
{
    struct client *client = client_of(base);
    if (!trip(client)) return fail(SQ_TXN_IN_DOUBT, "down", err);
    if (!sim_is_current(&sim->broker, client->txn)) return fail(SQ_TXN_FENCED, "fenced", err);
    sim_end(&sim->broker, client->txn, SIM_TXN_ABORTED);
    return trip(client) ? SQ_TXN_OK : fail(SQ_TXN_IN_DOUBT, "down", err);
}

static int client_is_committed(struct sq_txn_client *base, const struct sq_batch *batch, const char *tag, bool *is_committed, struct sq_err *err)
{
    struct client *client = client_of(base);
    *is_committed = false;
    if (!trip(client)) return sq_err_set(err, SQ_E_CLOSED, "down");
    for (size_t i = 0; i < batch->offsets_count; i++) {
        int32_t partition = batch->offsets[i].partition;
        if (sim_has_pending_offset(&sim->broker, (int)client->stage, partition)) return sq_err_set(err, SQ_E_TIMEOUT, "unstable");
        *is_committed |= strcmp(sim->broker.groups[client->stage].committed[partition].tag, tag) == 0;
    }
    if (sim->mutation == SIM_DOUBT_IS_SUCCESS) *is_committed = true;
    if (sim->mutation == SIM_DOUBT_IS_FAILURE) *is_committed = false;
    return trip(client) ? 0 : sq_err_set(err, SQ_E_CLOSED, "down");
}

static void client_interrupt(struct sq_txn_client *base) { client_of(base)->is_interrupted = true; }
static void client_close(struct sq_txn_client *base) { free(base); }

struct sq_sink *sim_sink_open(struct sim_worker *worker, enum sq_stage_name stage)
{
    static const struct sq_txn_client_ops ops = {client_open,  client_begin,        client_produce,   client_send_offsets, client_commit,
                                                 client_abort, client_is_committed, client_interrupt, client_close};
    struct client *client = calloc(1, sizeof *client);
    struct sq_sink *sink;
    struct sq_err err;
    if (!client) abort();
    *client = (struct client){.base = {.ops = &ops}, .worker = worker, .stage = stage, .producer = worker->index * SIM_GROUPS + (int)stage, .txn = -1};
    snprintf(client->id, sizeof client->id, "t-%d", client->producer);
    client->base.id = client->id;
    if (sq_sink_txn_open(&sink, &client->base, &err)) abort();
    return sink;
}
