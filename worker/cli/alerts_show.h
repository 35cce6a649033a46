/* SPDX-License-Identifier: Apache-2.0 */
/* One alert out of <app>.alerts: why it fired, and what became of it. */
#ifndef SQ_CLI_ALERTS_SHOW_H
#define SQ_CLI_ALERTS_SHOW_H

#include "worker/io/config.h"
#include "worker/io/kafka_place.h"

/* Writes the alert's latest transition in full and then a line for each of them to stdout; json: their records as they are, a line each. Blocks.
 * SQ_E_FAILED: there is no such alert from `since` on; SQ_E_BROKER, SQ_E_IO, SQ_E_CONFIG: alerts are not written as JSON. */
int sq_alerts_show(const struct sq_config *config, const char *id, struct sq_kafka_place since, bool json, struct sq_err *err);

#endif
