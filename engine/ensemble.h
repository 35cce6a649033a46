/* SPDX-License-Identifier: Apache-2.0 */
/* Several models that answer as one: each text runs through all, each with its own tokenizer and precision, and their probabilities are
 * averaged, label by label as the labels are called. So the models must have the same labels, in any order, and be of one kind. */
#ifndef SQ_ENSEMBLE_H
#define SQ_ENSEMBLE_H

#include "engine/session.h"

struct sq_ensemble {
    unsigned count;
    struct sq_engine *members[SQ_MEMBERS_MAX]; /* owned */
    unsigned char label_ids[SQ_MEMBERS_MAX][SQ_LABELS_MAX]; /* the member's id of each label of the first */
};

/* Opens options->model_path and further_paths as the engine's ensemble. SQ_E_CONFIG: they do not go together; the message names two
 * folders and what differs. */
int sq_ensemble_open(struct sq_engine *engine, const struct sq_engine_options *options, struct sq_err *err);
void sq_ensemble_close(struct sq_ensemble *ensemble); /* NULL is fine */

unsigned sq_ensemble_tokens_bound(const struct sq_ensemble *ensemble, size_t text_bytes);

/* *average from each member's answer to one text: [count]. The sum runs in the order of the members, so it has the same bits whichever
 * was finished first. A text that one of them can't score has that member's code. */
void sq_ensemble_average(const struct sq_ensemble *ensemble, const struct sq_prediction *members, struct sq_prediction *average);

/* What a session of an ensemble is made of: one of each model. */
struct sq_ensemble_session;
int sq_ensemble_session_open(struct sq_ensemble_session **session, const struct sq_engine *engine, struct sq_err *err);
void sq_ensemble_session_close(struct sq_ensemble_session *session); /* NULL is fine */
void sq_ensemble_session_score(struct sq_ensemble_session *session, const struct sq_str *texts, size_t texts_count,
                               struct sq_prediction *predictions);
/* The first model's ids. */
int sq_ensemble_session_tokenise(struct sq_ensemble_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, struct sq_err *err);

#endif
