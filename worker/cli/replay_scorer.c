/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_scorer.h"

#include <stdio.h>

#include "engine/texthash.h"
#include "worker/core/event_time.h"

enum { SLOTS_COUNT = 1024, MESSAGE_BYTES = 160, KEPT_BYTES_MAX = 16 * 1024 };

struct slot {
    struct sq_ordered_slot ordered; /* first; the code of a refused line is its prediction's */
    uint64_t line;
    int32_t partition;              /* -1: of no topic */
    int64_t offset, append_ms;
    struct sq_event event;          /* its strings lie in `strings` */
    struct sq_event_time time;
    struct sq_buf strings;
    char message[MESSAGE_BYTES];
};

static void deinit_slot(void *slot) { sq_buf_deinit(&((struct slot *)slot)->strings); }

int sq_replay_scorer_init(struct sq_replay_scorer *scorer, const struct sq_config *config, const struct sq_engine *engine,
                          struct sq_str source, sq_replay_result_fn each, void *ctx, struct sq_err *err)
{
    *scorer = (struct sq_replay_scorer){
        .config = config, .model = sq_engine_info(engine), .source = source, .latest_ms = -1, .each = each, .ctx = ctx};
    sq_buf_init(&scorer->excerpt);
    for (unsigned i = 0; i < scorer->model->labels_count; i++) {
        scorer->labels[i] = sq_str_view(scorer->model->labels[i]);
        for (unsigned j = 0; j < config->rules_count; j++)
            scorer->is_watched[i] |= strcmp(scorer->model->labels[i], config->rules[j].label) == 0;
    }
    int status = sq_ordered_open(&scorer->ordered, engine, config->model.threads, config->model.score_cache_texts, SLOTS_COUNT,
                                 sizeof(struct slot), err);
    return status ? status : sq_arena_init(&scorer->arena, sq_event_room_bytes(&config->input.format), err);
}

void sq_replay_scorer_deinit(struct sq_replay_scorer *scorer)
{
    sq_ordered_close(&scorer->ordered, deinit_slot);
    sq_arena_deinit(&scorer->arena);
    sq_buf_deinit(&scorer->excerpt);
}

/* ---- Out ---- */

static struct sq_str excerpt_of(struct sq_replay_scorer *scorer, const struct slot *slot)
{
    if (!scorer->is_watched[slot->ordered.job.prediction.label]) return (struct sq_str){0};
    sq_buf_clear(&scorer->excerpt);
    sq_redact_append(&scorer->config->privacy, slot->event.text, &scorer->excerpt);
    return sq_buf_failed(&scorer->excerpt) ? (struct sq_str){0} : sq_buf_view(&scorer->excerpt);
}

static int give(struct sq_replay_scorer *scorer, const struct slot *slot, struct sq_err *err)
{
    const struct sq_prediction *prediction = &slot->ordered.job.prediction;
    struct sq_replay_result result = {.line = slot->line, .partition = slot->partition, .offset = slot->offset, .append_ms = slot->append_ms};
    if (prediction->code) {
        result.code = prediction->code;
        result.message = slot->message[0] ? slot->message : sq_err_meaning(prediction->code);
        return scorer->each(&result, scorer->ctx, err);
    }
    struct sq_score score = {
        .source = {scorer->source, slot->partition < 0 ? 0 : slot->partition, slot->offset},
        .entity = slot->event.entity,
        .event_time_ms = slot->time.ms,
        .clamped = slot->time.is_clamped,
        .label = scorer->labels[prediction->label],
        .probabilities_count = scorer->model->labels_count,
        .score = prediction->score,
        .model_digest = scorer->model->digest,
        .id = slot->event.id,
        .author_hash = sq_author_hash(slot->event.author),
        .text_hash = prediction->text_hash,
        .text_simhash = prediction->text_simhash,
        .tokens = prediction->tokens,
        .truncated = prediction->truncated,
        .excerpt = excerpt_of(scorer, slot),
    };
    memcpy(score.probabilities, prediction->probabilities, score.probabilities_count * sizeof *score.probabilities);
    result.score = &score;
    result.author = slot->event.author;
    result.labels = scorer->labels;
    return scorer->each(&result, scorer->ctx, err);
}

/* Waits for the oldest line and hands it over. False: there is none. */
static bool give_oldest(struct sq_replay_scorer *scorer, int *status, struct sq_err *err)
{
    struct slot *slot = sq_ordered_oldest_wait(&scorer->ordered);
    if (!slot) return false;
    *status = give(scorer, slot, err);
    if (slot->strings.capacity_bytes > KEPT_BYTES_MAX) sq_buf_deinit(&slot->strings);
    sq_ordered_release(&scorer->ordered);
    return true;
}

int sq_replay_scorer_drain(struct sq_replay_scorer *scorer, struct sq_err *err)
{
    int status = 0;
    while (status == 0 && give_oldest(scorer, &status, err)) {
    }
    return status;
}

/* ---- In ---- */

static void refuse(struct slot *slot, int code, const char *message)
{
    slot->ordered.job.prediction.code = code;
    snprintf(slot->message, sizeof slot->message, "%.*s", MESSAGE_BYTES - 1, message);
}

/* The strings of a decoded event move from the arena of the decode into the slot. */
static bool keep_strings(struct slot *slot)
{
    struct sq_str *strings[] = {&slot->event.text, &slot->event.entity, &slot->event.author, &slot->event.id};
    size_t bytes = 0;
    for (size_t i = 0; i < 4; i++) bytes += strings[i]->bytes;
    sq_buf_clear(&slot->strings);
    if (!sq_buf_reserve(&slot->strings, bytes)) return false; /* room for all, so that no view moves */
    for (size_t i = 0; i < 4; i++) {
        const char *at = slot->strings.data + slot->strings.bytes;
        sq_buf_append_str(&slot->strings, *strings[i]);
        strings[i]->data = at;
    }
    return true;
}

/* A record's event time is bounded as in a worker. Without a timestamp, as in a line, append time is the event's own time, and one that has none
 * stands where the one before it does. */
static void place_in_time(struct sq_replay_scorer *scorer, struct slot *slot, int64_t timestamp_ms)
{
    const struct sq_event *event = &slot->event;
    bool is_stamped = timestamp_ms >= 0;
    slot->time = is_stamped ? sq_event_time(event->has_ts, event->ts_ms, timestamp_ms, timestamp_ms, scorer->config->future_ms_max)
                            : sq_event_time(event->has_ts, event->ts_ms, -1, scorer->latest_ms, INT64_MAX);
    slot->append_ms = is_stamped ? timestamp_ms : slot->time.ms;
}

static int decode(struct sq_replay_scorer *scorer, struct slot *slot, const struct sq_replay_input *input, struct sq_err *err)
{
    if (input->is_too_long) return sq_err_set(err, SQ_E_TOO_LARGE, "the line is over input.max_bytes");
    scorer->arena.used_bytes = 0;
    int status = sq_event_decode(&scorer->config->input.format, &input->record, &scorer->arena, &slot->event, err);
    if (status) return status;
    place_in_time(scorer, slot, input->timestamp_ms);
    if (slot->time.ms < 0) return sq_err_set(err, SQ_E_MISSING_FIELD, "ts: absent or before 1970, and so in every line before");
    scorer->latest_ms = slot->time.ms;
    return keep_strings(slot) ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for a line");
}

int sq_replay_scorer_take(struct sq_replay_scorer *scorer, const struct sq_replay_input *input, struct sq_err *err)
{
    struct slot *slot;
    int status = 0;
    while (!(slot = sq_ordered_free(&scorer->ordered))) {
        give_oldest(scorer, &status, err);
        if (status) return status;
    }
    slot->line = input->line;
    slot->partition = input->partition;
    slot->offset = input->offset;
    slot->message[0] = '\0';
    slot->ordered.job = (struct sq_job){0};
    struct sq_err problem;
    status = decode(scorer, slot, input, &problem);
    if (status && sq_err_class(status) != SQ_CLASS_POISON) return sq_err_set(err, status, "line %llu: %s", (unsigned long long)input->line, problem.message);
    if (status) {
        refuse(slot, status, problem.message);
        sq_ordered_skip(&scorer->ordered);
        return 0;
    }
    slot->ordered.job.text = slot->event.text;
    status = sq_ordered_submit(&scorer->ordered);
    return status ? sq_err_set(err, status, "line %llu can't be handed to the engine: %s", (unsigned long long)input->line, sq_err_meaning(status)) : 0;
}
