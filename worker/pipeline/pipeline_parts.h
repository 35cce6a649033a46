/* SPDX-License-Identifier: Apache-2.0 */
/* What pipeline.c and status.c share. */
#ifndef SQ_PIPELINE_PARTS_H
#define SQ_PIPELINE_PARTS_H

#include "worker/core/load.h"
#include "worker/pipeline/alert_stage.h"
#include "worker/pipeline/pipeline.h"
#include "worker/pipeline/predict.h"
#include "worker/pipeline/score_stage.h"
#include "worker/pipeline/shadow.h"

struct sq_pipeline {
    struct sq_pipeline_options options;
    struct sq_stage_host host;
    struct sq_score_stage *score; /* NULL: off */
    struct sq_alert_stage *alert; /* NULL: off */
    struct sq_predict *predict;   /* NULL: no score stage, whose pool it shares */
    struct sq_predict *embed;     /* NULL: off */
    struct sq_load load;          /* of the score stage */
    struct sq_timer *tick_timer, *second_timer;
    uint64_t tick_ns;             /* of the last tick, for the loop's delay */
    int64_t started_at_ms;
    bool is_ready, is_stopping;
    uint64_t stop_deadline_ns;
    int exit_code;
};

#endif
