/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's record from the state it came out of. */
#ifndef SQ_CORE_REPORT_H
#define SQ_CORE_REPORT_H

#include "engine/base/buf.h"
#include "worker/core/detector.h"
#include "worker/core/entities.h"
#include "worker/core/storm.h"
#include "worker/core/terms.h"

/* What all alerts of a detector have in common. */
struct sq_report_frame {
    struct sq_str app, mode, model_name;
    int32_t scores_partition;
    uint64_t rules_digest;
    const struct sq_silences *silences;
    const struct sq_terms *terms;
    int64_t watermark_ms;
    struct sq_buf words;   /* scratch of the alert being built; owned */
};

/* Fills the alert; its strings belong to the frame, the entity, the rule and the track, and live until these next change. */
int sq_report_alert(struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_alert *alert, struct sq_err *err);

int sq_report_storm(struct sq_report_frame *frame, const struct sq_storm *storm, const struct sq_plan *plan,
                    const struct sq_transition *transition, int64_t at_ms, struct sq_alert *alert, struct sq_err *err);

/* The last word on an alert whose rule is gone. */
int sq_report_orphan(struct sq_report_frame *frame, const struct sq_state_key *key, const struct sq_episode *episode,
                     const struct sq_transition *transition, struct sq_alert *alert, struct sq_err *err);

void sq_report_view(const struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_entity_view *view);

#endif
