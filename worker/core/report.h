/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's record from the state it came out of. */
#ifndef SQ_CORE_REPORT_H
#define SQ_CORE_REPORT_H

#include "engine/base/buf.h"
#include "worker/core/detector.h"
#include "worker/core/entities.h"

/* What all alerts of a detector have in common. */
struct sq_report_frame {
    struct sq_str app, mode, model_name;
    int32_t scores_partition;
    uint64_t rules_digest;
    const struct sq_silences *silences;
    struct sq_buf summary; /* scratch of the alert being built; owned */
};

/* Fills the alert; its strings belong to the frame, the entity, the rule and the track, and live until these next change. */
int sq_report_alert(struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, int64_t watermark_ms, struct sq_alert *alert,
                    struct sq_err *err);

void sq_report_view(const struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_entity_view *view);

#endif
