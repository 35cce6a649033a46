/* SPDX-License-Identifier: Apache-2.0 */
/* Writes records with the worker's own settings and says whether all of them are safe: for commands that send something once. Blocks. */
#ifndef SQ_IO_KAFKA_SENDER_H
#define SQ_IO_KAFKA_SENDER_H

#include "worker/io/config.h"
#include "worker/io/source.h"

struct sq_sender;

struct sq_sender_record {
    const char *topic;
    int32_t partition; /* -1: by the key */
    int64_t timestamp_ms; /* 0: now */
    struct sq_str key, value; /* data NULL: null */
    const struct sq_header *headers;
    unsigned headers_count;
};

int sq_sender_open(struct sq_sender **sender, const struct sq_config *config, struct sq_err *err);
void sq_sender_close(struct sq_sender *sender); /* NULL is fine */

/* Copies; waits while the client's queue is full. SQ_E_PRODUCE: this record can't be sent. */
int sq_sender_send(struct sq_sender *sender, const struct sq_sender_record *record, struct sq_err *err);

/* Waits until every record is acknowledged or given up. SQ_E_PRODUCE: some were, with the last reason. */
int sq_sender_finish(struct sq_sender *sender, struct sq_err *err);

#endif
