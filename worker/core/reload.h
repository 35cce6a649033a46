/* SPDX-License-Identifier: Apache-2.0 */
/* Other rules for a partition, without losing what is known of its entities: what a restart with the new rules would give, without one.
 *
 * A rule whose name and form (label, windows, ...) stay goes on where it stood, with its open alerts, whatever else of it changed; a new one
 * starts cold; the open alerts of one that is gone are resolved with rule_removed. */
#ifndef SQ_CORE_RELOAD_H
#define SQ_CORE_RELOAD_H

#include "worker/core/detector.h"

/* A detector with the options, in the state of `old`, which stays as it is. Nothing is emitted yet: so several partitions change together or
 * not at all. SQ_E_CONFIG, SQ_E_NOMEM. */
int sq_detector_reload(struct sq_detector *old, const struct sq_detector_options *options, struct sq_detector **detector, struct sq_err *err);

/* The new one takes over: emits what ends with the rules that are gone. After a failure it can only be closed. */
int sq_detector_take_over(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err);

#endif
