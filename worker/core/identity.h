/* SPDX-License-Identifier: Apache-2.0 */
/* The names of alerts: pure functions of what the alert is about, never of where or when it was computed. ops/docs/DETECTION.md has test
 * vectors. */
#ifndef SQ_CORE_IDENTITY_H
#define SQ_CORE_IDENTITY_H

#include "worker/core/rule.h"
#include "worker/core/siphash.h"

/* SipHash of the parts app, rule, entity. */
uint64_t sq_identity_fingerprint(struct sq_str app, struct sq_str rule, struct sq_str entity);

/* Of a storm: the parts app, rule, the number of the partition, the part "storm". */
uint64_t sq_identity_storm(struct sq_str app, struct sq_str rule, int32_t scores_partition);

/* SipHash of the numbers fingerprint and first_ms / 60000, first_ms being the bucket end at which S first reached T. Thresholds are not
 * in it, so that the same spike has the same id in a sweep. */
uint64_t sq_identity_alert(uint64_t fingerprint, int64_t first_ms);

/* Of what a track's state is shaped by: with another form it means something else. */
uint64_t sq_identity_form(const struct sq_rule *rule, const struct sq_time_rules *time);

/* Of everything in the rules and time settings that a decision depends on. */
uint64_t sq_identity_rules(const struct sq_rule *rules, unsigned rules_count, const struct sq_time_rules *time);

#endif
