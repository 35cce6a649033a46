/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/predict_json.h"

#include <stdio.h>

static bool refuse(struct sq_predict_refusal *refusal, unsigned status, const char *type, const char *message)
{
    refusal->status = status;
    refusal->type = type;
    snprintf(refusal->message, sizeof refusal->message, "%.*s", (int)sizeof refusal->message - 1, message);
    return false;
}

/* The text of an input; NULL: not a form that is known. */
static const json_t *text_of(const json_t *input)
{
    const json_t *text = json_is_array(input) && json_array_size(input) == 1 ? json_array_get(input, 0) : input;
    return json_is_string(text) ? text : NULL;
}

static bool check_inputs(struct sq_predict_query *query, size_t texts_max, struct sq_predict_refusal *refusal)
{
    const json_t *inputs = json_object_get(query->object, "inputs");
    query->is_single = json_is_string(inputs);
    if (!inputs) return refuse(refusal, 400, "Validation", "inputs: missing: expected a text or a list of texts");
    if (!query->is_single && !json_is_array(inputs)) return refuse(refusal, 400, "Validation", "inputs: expected a text or a list of texts");
    query->texts_count = query->is_single ? 1 : json_array_size(inputs);
    if (query->texts_count == 0) return refuse(refusal, 400, "Empty", "inputs: the list is empty");
    if (query->texts_count > texts_max) {
        refuse(refusal, 413, "Validation", "");
        snprintf(refusal->message, sizeof refusal->message, "inputs: %zu texts, more than %zu", query->texts_count, texts_max);
        return false;
    }
    for (size_t i = 0; i < query->texts_count; i++) {
        const json_t *text = text_of(query->is_single ? inputs : json_array_get(inputs, i));
        if (!text) return refuse(refusal, 400, "Validation", "inputs: expected texts: pairs of texts and other types are not scored");
        if (json_string_length(text) == 0) return refuse(refusal, 400, "Empty", "inputs: a text is empty");
    }
    return true;
}

static bool read_flags(struct sq_predict_query *query, struct sq_predict_refusal *refusal)
{
    struct sq_err err;
    int status = sq_json_get_bool(query->object, "raw_scores", false, &query->raw_scores, SQ_E_DECODE, &err);
    if (status == 0) status = sq_json_get_bool(query->object, "truncate", true, &query->truncate, SQ_E_DECODE, &err);
    if (status == 0) status = sq_json_get_bool(query->object, "normalize", true, &query->normalize, SQ_E_DECODE, &err);
    return status == 0 || refuse(refusal, 400, "Validation", err.message);
}

bool sq_predict_parse(struct sq_predict_query *query, struct sq_str body, size_t texts_max, struct sq_predict_refusal *refusal)
{
    struct sq_err err;
    bool good;
    *query = (struct sq_predict_query){0};
    *refusal = (struct sq_predict_refusal){0};
    if (sq_json_parse(&query->object, "body", body, SQ_E_DECODE, &err) < 0) return refuse(refusal, 400, "Validation", err.message);
    if (!json_is_object(query->object)) good = refuse(refusal, 400, "Validation", "body: expected an object");
    else good = check_inputs(query, texts_max, refusal) && read_flags(query, refusal);
    if (!good) sq_predict_query_deinit(query);
    return good;
}

void sq_predict_query_deinit(struct sq_predict_query *query)
{
    json_decref(query->object);
    *query = (struct sq_predict_query){0};
}

struct sq_str sq_predict_text(const struct sq_predict_query *query, size_t index)
{
    const json_t *inputs = json_object_get(query->object, "inputs");
    const json_t *text = text_of(query->is_single ? inputs : json_array_get(inputs, index));
    return (struct sq_str){json_string_value(text), json_string_length(text)};
}

bool sq_predict_check(const struct sq_predict_query *query, const struct sq_model_info *info, const struct sq_prediction *prediction,
                      struct sq_predict_refusal *refusal)
{
    static const struct {
        int code;
        unsigned status;
        const char *type;
    } rows[] = {
        {SQ_E_INVALID_UTF8, 422, "Tokenizer"},
        {SQ_E_TOKENIZE, 422, "Tokenizer"},
        {SQ_E_TOO_LARGE, 413, "Validation"},
        {SQ_E_FULL, 429, "Overloaded"},
    };
    *refusal = (struct sq_predict_refusal){0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (prediction->code == rows[i].code) return refuse(refusal, rows[i].status, rows[i].type, sq_err_meaning(prediction->code));
    if (prediction->code < 0) return refuse(refusal, 424, "Backend", sq_err_meaning(prediction->code));
    if (!prediction->truncated || query->truncate) return true;
    refuse(refusal, 413, "Validation", "");
    snprintf(refusal->message, sizeof refusal->message, "inputs: a text has more than %u tokens, and truncate is false", info->tokens_max);
    return false;
}

void sq_predict_write_labels(struct sq_buf *out, const struct sq_model_info *info, const struct sq_prediction *prediction, bool raw_scores)
{
    const float *scores = raw_scores ? prediction->logits : prediction->probabilities;
    bool written[SQ_LABELS_MAX] = {false};
    sq_buf_append_char(out, '[');
    for (unsigned n = 0; n < info->labels_count; n++) {
        unsigned best = SQ_LABELS_MAX;
        for (unsigned i = 0; i < info->labels_count; i++)
            if (!written[i] && (best == SQ_LABELS_MAX || scores[i] > scores[best])) best = i;
        written[best] = true;
        sq_buf_append_text(out, n ? ",{" : "{");
        sq_json_write_key(out, "label");
        sq_json_write_str(out, sq_str_view(info->labels[best]));
        sq_json_write_key(out, "score");
        sq_json_write_real(out, (double)scores[best]);
        sq_buf_append_char(out, '}');
    }
    sq_buf_append_char(out, ']');
}

void sq_predict_write_vector(struct sq_buf *out, const float *vector, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sq_buf_append_char(out, i ? ',' : '[');
        sq_json_write_real(out, (double)vector[i]);
    }
    sq_buf_append_char(out, ']');
}
