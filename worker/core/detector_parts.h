/* SPDX-License-Identifier: Apache-2.0 */
/* What a detector is made of: for detector.c, which decides, and state_codec.c, which saves and restores it. */
#ifndef SQ_CORE_DETECTOR_PARTS_H
#define SQ_CORE_DETECTOR_PARTS_H

#include "worker/core/detector.h"
#include "worker/core/entities.h"
#include "worker/core/report.h"
#include "worker/core/storm.h"
#include "worker/core/terms.h"
#include "worker/core/topics.h"
#include "worker/core/watermark.h"

/* A saved state whose rule is gone, until the restore ends. */
struct sq_orphan {
    struct sq_orphan *next;
    struct sq_episode episode;
    struct sq_state_key *key; /* owned */
    bool is_deleted;          /* the store says so: nothing is left of it */
};

struct sq_detector {
    struct sq_detector_options options;
    struct sq_plan plans[SQ_RULES_MAX];
    struct sq_fleet fleets[SQ_RULES_MAX];
    struct sq_storm storms[SQ_RULES_MAX];
    struct sq_watermark watermark;
    struct sq_entities entities;
    struct sq_topics topics;
    struct sq_silences silences;
    struct sq_terms terms;
    struct sq_report_frame frame;
    struct sq_detector_counts counts;
    struct sq_orphan *orphans;  /* owned */
    int64_t closed_ms; /* end of the latest closed bucket; INT64_MIN before the first record */
};

void sq_orphans_close(struct sq_orphan *orphans);

/* Counts it and hands it to whoever takes the transitions. */
int sq_detector_pass_on(struct sq_detector *detector, const struct sq_alert *alert, sq_detector_emit_fn emit, void *ctx);

#endif
