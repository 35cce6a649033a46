/* SPDX-License-Identifier: Apache-2.0 */
/* A transition as a record of <app>.alerts: key, value and headers (CloudEvents, binary mode). */
#ifndef SQ_PIPELINE_ALERT_RECORD_H
#define SQ_PIPELINE_ALERT_RECORD_H

#include "worker/io/config.h"
#include "worker/io/sink.h"

/* Fills topic, partition, key, value and headers; all is copied into the batch. */
int sq_alert_record_fill(struct sq_batch *batch, struct sq_output *output, const struct sq_alert *alert, struct sq_str value,
                         enum sq_alert_format format, struct sq_err *err);

#endif
