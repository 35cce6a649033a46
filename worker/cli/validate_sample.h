/* SPDX-License-Identifier: Apache-2.0 */
/* The newest input records as the worker would read them, for `squall validate`. */
#ifndef SQ_CLI_VALIDATE_SAMPLE_H
#define SQ_CLI_VALIDATE_SAMPLE_H

#include "proto/codec.h"
#include "worker/io/kafka_probe.h"

struct sq_sample {
    unsigned taken, bad;
    unsigned with_entity, with_entity_field, with_ts, with_author; /* of those that decode; with_entity: by a field or a key */
    char first[SQ_ERR_MESSAGE_BYTES + 640];     /* the first bad record, why, and what it has instead */
};

/* Blocks up to 10 s. 0, also when there are no records; SQ_E_BROKER, SQ_E_NOMEM. */
int sq_sample_take(struct sq_sample *sample, const struct sq_event_format *format, struct sq_kafka_probe *probe, struct sq_err *err);

/* One record into the sample. */
void sq_sample_add(struct sq_sample *sample, const struct sq_event_format *format, const struct sq_kafka_probe_record *record, struct sq_arena *arena);

#endif
