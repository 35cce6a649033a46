/* SPDX-License-Identifier: Apache-2.0 */
/* A record that was given up, as it goes to <app>.dlq: its own value, timestamp and headers, and beside them where it stood and why. */
#ifndef SQ_PIPELINE_DEAD_LETTER_H
#define SQ_PIPELINE_DEAD_LETTER_H

#include "worker/io/config.h"
#include "worker/io/sink.h"

/* Where a record came from, and all of it that a dead letter needs. Whoever fills it says how long it lives. */
struct sq_origin {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    struct sq_str key, value;
    const struct sq_header *headers;
    unsigned headers_count;
};

struct sq_dead_letters {
    const char *header_prefix;  /* "__squall.errors." */
    const char *instance;
    char config_hash[17];       /* of the configuration in force, hex */
};

void sq_dead_letters_init(struct sq_dead_letters *letters, const struct sq_config *config);

/* Makes `output` the dead letter of `origin`; what is new is copied into the batch, what is the origin's is borrowed. message must hold no
 * text of the record. now_ms is the wall clock. */
int sq_dead_letter_fill(const struct sq_dead_letters *letters, struct sq_batch *batch, struct sq_output *output,
                        const struct sq_origin *origin, enum sq_stage_name stage, int code, const char *message, int64_t now_ms,
                        struct sq_err *err);

/* The index of a POISON code among SQ_REASONS. */
unsigned sq_dead_letter_reason(int code);

#endif
