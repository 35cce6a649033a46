/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/storm.h"

void sq_storm_begin_bucket(struct sq_storm *storm) { storm->judged = storm->up = 0; }

void sq_storm_add(struct sq_storm *storm, const struct sq_judgement *shortest)
{
    storm->judged += shortest->is_judged;
    storm->up += shortest->is_up;
}

bool sq_storm_step(struct sq_storm *storm, const struct sq_rule *rule, int64_t at_ms, int64_t step_ms, struct sq_transition *transition)
{
    uint32_t of = storm->judged > SQ_STORM_ENTITIES_MIN ? storm->judged : SQ_STORM_ENTITIES_MIN;
    storm->strength = (double)storm->up / of;
    if (storm->judged > 0) storm->judged_ms = at_ms;
    if (rule->storm_share <= 0) return false;
    const struct sq_reading reading = {
        .at_ms = at_ms,
        .step_ms = step_ms,
        .strength = storm->strength,
        .threshold = rule->storm_share,
        .severity = SQ_SEVERITY_CRITICAL,
        .has_messages = storm->judged > 0,
        .last_message_ms = storm->judged_ms,
    };
    return sq_episode_step(&storm->episode, rule, &reading, transition);
}

bool sq_storm_is_idle(const struct sq_storm *storm) { return storm->episode.phase == SQ_PHASE_NORMAL; }
bool sq_storm_is_on(const struct sq_storm *storm) { return storm->episode.phase == SQ_PHASE_OPEN; }
