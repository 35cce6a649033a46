/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/score_record.h"

#include "engine/base/murmur2.h"

void sq_score_records_init(struct sq_score_records *records, const struct sq_config *config, const struct sq_model_info *model)
{
    *records = (struct sq_score_records){.config = config, .model = model};
    sq_buf_init(&records->encoded);
    sq_buf_init(&records->excerpt);
    for (unsigned i = 0; i < model->labels_count; i++) {
        records->labels[i] = sq_str_view(model->labels[i]);
        for (unsigned j = 0; j < config->rules_count; j++)
            records->is_watched[i] |= sq_str_equal(records->labels[i], sq_str_view(config->rules[j].label));
    }
}

void sq_score_records_deinit(struct sq_score_records *records)
{
    sq_buf_deinit(&records->encoded);
    sq_buf_deinit(&records->excerpt);
}

static struct sq_str excerpt_of(struct sq_score_records *records, const struct sq_slot *slot)
{
    if (slot->is_skipped || !records->is_watched[slot->job.prediction.label]) return (struct sq_str){0};
    sq_buf_clear(&records->excerpt);
    sq_redact_append(&records->config->privacy, slot->job.text, &records->excerpt);
    return sq_buf_failed(&records->excerpt) ? (struct sq_str){0} : sq_buf_view(&records->excerpt);
}

static int encode(struct sq_score_records *records, const struct sq_slot *slot, struct sq_err *err)
{
    const struct sq_prediction *prediction = &slot->job.prediction;
    const struct sq_model_info *model = records->model;
    struct sq_score score = {
        .source = {sq_str_view(slot->origin.topic), slot->origin.partition, slot->origin.offset},
        .entity = slot->entity,
        .event_time_ms = slot->event_time_ms,
        .clamped = slot->is_clamped,
        .label = slot->is_skipped ? (struct sq_str){0} : records->labels[prediction->label],
        .probabilities_count = slot->is_skipped ? 0 : model->labels_count,
        .score = prediction->score,
        .model_digest = slot->is_skipped ? 0 : model->digest,
        .id = slot->id,
        .author_hash = slot->author_hash,
        .text_hash = prediction->text_hash,
        .text_simhash = prediction->text_simhash,
        .tokens = prediction->tokens,
        .truncated = prediction->truncated,
        .skipped = slot->is_skipped,
        .share = slot->share,
        .excerpt = excerpt_of(records, slot),
    };
    memcpy(score.probabilities, prediction->probabilities, score.probabilities_count * sizeof *score.probabilities);
    sq_buf_clear(&records->encoded);
    return sq_score_encode(&score, &records->encoded, err);
}

int sq_score_record_add(struct sq_score_records *records, struct sq_batch *batch, struct sq_slot *slot, struct sq_err *err)
{
    struct sq_str value;
    int status = encode(records, slot, err);
    if (status) return status;
    struct sq_output *output = sq_batch_copy(batch, sq_buf_view(&records->encoded), &value) ? sq_batch_add(batch) : NULL;
    if (!output) return sq_err_set(err, SQ_E_NOMEM, "no memory for an output");
    output->topic = SQ_TOPIC_SCORES;
    output->partition = sq_partition_of(slot->entity, (int32_t)records->config->output.partitions);
    output->key = slot->entity;
    output->value = value;
    output->cookie = slot;
    sq_batch_account(batch, output);
    return 0;
}
