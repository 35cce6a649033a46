/* SPDX-License-Identifier: Apache-2.0 */
/* A scored text as a record of <app>.scores. Thread: the loop's. */
#ifndef SQ_PIPELINE_SCORE_RECORD_H
#define SQ_PIPELINE_SCORE_RECORD_H

#include "worker/io/config.h"
#include "worker/pipeline/slots.h"

struct sq_score_records {
    const struct sq_config *config;
    const struct sq_model_info *model;
    struct sq_str labels[SQ_LABELS_MAX]; /* in id order */
    bool is_watched[SQ_LABELS_MAX];      /* by a rule: texts with it may be quoted */
    struct sq_buf encoded, excerpt;      /* of one record */
};

void sq_score_records_init(struct sq_score_records *records, const struct sq_config *config, const struct sq_model_info *model);
void sq_score_records_deinit(struct sq_score_records *records);

/* Adds the slot's score to the batch, the slot as its cookie. The key is the slot's; the value is the batch's. A POISON code: nothing was
 * added, and the record belongs into the dead letters. */
int sq_score_record_add(struct sq_score_records *records, struct sq_batch *batch, struct sq_slot *slot, struct sq_err *err);

#endif
