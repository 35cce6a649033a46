/* SPDX-License-Identifier: Apache-2.0 */
/* A transactional producer, as sink_txn.c drives it: each call is one step of the protocol, and says what may follow.
 * worker/io/kafka_txn.h is the real one; the simulation of tests/sim has another.
 *
 * Thread: the committer's, but for interrupt. Calls block. */
#ifndef SQ_IO_TXN_CLIENT_H
#define SQ_IO_TXN_CLIENT_H

#include "worker/io/sink.h"

enum sq_txn_result {
    SQ_TXN_OK,
    SQ_TXN_ABORT,    /* the transaction can't be committed any more: abort it, then begin another */
    SQ_TXN_IN_DOUBT, /* the producer is of no more use: open another. Whether a commit took effect only the broker knows */
    SQ_TXN_FENCED,   /* the same; another producer has opened with our id, or the broker has ended a transaction that took too long */
    SQ_TXN_FATAL,    /* no producer will do: a right is missing, say */
};

enum { SQ_TXN_TAG_BYTES = 64 };

struct sq_txn_client;
struct sq_txn_client_ops {
    /* A fresh producer with the stage's stable id, in place of the one before, ready to begin: what that id left open is completed or
     * aborted by then. 0; a RETRY class: call again; else give up. */
    int (*open)(struct sq_txn_client *client, struct sq_err *err);
    enum sq_txn_result (*begin)(struct sq_txn_client *client, struct sq_err *err);
    /* Sends outputs and waits for every answer; each gets its status as sq_kafka_producer_send says. ABORT when one isn't 0. */
    enum sq_txn_result (*produce)(struct sq_txn_client *client, struct sq_output *outputs, size_t outputs_count, struct sq_err *err);
    /* The batch's offsets, for its membership, each with `tag` as its metadata. */
    enum sq_txn_result (*send_offsets)(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, struct sq_err *err);
    enum sq_txn_result (*commit)(struct sq_txn_client *client, struct sq_err *err);
    enum sq_txn_result (*abort)(struct sq_txn_client *client, struct sq_err *err);
    /* Whether the group's stable offset of one of the batch's partitions carries this tag. 0; a RETRY class: call again. */
    int (*is_committed)(struct sq_txn_client *client, const struct sq_batch *batch, const char *tag, bool *is_committed, struct sq_err *err);
    void (*interrupt)(struct sq_txn_client *client); /* any thread, once: calls that block return soon */
    void (*close)(struct sq_txn_client *client);
};
struct sq_txn_client {
    const struct sq_txn_client_ops *ops;
    const char *id; /* the stage's stable id: no other live producer has it */
};

#endif
