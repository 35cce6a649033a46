/* SPDX-License-Identifier: Apache-2.0 */
/* Looks once a second at what no error tells: a forward pass that hangs, a partition that stands still though records wait. Thread: the
 * loop's. */
#ifndef SQ_PIPELINE_WATCHDOG_H
#define SQ_PIPELINE_WATCHDOG_H

#include <stdint.h>

struct sq_pipeline;

enum { SQ_STALLED_MS = 60000 }; /* without moving, with records behind it: the partition counts as stalled */

/* Exports, logs, and aborts the process when a pass has run for SQ_WATCHDOG_MS. */
void sq_watchdog_second(struct sq_pipeline *pipeline);

#endif
