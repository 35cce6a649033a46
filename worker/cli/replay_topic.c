/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_topic.h"

#include <stdio.h>

#include "engine/base/clock.h"
#include "proto/codec.h"

static int read_place(struct sq_kafka_place *place, const char *text, const char *option, struct sq_err *err)
{
    if (!text || sq_kafka_place_parse(place, text, sq_clock_wall_ms())) return 0;
    return sq_err_set(err, SQ_E_USAGE, "%s: expected start, end, an offset, +N, -N, @-2h or @2026-01-31T12:00:00Z, found '%s'", option, text);
}

int sq_replay_topic_init(struct sq_replay_topic *topic, const struct sq_config *config, const char *name, const char *from, const char *to,
                         struct sq_err *err)
{
    *topic = (struct sq_replay_topic){.config = config, .name = name, .range = {.from = {SQ_PLACE_START, 0}, .to = {SQ_PLACE_END, 0}}};
    int status = read_place(&topic->range.from, from, "--from", err);
    return status ? status : read_place(&topic->range.to, to, "--to", err);
}

/* What goes on while the topic is read. */
struct reading {
    struct sq_replay_topic *topic;
    struct sq_replay_scorer *scorer; /* NULL: scores are read */
    struct sq_arena arena;           /* of one decode */
    sq_replay_result_fn each;
    void *ctx;
    int status;
    struct sq_err *err;
};

static int read_range(struct reading *reading, sq_reader_fn take)
{
    struct sq_replay_topic *topic = reading->topic;
    int status = sq_kafka_read_range(topic->config, topic->name, &topic->range, take, reading, reading->err);
    return reading->status ? reading->status : status;
}

/* The last one of that name, as sq_record wants it. */
static bool find_header(const char *name, struct sq_str *value, void *ctx)
{
    const struct sq_reader_record *record = ctx;
    for (unsigned i = record->headers_count; i-- > 0;) {
        if (!sq_str_equal(record->headers[i].name, sq_str_view(name))) continue;
        *value = record->headers[i].value;
        return true;
    }
    return false;
}

static bool score_record(const struct sq_reader_record *record, void *ctx)
{
    struct reading *reading = ctx;
    const struct sq_replay_input input = {
        .line = ++reading->topic->taken, .partition = record->partition, .offset = record->offset, .timestamp_ms = record->timestamp_ms,
        .record = {.key = record->key, .value = record->value, .header = find_header, .header_ctx = (void *)(uintptr_t)record}, /* only read */
    };
    reading->status = sq_replay_scorer_take(reading->scorer, &input, reading->err);
    return reading->status == 0;
}

int sq_replay_topic_score(struct sq_replay_topic *topic, struct sq_replay_scorer *scorer, struct sq_err *err)
{
    struct reading reading = {.topic = topic, .scorer = scorer, .err = err};
    return read_range(&reading, score_record);
}

/* Names of labels aren't in the records, so that the probabilities of all of them aren't known by name; the label's own is. */
static bool read_score(const struct sq_reader_record *record, void *ctx)
{
    struct reading *reading = ctx;
    struct sq_score score;
    struct sq_err problem;
    struct sq_replay_result result = {
        .line = ++reading->topic->taken, .partition = record->partition, .offset = record->offset, .append_ms = record->timestamp_ms, .score = &score};
    unsigned partitions = reading->topic->config->output.partitions;
    reading->arena.used_bytes = 0;
    if (record->partition >= (int32_t)partitions) {
        reading->status = sq_err_set(reading->err, SQ_E_CONFIG, "%s has more partitions than output.partitions, which is %u", reading->topic->name, partitions);
        return false;
    }
    result.code = sq_score_decode(record->value, &reading->arena, &score, &problem);
    if (result.code) result.message = problem.message;
    score.probabilities_count = 0;
    reading->status = reading->each(&result, reading->ctx, reading->err);
    return reading->status == 0;
}

int sq_replay_topic_read(struct sq_replay_topic *topic, sq_replay_result_fn each, void *ctx, struct sq_err *err)
{
    struct reading reading = {.topic = topic, .each = each, .ctx = ctx, .err = err};
    int status = sq_arena_init(&reading.arena, SQ_DECODE_SCRATCH_BYTES, err);
    if (status == 0) status = read_range(&reading, read_score);
    sq_arena_deinit(&reading.arena);
    return status;
}
