/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /predict and /embed, and their answers: the forms of Hugging Face's text-embeddings-inference. Pure. */
#ifndef SQ_PIPELINE_PREDICT_JSON_H
#define SQ_PIPELINE_PREDICT_JSON_H

#include "engine/base/json.h"
#include "engine/engine.h"

struct sq_predict_query {
    json_t *object; /* owned; the texts lie in it */
    size_t texts_count;
    bool is_single; /* "inputs" is one text, not a list */
    bool raw_scores, truncate, normalize;
};

/* Why a request is not answered with numbers. */
struct sq_predict_refusal {
    unsigned status; /* 0: it is */
    const char *type; /* "Empty", "Validation", "Tokenizer", "Backend", "Overloaded", "Unhealthy" */
    char message[256];
};

/* {"inputs": "text" | ["a","b"] | [["a"],["b"]], "raw_scores": false, "truncate": true, "normalize": true}, of texts_max texts at most.
 * False: refused, and the query holds nothing. */
bool sq_predict_parse(struct sq_predict_query *query, struct sq_str body, size_t texts_max, struct sq_predict_refusal *refusal);
void sq_predict_query_deinit(struct sq_predict_query *query);
struct sq_str sq_predict_text(const struct sq_predict_query *query, size_t index);

/* Whether a text's answer is one; else why not. */
bool sq_predict_check(const struct sq_predict_query *query, const struct sq_model_info *info, const struct sq_prediction *prediction,
                      struct sq_predict_refusal *refusal);

/* [{"label","score"}, ...], the best first; scores are logits with raw_scores. */
void sq_predict_write_labels(struct sq_buf *out, const struct sq_model_info *info, const struct sq_prediction *prediction, bool raw_scores);

void sq_predict_write_vector(struct sq_buf *out, const float *vector, unsigned count);

#endif
