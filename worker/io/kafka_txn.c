/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_txn.h"

#include <stdlib.h>

#include "worker/io/kafka_membership.h"
#include "worker/io/kafka_offsets.h"
#include "worker/io/kafka_producer.h"
#include "worker/io/offset_note.h"
#include "worker/io/source_kafka.h"

enum {
    CLUSTER_ID_MS = 2000,
    OPEN_SLICE_MS = 1000,      /* init_transactions may be called again after a time-out, so an interruption need not wait for it */
    OPEN_TIMEOUT_MS = 20000,   /* longer than a transaction may stay open */
    OFFSETS_TIMEOUT_MS = 15000,
};

struct kafka_txn {
    struct sq_txn_client base; /* first */
    struct sq_kafka_producer producer;
    struct sq_kafka_offsets *offsets; /* the source's */
    char group[SQ_CONFIG_NAME_BYTES + 16];
    char id[SQ_CLIENT_ID_BYTES];
    _Atomic bool is_interrupted;
};

static struct kafka_txn *kafka_txn(struct sq_txn_client *client) { return (struct kafka_txn *)client; }

/* ---- what an error means ---- */

static bool is_fence(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
           error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED;
}

/* Trying again won't help these. */
static bool is_hopeless(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT || error == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
           error == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
}

/* Consumes the error. What follows a time-out can only be the same call or the end of the producer, so it is taken for the latter. */
static enum sq_txn_result result_of(struct kafka_txn *txn, rd_kafka_error_t *error, const char *what, struct sq_err *err)
{
    if (!error) return SQ_TXN_OK;
    char why[256];
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(txn->producer.rk, why, sizeof why);
    enum sq_txn_result result = is_hopeless(code) || is_hopeless(fatal)       ? SQ_TXN_FATAL
                                : is_fence(code) || is_fence(fatal)           ? SQ_TXN_FENCED
                                : rd_kafka_error_txn_requires_abort(error)    ? SQ_TXN_ABORT
                                                                              : SQ_TXN_IN_DOUBT;
    sq_err_set(err, result == SQ_TXN_FATAL ? SQ_E_KAFKA_FATAL : SQ_E_TIMEOUT, "%s: %s", what, rd_kafka_error_string(error));
    sq_kafka_error_note(txn->producer.stage, result == SQ_TXN_FATAL ? RD_KAFKA_RESP_ERR__FATAL : RD_KAFKA_RESP_ERR__TIMED_OUT, err->message);
    rd_kafka_error_destroy(error);
    return result;
}

/* ---- opening ---- */

/* librdkafka's mock cluster says yes to every transactional request and keeps none of the promises. */
static int refuse_mock(struct kafka_txn *txn, struct sq_err *err)
{
    char *id = rd_kafka_clusterid(txn->producer.rk, CLUSTER_ID_MS);
    if (!id) return sq_err_set(err, SQ_E_BROKER, "no answer from %s", txn->producer.config->kafka.brokers);
    bool is_mock = strncmp(id, "mockCluster", 11) == 0;
    rd_kafka_mem_free(txn->producer.rk, id);
    if (!is_mock) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "delivery: exactly_once needs a broker with transactions, and %s is librdkafka's mock: set delivery: "
                      "at_least_once", txn->producer.config->kafka.brokers);
}

static int init_transactions(struct kafka_txn *txn, struct sq_err *err)
{
    rd_kafka_error_t *error = NULL;
    for (int waited_ms = 0; waited_ms < OPEN_TIMEOUT_MS && !txn->is_interrupted; waited_ms += OPEN_SLICE_MS) {
        error = rd_kafka_init_transactions(txn->producer.rk, OPEN_SLICE_MS);
        if (!error) return 0;
        rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        if (code != RD_KAFKA_RESP_ERR__TIMED_OUT) break;
        if (waited_ms + OPEN_SLICE_MS < OPEN_TIMEOUT_MS) rd_kafka_error_destroy(error);
    }
    if (txn->is_interrupted) return sq_err_set(err, SQ_E_CLOSED, "interrupted");
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    int status = is_hopeless(code) ? SQ_E_CONFIG : SQ_E_BROKER;
    const char *advice = status == SQ_E_CONFIG ? "; grant the right to the transactional id, or set delivery: at_least_once" : "";
    sq_err_set(err, status, "can't start transactions: %s%s", rd_kafka_error_string(error), advice);
    rd_kafka_error_destroy(error);
    return status;
}

static int txn_open(struct sq_txn_client *client, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    sq_kafka_producer_close(&txn->producer);
    int status = sq_kafka_producer_open(&txn->producer, err);
    if (status == 0) status = refuse_mock(txn, err);
    if (status == 0) status = init_transactions(txn, err);
    if (status == 0) status = sq_kafka_producer_prepare(&txn->producer, err);
    return status;
}

/* ---- a transaction ---- */

static enum sq_txn_result txn_begin(struct sq_txn_client *client, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    return result_of(txn, rd_kafka_begin_transaction(txn->producer.rk), "begin", err);
}

static enum sq_txn_result txn_produce(struct sq_txn_client *client, struct sq_output *outputs, size_t outputs_count, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    char why[256];
    size_t failed = 0;
    for (size_t i = 0; i < outputs_count; i++) sq_kafka_producer_send(&txn->producer, &outputs[i]);
    sq_kafka_producer_wait(&txn->producer);
    for (size_t i = 0; i < outputs_count; i++) failed += outputs[i].status != 0;
    if (!failed) return SQ_TXN_OK;
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(txn->producer.rk, why, sizeof why);
    if (txn->is_interrupted) sq_err_set(err, SQ_E_CLOSED, "interrupted");
    else sq_err_set(err, SQ_E_TIMEOUT, "%zu of %zu outputs are not acknowledged%s%s", failed, outputs_count, fatal ? ": " : "", fatal ? why : "");
    return is_fence(fatal) ? SQ_TXN_FENCED : fatal ? SQ_TXN_IN_DOUBT : SQ_TXN_ABORT;
}

static enum sq_txn_result txn_send_offsets(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    rd_kafka_topic_partition_list_t *offsets = sq_kafka_conf_offsets(batch, tag);
    rd_kafka_consumer_group_metadata_t *metadata = sq_kafka_membership_metadata(txn->group, &batch->membership);
    rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(txn->producer.rk, offsets, metadata, OFFSETS_TIMEOUT_MS);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(offsets);
    return result_of(txn, error, "offsets", err);
}

/* -1, until transaction.timeout.ms: librdkafka's manual warns of anything shorter. */
static enum sq_txn_result txn_commit(struct sq_txn_client *client, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    return result_of(txn, rd_kafka_commit_transaction(txn->producer.rk, -1), "commit", err);
}

static enum sq_txn_result txn_abort(struct sq_txn_client *client, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    return result_of(txn, rd_kafka_abort_transaction(txn->producer.rk, -1), "abort", err);
}

static int txn_is_committed(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, bool *is_committed, struct sq_err *err)
{
    struct kafka_txn *txn = kafka_txn(client);
    rd_kafka_topic_partition_list_t *parts = sq_kafka_conf_offsets(batch, ""), *found = NULL;
    int status = sq_kafka_offsets_stable(txn->offsets, txn->group, parts, &txn->is_interrupted, &found, err);
    *is_committed = false;
    for (int i = 0; status == 0 && i < found->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &found->elems[i];
        *is_committed |= sq_offset_note_has_tag((struct sq_str){part->metadata, part->metadata_size}, tag);
    }
    if (found) rd_kafka_topic_partition_list_destroy(found);
    rd_kafka_topic_partition_list_destroy(parts);
    return status;
}

static void txn_interrupt(struct sq_txn_client *client) { kafka_txn(client)->is_interrupted = true; }

static void txn_close(struct sq_txn_client *client)
{
    sq_kafka_producer_close(&kafka_txn(client)->producer);
    free(client);
}

static const struct sq_txn_client_ops ops = {txn_open,  txn_begin,        txn_produce,   txn_send_offsets, txn_commit,
                                             txn_abort, txn_is_committed, txn_interrupt, txn_close};

int sq_kafka_txn_open(struct sq_txn_client **out, const struct sq_config *config, enum sq_stage_name stage, struct sq_source *source,
                      struct sq_err *err)
{
    *out = NULL;
    struct kafka_txn *txn = calloc(1, sizeof *txn);
    if (!txn) return sq_err_set(err, SQ_E_NOMEM, "no memory for a transactional producer");
    *txn = (struct kafka_txn){.base = {.ops = &ops}, .offsets = sq_source_kafka_offsets_of(source)};
    txn->producer = (struct sq_kafka_producer){.stage = stage, .config = config, .is_interrupted = &txn->is_interrupted};
    txn->base.id = txn->id;
    sq_kafka_client_id(txn->id, config, stage);
    sq_kafka_group_name(txn->group, sizeof txn->group, config, stage);
    /* A setting that librdkafka refuses shows now and not at the first commit; nothing connects until it is asked for something. */
    int status = sq_kafka_producer_open(&txn->producer, err);
    if (status) txn_close(&txn->base);
    else *out = &txn->base;
    return status;
}
