/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns which partition, as a stage's group has it: for commands that have to tell people whom to ask. Joins nothing. */
#ifndef SQ_IO_KAFKA_OWNERS_H
#define SQ_IO_KAFKA_OWNERS_H

#include "worker/io/config.h"
#include "worker/io/sink.h"

/* A live member; borrowed for the call. */
struct sq_kafka_owner {
    const char *instance; /* the worker's, or a stranger's whole client id */
    const char *host;     /* as the broker sees it */
    const int32_t *partitions;
    unsigned partitions_count; /* 0: none, or the group is settling */
};
typedef void (*sq_kafka_owner_fn)(const struct sq_kafka_owner *owner, void *ctx);

/* Blocks up to timeout_ms. SQ_E_BROKER: no answer, or no such group. */
int sq_kafka_owners(const struct sq_config *config, enum sq_stage_name stage, int timeout_ms, sq_kafka_owner_fn each, void *ctx, struct sq_err *err);

#endif
