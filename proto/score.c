/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/utf8.h"
#include "proto/codec.h"
#include "proto/pack.h"
#include "proto/score.pb-c.h"
#include "proto/unpack.h"

enum { KEEP_BYTES = SQ_RECORD_BYTES_MAX + 8 * SQ_ARENA_ALIGN_BYTES }; /* what the strings of a score take at most */

int sq_score_encode(const struct sq_score *score, struct sq_buf *out, struct sq_err *err)
{
    float probabilities[SQ_SCORE_LABELS_MAX]; /* protobuf-c wants them writable */
    memcpy(probabilities, score->probabilities, score->probabilities_count * sizeof *probabilities);
    Squall__V1__Score message = SQUALL__V1__SCORE__INIT;
    message.topic = sq_pack_view(score->source.topic);
    message.partition = score->source.partition;
    message.offset = score->source.offset;
    message.entity = sq_pack_view(score->entity);
    message.event_time_ms = score->event_time_ms;
    message.clamped = score->clamped;
    message.label = sq_pack_view(score->label);
    message.n_probabilities = score->probabilities_count;
    message.probabilities = probabilities;
    message.model_digest = score->model_digest;
    message.id = sq_pack_view(score->id);
    message.author_hash = score->author_hash;
    message.text_hash = score->text_hash;
    message.text_simhash = score->text_simhash;
    message.tokens = score->tokens;
    message.truncated = score->truncated;
    message.skipped = score->skipped;
    message.share = score->share;
    message.excerpt = sq_pack_view(score->excerpt);
    size_t bytes = squall__v1__score__get_packed_size(&message);
    if (bytes > SQ_RECORD_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "a score record of %zu bytes", bytes);
    return sq_pack_append(&message.base, out, err);
}

static int take_probabilities(const Squall__V1__Score *message, struct sq_score *score, struct sq_err *err)
{
    if (message->n_probabilities > SQ_SCORE_LABELS_MAX)
        return sq_err_set(err, SQ_E_WRONG_TYPE, "probabilities: %zu of them, at most %d", message->n_probabilities, SQ_SCORE_LABELS_MAX);
    score->probabilities_count = (unsigned)message->n_probabilities;
    for (unsigned i = 0; i < score->probabilities_count; i++) {
        float probability = message->probabilities[i];
        if (!(probability >= 0 && probability <= 1)) return sq_err_set(err, SQ_E_WRONG_TYPE, "probabilities[%u] is not in [0, 1]", i);
        score->probabilities[i] = probability;
        if (probability > score->score) score->score = probability;
    }
    return 0;
}

static int take_texts(const Squall__V1__Score *message, struct sq_arena *arena, struct sq_score *score, struct sq_err *err)
{
    const struct {
        const char *name;
        ProtobufCBinaryData from;
        struct sq_str *to;
    } texts[] = {
        {"topic", message->topic, &score->source.topic}, {"entity", message->entity, &score->entity},
        {"label", message->label, &score->label},        {"id", message->id, &score->id},
        {"excerpt", message->excerpt, &score->excerpt},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].to = sq_unpack_view(texts[i].from);
        if (sq_utf8_valid_bytes(*texts[i].to) != texts[i].to->bytes)
            return sq_err_set(err, SQ_E_INVALID_UTF8, "%s is not valid UTF-8", texts[i].name);
        if (!sq_unpack_keep(arena, texts[i].to)) return sq_err_set(err, SQ_E_FULL, "no room for the strings of a score");
    }
    if (score->entity.bytes == 0) return sq_err_set(err, SQ_E_MISSING_FIELD, "entity is empty");
    if (score->entity.bytes > SQ_ENTITY_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "entity is over %d bytes", SQ_ENTITY_BYTES_MAX);
    return 0;
}

static int unpack(struct sq_str value, struct sq_arena *arena, struct sq_score *score, struct sq_err *err)
{
    struct sq_unpack unpack;
    sq_unpack_init(&unpack, arena, SQ_DECODE_SCRATCH_BYTES - KEEP_BYTES);
    const Squall__V1__Score *message = sq_unpack_message(&unpack, &squall__v1__score__descriptor, value);
    if (!message) return sq_err_set(err, SQ_E_DECODE, "not a squall.v1.Score");
    *score = (struct sq_score){
        .source = {.partition = message->partition, .offset = message->offset},
        .event_time_ms = message->event_time_ms,
        .clamped = message->clamped,
        .model_digest = message->model_digest,
        .author_hash = message->author_hash,
        .text_hash = message->text_hash,
        .text_simhash = message->text_simhash,
        .tokens = message->tokens,
        .truncated = message->truncated,
        .skipped = message->skipped,
        .share = message->share,
    };
    if (!(score->share >= 0 && score->share <= 1)) return sq_err_set(err, SQ_E_WRONG_TYPE, "share is not in [0, 1]");
    int code = take_probabilities(message, score, err);
    return code ? code : take_texts(message, arena, score, err);
}

int sq_score_decode(struct sq_str value, struct sq_arena *arena, struct sq_score *score, struct sq_err *err)
{
    *score = (struct sq_score){0};
    if (value.bytes > SQ_RECORD_BYTES_MAX)
        return sq_err_set(err, SQ_E_TOO_LARGE, "%zu bytes are too many for a score record", value.bytes);
    if (arena->capacity_bytes - arena->used_bytes < SQ_DECODE_SCRATCH_BYTES)
        return sq_err_set(err, SQ_E_FULL, "a score needs %d bytes of room", SQ_DECODE_SCRATCH_BYTES);
    size_t mark_bytes = arena->used_bytes;
    int code = unpack(value, arena, score, err);
    if (code != 0) sq_arena_rewind(arena, mark_bytes);
    return code;
}
