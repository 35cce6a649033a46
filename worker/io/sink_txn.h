/* SPDX-License-Identifier: Apache-2.0 */
/* A stage's sink for exactly_once: each batch is one transaction, outputs and offsets together or not at all. */
#ifndef SQ_IO_SINK_TXN_H
#define SQ_IO_SINK_TXN_H

#include "worker/io/txn_client.h"

enum {
    SQ_TXN_FENCES_MAX = 5,             /* so many of them within SQ_TXN_FENCES_MS: stop, loudly */
    SQ_TXN_FENCES_MS = 5 * 60 * 1000,
};

/* Takes the client, in any case. */
int sq_sink_txn_open(struct sq_sink **sink, struct sq_txn_client *client, struct sq_err *err);

#endif
