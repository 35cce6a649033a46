/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/planted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/arrivals.h"
#include "tests/lib/stream.h"

enum { HOUR_MS = 3600000, NAME_BYTES = 8, FEW_AUTHORS = 3, FIRST_DAY = 7 };
static const int64_t day_ms = ARRIVALS_DAY_MS;
static const double answers_share = 0.33, answer_delay_ms = 600000, same_tone = 0.5, drift_logit = 0.8;
static const char *const tones[PLANTED_TONES] = {"negative", "neutral", "positive"};

struct subject {
    char name[NAME_BYTES];
    double logit, positive; /* share of the negative, and of the positive among the others */
    struct planted now;     /* what is planted next or now */
    uint64_t copied;        /* of a copy storm: its text */
    struct arrivals later;  /* answers still to come */
};

struct planted_stream {
    struct planted_options options;
    struct test_random random;
    struct subject *subjects;
    struct arrivals step;
    size_t at;
    unsigned steps_done;
    int64_t offset;
    struct planted *list;
    unsigned list_count;
};

/* ---- What is planted ---- */

static int64_t length_of(struct test_random *random, enum planted_kind kind)
{
    static const int64_t minutes[] = {30, 60, 120};
    switch (kind) {
    case PLANTED_EVENT: return minutes[test_random_below(random, 3)] * 60000;
    case PLANTED_BURST: return minutes[test_random_below(random, 2)] * 60000;
    case PLANTED_DRIFT: return 36 * (int64_t)HOUR_MS;
    default: return 30 * 60000;
    }
}

static void plant(struct planted_stream *stream, unsigned entity, int64_t not_before_ms)
{
    struct test_random *random = &stream->random;
    struct subject *subject = &stream->subjects[entity];
    static const enum planted_kind kinds[] = {PLANTED_EVENT, PLANTED_EVENT, PLANTED_EVENT, PLANTED_COPIES, PLANTED_BURST, PLANTED_DRIFT};
    struct planted now = {.entity = entity, .kind = kinds[test_random_below(random, 6)]};
    now.strength = now.kind == PLANTED_EVENT ? 0.5 * pow(6, test_random_real(random)) : test_random_between(random, 1, 3);
    now.start_ms = not_before_ms + (int64_t)(test_random_real(random) * (double)(2 * day_ms));
    now.start_ms -= now.start_ms % 60000;
    now.end_ms = now.start_ms + length_of(random, now.kind);
    subject->copied = test_random_bits(random) | 1;
    subject->now = now;
    if (now.end_ms > ARRIVALS_START_MS + (int64_t)stream->options.days * day_ms) {
        subject->now.start_ms = subject->now.end_ms = INT64_MAX;
        return;
    }
    stream->list = realloc(stream->list, (stream->list_count + 1) * sizeof now);
    if (!stream->list) abort();
    stream->list[stream->list_count++] = now;
}

/* The part of the step that what is planted covers. */
static double overlap(const struct planted *now, enum planted_kind kind, int64_t from_ms, int64_t *first_ms, int64_t *end_ms)
{
    *first_ms = now->start_ms > from_ms ? now->start_ms : from_ms;
    *end_ms = now->end_ms < from_ms + ARRIVALS_STEP_MS ? now->end_ms : from_ms + ARRIVALS_STEP_MS;
    return now->kind == kind && *end_ms > *first_ms ? (double)(*end_ms - *first_ms) / ARRIVALS_STEP_MS : 0;
}

/* A trapezium: up for a third, on for a third, down for a third. */
static double drift_at(const struct planted *now, int64_t ms)
{
    if (now->kind != PLANTED_DRIFT || ms < now->start_ms || ms >= now->end_ms) return 0;
    double third = (double)(now->end_ms - now->start_ms) / 3, into = (double)(ms - now->start_ms) / third;
    return drift_logit * fmin(1, fmin(into, 3 - into));
}

/* ---- Messages ---- */

static unsigned answer_to(struct planted_stream *stream, unsigned tone)
{
    const unsigned *answers = stream->options.deck->answers[tone];
    uint32_t card = test_random_below(&stream->random, answers[0] + answers[1] + answers[2]);
    return card < answers[0] ? 0 : card < answers[0] + answers[1] ? 1 : 2;
}

static unsigned usual_tone(struct planted_stream *stream, const struct subject *subject, int64_t ms)
{
    double negative = 1 / (1 + exp(-subject->logit - drift_at(&subject->now, ms)));
    if (test_random_real(&stream->random) < negative) return 0;
    return test_random_real(&stream->random) < subject->positive ? 2 : 1;
}

static struct arrival make(struct planted_stream *stream, unsigned entity, int64_t ts_ms, unsigned tone)
{
    unsigned answer = answer_to(stream, tone);
    return arrivals_make(&stream->random, entity, ts_ms, answer);
}

static void spread(struct planted_stream *stream, struct arrival message, unsigned tone)
{
    struct subject *subject = &stream->subjects[message.entity];
    arrivals_add(&subject->later, message);
    for (unsigned answers = test_random_poisson(&stream->random, answers_share); answers > 0; answers--) {
        int64_t ts_ms = message.ts_ms + (int64_t)test_random_exponential(&stream->random, answer_delay_ms);
        unsigned next = test_random_real(&stream->random) < same_tone ? tone : usual_tone(stream, subject, ts_ms);
        spread(stream, make(stream, message.entity, ts_ms, next), next);
    }
}

static void add_usual(struct planted_stream *stream, unsigned entity, int64_t from_ms, double rate)
{
    struct subject *subject = &stream->subjects[entity];
    struct test_random *random = &stream->random;
    int64_t first_ms, end_ms;
    double burst = overlap(&subject->now, PLANTED_BURST, from_ms, &first_ms, &end_ms);
    double uneven = rate * test_random_gamma(random, 4) / 4 * (1 - answers_share) * (1 + burst * (2 + 3 * (subject->now.strength - 1) / 2));
    for (unsigned count = test_random_poisson(random, uneven); count > 0; count--) {
        int64_t ts_ms = from_ms + test_random_below(random, ARRIVALS_STEP_MS);
        unsigned tone = usual_tone(stream, subject, ts_ms);
        spread(stream, make(stream, entity, ts_ms, tone), tone);
    }
}

static void add_event(struct planted_stream *stream, unsigned entity, int64_t from_ms, double rate)
{
    struct subject *subject = &stream->subjects[entity];
    int64_t first_ms, end_ms;
    double part = overlap(&subject->now, PLANTED_EVENT, from_ms, &first_ms, &end_ms);
    if (part <= 0) return;
    for (unsigned count = test_random_poisson(&stream->random, rate * part * subject->now.strength); count > 0; count--) {
        int64_t ts_ms = first_ms + (int64_t)(test_random_real(&stream->random) * (double)(end_ms - first_ms));
        arrivals_add(&stream->step, make(stream, entity, ts_ms, 0));
    }
}

static void add_copies(struct planted_stream *stream, unsigned entity, int64_t from_ms, double rate)
{
    struct subject *subject = &stream->subjects[entity];
    int64_t first_ms, end_ms;
    double part = overlap(&subject->now, PLANTED_COPIES, from_ms, &first_ms, &end_ms);
    if (part <= 0) return;
    bool few = subject->copied >> 8 & 1;
    for (unsigned count = test_random_poisson(&stream->random, rate * part * subject->now.strength); count > 0; count--) {
        int64_t ts_ms = first_ms + (int64_t)(test_random_real(&stream->random) * (double)(end_ms - first_ms));
        struct arrival copy = {ts_ms, entity, 0, subject->copied, test_random_bits(&stream->random) | 1};
        if (few) copy.author_hash = subject->copied + test_random_below(&stream->random, FEW_AUTHORS);
        arrivals_add(&stream->step, copy);
    }
}

static void make_step(struct planted_stream *stream)
{
    int64_t from_ms = ARRIVALS_START_MS + (int64_t)stream->steps_done++ * ARRIVALS_STEP_MS;
    double wave = arrivals_wave(from_ms);
    stream->step.count = stream->at = 0;
    for (unsigned entity = 0; entity < stream->options.entities; entity++) {
        struct subject *subject = &stream->subjects[entity];
        double rate = stream_volume(entity) / 3 * wave;
        if (subject->now.end_ms <= from_ms) plant(stream, entity, subject->now.end_ms + day_ms / 2);
        add_usual(stream, entity, from_ms, rate);
        add_event(stream, entity, from_ms, rate);
        add_copies(stream, entity, from_ms, rate);
        arrivals_take_due(&subject->later, from_ms + ARRIVALS_STEP_MS, &stream->step);
    }
    arrivals_sort(&stream->step);
}

/* ---- The stream ---- */

struct planted_stream *planted_open(const struct planted_options *options)
{
    struct planted_stream *stream = calloc(1, sizeof *stream);
    if (!stream || !(stream->subjects = calloc(options->entities, sizeof *stream->subjects))) abort();
    stream->options = *options;
    stream->random.state = options->seed * 0x9e3779b97f4a7c15u + 17;
    for (unsigned i = 0; i < options->entities; i++) {
        struct subject *subject = &stream->subjects[i];
        snprintf(subject->name, sizeof subject->name, "e%u", i % 100000);
        double p = test_random_between(&stream->random, 0.08, 0.25);
        subject->logit = log(p / (1 - p));
        subject->positive = test_random_between(&stream->random, 0.25, 0.55);
        subject->now.start_ms = subject->now.end_ms = INT64_MAX;
        if (!options->nothing) plant(stream, i, ARRIVALS_START_MS + FIRST_DAY * day_ms);
    }
    return stream;
}

void planted_close(struct planted_stream *stream)
{
    for (unsigned i = 0; i < stream->options.entities; i++) free(stream->subjects[i].later.items);
    free(stream->subjects);
    free(stream->step.items);
    free(stream->list);
    free(stream);
}

bool planted_next(struct planted_stream *stream, struct sq_score *score, unsigned *entity)
{
    while (stream->at == stream->step.count) {
        if (stream->steps_done == stream->options.days * ARRIVALS_STEPS_A_DAY) return false;
        make_step(stream);
    }
    const struct arrival *message = &stream->step.items[stream->at++];
    score->source = (struct sq_coordinates){SQ_STR("planted"), 0, stream->offset++};
    score->entity = sq_str_view(stream->subjects[message->entity].name);
    score->event_time_ms = message->ts_ms;
    score->label = sq_str_view(tones[message->label]);
    score->score = 0.9f;
    score->text_hash = message->text_hash;
    score->author_hash = message->author_hash;
    *entity = message->entity;
    return true;
}

struct planted_truth planted_truth(const struct planted_stream *stream, unsigned entity, int64_t ts_ms)
{
    const struct subject *subject = &stream->subjects[entity];
    double negative = 1 / (1 + exp(-subject->logit - drift_at(&subject->now, ts_ms))), others = 1 - negative;
    double shares[PLANTED_TONES] = {negative, others * (1 - subject->positive), others * subject->positive}, share = 0;
    for (unsigned tone = 0; tone < PLANTED_TONES; tone++) {
        const unsigned *answers = stream->options.deck->answers[tone];
        share += shares[tone] * answers[0] / (answers[0] + answers[1] + answers[2]);
    }
    return (struct planted_truth){share, stream_volume(entity) / 15 * arrivals_wave(ts_ms)};
}

const struct planted *planted_list(const struct planted_stream *stream, unsigned *count)
{
    *count = stream->list_count;
    return stream->list;
}

static unsigned tone_of(const char *word)
{
    unsigned tone = 0;
    while (tone < PLANTED_TONES && strcmp(tones[tone], word) != 0) tone++;
    return tone;
}

bool planted_read_deck(const char *path, struct planted_deck *deck)
{
    FILE *file = fopen(path, "r");
    char tone[16], answer[16];
    unsigned count, lines = 0;
    *deck = (struct planted_deck){0};
    while (file && fscanf(file, "%15s %15s %u", tone, answer, &count) == 3) {
        if (tone_of(tone) == PLANTED_TONES || tone_of(answer) == PLANTED_TONES) break;
        deck->answers[tone_of(tone)][tone_of(answer)] = count;
        lines++;
    }
    if (file) fclose(file);
    return lines == PLANTED_TONES * PLANTED_TONES;
}
