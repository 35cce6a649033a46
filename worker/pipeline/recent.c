/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/recent.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOPIC_BYTES = 250, MESSAGE_BYTES = 192 };

struct letter {
    char topic[TOPIC_BYTES], message[MESSAGE_BYTES];
    struct sq_recent_dead_letter view; /* points into the two */
};

struct sq_recent {
    struct sq_recent_alert alerts[SQ_STATUS_ALERTS_MAX]; /* by seq modulo; the texts are owned, one block each (rule) */
    struct letter letters[SQ_STATUS_DEAD_LETTERS_MAX];
    struct sq_series_point points[SQ_STATUS_SERIES_MAX]; /* by second modulo */
    uint64_t alerts_seq, letters_seq;                    /* of the newest; 0: none */
    int64_t first_second, last_second;
};

int sq_recent_open(struct sq_recent **recent, struct sq_err *err)
{
    *recent = calloc(1, sizeof **recent);
    return *recent ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the status");
}

void sq_recent_close(struct sq_recent *recent)
{
    if (!recent) return;
    for (size_t i = 0; i < SQ_STATUS_ALERTS_MAX; i++) free((void *)(uintptr_t)recent->alerts[i].rule);
    free(recent);
}

/* One block with the three texts behind each other. */
static char *texts_of(const struct sq_alert *alert, struct sq_str json, struct sq_recent_alert *out)
{
    char *block = malloc(alert->rule.bytes + alert->entity.bytes + json.bytes + 3);
    if (!block) return NULL;
    char *entity = block + alert->rule.bytes + 1, *text = entity + alert->entity.bytes + 1;
    snprintf(block, alert->rule.bytes + 1, "%.*s", (int)alert->rule.bytes, alert->rule.data);
    memcpy(entity, alert->entity.data, alert->entity.bytes);
    entity[alert->entity.bytes] = '\0';
    memcpy(text, json.data, json.bytes);
    text[json.bytes] = '\0';
    out->rule = block;
    out->entity = entity;
    out->json = (struct sq_str){text, json.bytes};
    return block;
}

void sq_recent_alert_add(struct sq_recent *recent, const struct sq_alert *alert, bool restored, struct sq_str json, int64_t now_ms)
{
    struct sq_recent_alert *slot = &recent->alerts[(recent->alerts_seq + 1) % SQ_STATUS_ALERTS_MAX];
    struct sq_recent_alert made = {
        .seq = recent->alerts_seq + 1, .restored = restored, .alert_id = alert->alert_id, .fingerprint = alert->fingerprint,
        .state = alert->state, .severity = alert->severity, .starts_at_ms = alert->starts_at_ms, .at_ms = alert->at_ms, .seen_ms = now_ms,
    };
    if (!texts_of(alert, json, &made)) return; /* a view alone: not worth stopping for */
    free((void *)(uintptr_t)slot->rule);
    *slot = made;
    recent->alerts_seq++;
}

void sq_recent_dead_letter_add(struct sq_recent *recent, const struct sq_origin *origin, int code, const char *message, int64_t now_ms)
{
    struct letter *letter = &recent->letters[++recent->letters_seq % SQ_STATUS_DEAD_LETTERS_MAX];
    snprintf(letter->topic, sizeof letter->topic, "%s", origin->topic);
    snprintf(letter->message, sizeof letter->message, "%s", message);
    letter->view = (struct sq_recent_dead_letter){
        .seq = recent->letters_seq, .topic = letter->topic, .partition = origin->partition, .offset = origin->offset,
        .seen_ms = now_ms, .reason = sq_err_word(code), .message = letter->message,
    };
}

struct sq_series_point *sq_recent_second(struct sq_recent *recent, int64_t now_ms)
{
    int64_t second = now_ms / 1000;
    if (!recent->first_second) recent->first_second = recent->last_second = second;
    if (second < recent->last_second) second = recent->last_second; /* the wall clock was set back */
    int64_t from = second - recent->last_second >= SQ_STATUS_SERIES_MAX ? second - SQ_STATUS_SERIES_MAX + 1 : recent->last_second + 1;
    for (int64_t i = from; i <= second; i++) recent->points[i % SQ_STATUS_SERIES_MAX] = (struct sq_series_point){.second = i};
    recent->last_second = second;
    struct sq_series_point *point = &recent->points[second % SQ_STATUS_SERIES_MAX];
    point->second = second;
    return point;
}

void sq_recent_alerts(const struct sq_recent *recent, uint64_t after_seq, sq_recent_alert_fn each, void *ctx)
{
    uint64_t oldest = recent->alerts_seq > SQ_STATUS_ALERTS_MAX ? recent->alerts_seq - SQ_STATUS_ALERTS_MAX + 1 : 1;
    for (uint64_t seq = after_seq + 1 > oldest ? after_seq + 1 : oldest; seq <= recent->alerts_seq; seq++)
        each(&recent->alerts[seq % SQ_STATUS_ALERTS_MAX], ctx);
}

void sq_recent_dead_letters(const struct sq_recent *recent, uint64_t after_seq, sq_recent_dead_letter_fn each, void *ctx)
{
    uint64_t oldest = recent->letters_seq > SQ_STATUS_DEAD_LETTERS_MAX ? recent->letters_seq - SQ_STATUS_DEAD_LETTERS_MAX + 1 : 1;
    for (uint64_t seq = after_seq + 1 > oldest ? after_seq + 1 : oldest; seq <= recent->letters_seq; seq++)
        each(&recent->letters[seq % SQ_STATUS_DEAD_LETTERS_MAX].view, ctx);
}

void sq_recent_series(const struct sq_recent *recent, int64_t since_second, sq_series_fn each, void *ctx)
{
    if (!recent->first_second) return;
    int64_t oldest = recent->last_second - SQ_STATUS_SERIES_MAX + 1;
    int64_t second = since_second > oldest ? since_second : oldest;
    if (second < recent->first_second) second = recent->first_second;
    for (; second <= recent->last_second; second++) each(&recent->points[second % SQ_STATUS_SERIES_MAX], ctx);
}
