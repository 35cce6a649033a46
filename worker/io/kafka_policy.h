/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the topic of states keeps them: one that is deleted by age forgets what it may not. Blocks. */
#ifndef SQ_IO_KAFKA_POLICY_H
#define SQ_IO_KAFKA_POLICY_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "engine/base/err.h"

/* 0: cleanup.policy is compact, or we may not ask, which is logged. SQ_E_CONFIG: it is another, with what to do. A RETRY class: again later. */
int sq_kafka_policy_check(rd_kafka_t *rk, const char *topic, const _Atomic bool *is_interrupted, struct sq_err *err);

/* The pure part: what the policy means for states. 0 or SQ_E_CONFIG. */
int sq_kafka_policy_judge(const char *topic, const char *policy, struct sq_err *err);

#endif
