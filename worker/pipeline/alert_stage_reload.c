/* SPDX-License-Identifier: Apache-2.0 */
/* Other rules for partitions that are owned: all of them or none. */
#include "worker/core/reload.h"
#include "worker/pipeline/alert_stage_parts.h"

static void drop_next(struct sq_alert_stage *stage)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        sq_detector_close(sq_alert_part_of(owned)->next);
        sq_alert_part_of(owned)->next = NULL;
    }
}

static int prepare_next(struct sq_alert_stage *stage, const struct sq_config *config, struct sq_err *err)
{
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) {
        struct sq_alert_part *part = sq_alert_part_of(owned);
        if (part->is_restoring) return sq_err_set(err, SQ_E_FULL, "partitions are being restored: try again when the worker is ready");
        const struct sq_detector_options options = sq_alert_detector_options(stage, config, owned->partition);
        int status = sq_detector_reload(part->detector, &options, &part->next, err);
        if (status) return status;
    }
    return 0;
}

static void take_over(struct sq_alert_stage *stage, struct sq_alert_part *part)
{
    struct sq_alert_emission emission = sq_alert_emission_of(part);
    struct sq_err err = {0};
    sq_alert_part_export(part);
    sq_detector_close(part->detector);
    part->detector = part->next;
    part->next = NULL;
    int status = sq_detector_take_over(part->detector, sq_alert_emit, &emission, &err);
    part->seen = *sq_detector_counts(part->detector);
    sq_alert_emitted(stage, status, &err);
}

int sq_alert_stage_reload(struct sq_alert_stage *stage, const struct sq_config *config, struct sq_err *err)
{
    int status = prepare_next(stage, config, err);
    if (status) {
        drop_next(stage);
        return status;
    }
    sq_alert_kept_drop(stage); /* of the old rules: rebuilt when their partitions come back */
    stage->rules = config;
    for (struct sq_owned *owned = stage->base.owned.head; owned; owned = owned->next) take_over(stage, sq_alert_part_of(owned));
    sq_outbox_touch(stage->base.outbox);
    return 0;
}
