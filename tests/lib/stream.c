/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/random.h"

enum { STEP_MS = 5 * 60 * 1000, STEPS_A_DAY = 288, DAY_MS = STEP_MS * STEPS_A_DAY, NAME_BYTES = 8, CASCADE_STEPS = 6 };
static const int64_t start_ms = 1767225600000; /* 2026-01-01 */
static const double share_rho = 0.03, copies_negative = 0.35;

struct message {
    int64_t ts_ms;
    unsigned entity;
    bool negative;
    uint64_t text_hash, author_hash;
};

struct messages {
    struct message *items;
    size_t count, capacity;
};

struct subject {
    char name[NAME_BYTES];
    double logit, drift, regime;
    int64_t next_event_ms, event_start_ms, event_end_ms;
    unsigned cascade_steps, cascade_copies; /* a step */
    uint64_t cascade_text;
    bool cascade_negative;
    struct messages later; /* Hawkes: children still to come */
};

struct stream {
    struct stream_options options;
    struct test_random random;
    struct subject *subjects;
    struct messages step; /* the current step's messages, in order of time */
    size_t at;
    unsigned steps_done;
    int64_t offset;
    struct stream_event *events;
    unsigned events_count;
};

double stream_volume(unsigned entity)
{
    static const double volumes[] = {5, 20, 100};
    return volumes[entity % 3];
}

unsigned stream_entity_of(struct sq_str name) { return (unsigned)strtoul(name.data + 1, NULL, 10); }

static void push(struct messages *messages, struct message message)
{
    if (messages->count == messages->capacity) {
        messages->capacity = messages->capacity ? 2 * messages->capacity : 64;
        messages->items = realloc(messages->items, messages->capacity * sizeof message);
        if (!messages->items) abort();
    }
    messages->items[messages->count++] = message;
}

/* ---- Events ---- */

static void plan_event(struct stream *stream, unsigned entity, int64_t not_before_ms)
{
    static const int64_t minutes[] = {30, 60, 120};
    struct subject *subject = &stream->subjects[entity];
    subject->event_start_ms = not_before_ms + (int64_t)(test_random_real(&stream->random) * 2 * DAY_MS);
    subject->event_start_ms -= subject->event_start_ms % 60000;
    subject->event_end_ms = subject->event_start_ms + minutes[test_random_below(&stream->random, 3)] * 60000;
    if (subject->event_end_ms > start_ms + (int64_t)stream->options.days * DAY_MS) {
        subject->event_start_ms = INT64_MAX;
        return;
    }
    stream->events = realloc(stream->events, (stream->events_count + 1) * sizeof *stream->events);
    if (!stream->events) abort();
    stream->events[stream->events_count++] = (struct stream_event){entity, subject->event_start_ms, subject->event_end_ms};
}

static bool in_event(const struct subject *subject, int64_t ts_ms) { return ts_ms >= subject->event_start_ms && ts_ms < subject->event_end_ms; }

/* ---- One step of one entity ---- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static struct message make(struct stream *stream, unsigned entity, int64_t ts_ms, bool negative)
{
    return (struct message){ts_ms, entity, negative, test_random_bits(&stream->random) | 1, test_random_bits(&stream->random) | 1};
}

/* The share this step's messages are drawn from, event aside. */
static double step_logit(struct stream *stream, struct subject *subject)
{
    struct test_random *random = &stream->random;
    if (stream->options.kind == STREAM_MARKOV) {
        if (test_random_real(random) < 1.0 / 48) subject->regime = 0.35 * ((double)test_random_below(random, 3) - 1);
        return subject->logit + subject->regime;
    }
    subject->drift = 0.998 * subject->drift + 0.02 * test_random_normal(random);
    return subject->logit + subject->drift;
}

static double step_share(struct stream *stream, double logit)
{
    double p = sigmoid(logit), m = 1 / share_rho - 1;
    return stream->options.kind == STREAM_MATCHED ? test_random_beta(&stream->random, p * m, (1 - p) * m) : p;
}

/* A message and, for Hawkes, the cascade it sets off. */
static void spread(struct stream *stream, struct message message, double share, bool burst_negative)
{
    push(&stream->subjects[message.entity].later, message);
    for (unsigned children = test_random_poisson(&stream->random, 0.6); children > 0; children--) {
        bool same = test_random_real(&stream->random) < 0.7;
        bool negative = same ? burst_negative : test_random_real(&stream->random) < share;
        int64_t delay_ms = (int64_t)test_random_exponential(&stream->random, 600000);
        spread(stream, make(stream, message.entity, message.ts_ms + delay_ms, negative), share, burst_negative);
    }
}

static void add_messages(struct stream *stream, unsigned entity, int64_t from_ms)
{
    struct subject *subject = &stream->subjects[entity];
    struct test_random *random = &stream->random;
    double logit = step_logit(stream, subject), usual = step_share(stream, logit), event = step_share(stream, logit + stream->options.event_logit);
    double day = (double)(from_ms % DAY_MS) / DAY_MS;
    double rate = stream_volume(entity) / 3 * (1 + 0.6 * sin(6.283185307179586 * day));
    bool hawkes = stream->options.kind == STREAM_HAWKES;
    rate *= hawkes ? 0.4 : test_random_gamma(random, 4) / 4;
    bool busy = in_event(subject, from_ms + STEP_MS / 2);
    unsigned count = test_random_poisson(random, busy ? rate * stream->options.event_volume : rate);
    for (; count > 0; count--) {
        int64_t ts_ms = from_ms + test_random_below(random, STEP_MS);
        double share = in_event(subject, ts_ms) ? event : usual;
        struct message message = make(stream, entity, ts_ms, test_random_real(random) < share);
        if (hawkes) spread(stream, message, share, message.negative);
        else push(&stream->step, message);
    }
}

/* Now and then one text is passed on many times, by as many authors. */
static void add_copies(struct stream *stream, unsigned entity, int64_t from_ms)
{
    struct subject *subject = &stream->subjects[entity];
    struct test_random *random = &stream->random;
    if (subject->cascade_steps == 0 && test_random_real(random) < 0.004) {
        double copies = 3 + test_random_between(random, 0.2, 0.8) * stream_volume(entity);
        subject->cascade_steps = CASCADE_STEPS;
        subject->cascade_copies = (unsigned)ceil(copies / CASCADE_STEPS);
        subject->cascade_text = test_random_bits(random) | 1;
        subject->cascade_negative = test_random_real(random) < copies_negative;
    }
    if (subject->cascade_steps == 0) return;
    subject->cascade_steps--;
    for (unsigned i = 0; i < subject->cascade_copies; i++) {
        struct message copy = make(stream, entity, from_ms + test_random_below(random, STEP_MS), subject->cascade_negative);
        copy.text_hash = subject->cascade_text;
        push(&stream->step, copy);
    }
}

/* Moves the cascade messages that fall into the step. */
static void take_due(struct stream *stream, struct subject *subject, int64_t to_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < subject->later.count; i++) {
        if (subject->later.items[i].ts_ms < to_ms) push(&stream->step, subject->later.items[i]);
        else subject->later.items[kept++] = subject->later.items[i];
    }
    subject->later.count = kept;
}

static int by_time(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->ts_ms != b->ts_ms) return a->ts_ms < b->ts_ms ? -1 : 1;
    return (a->text_hash > b->text_hash) - (a->text_hash < b->text_hash);
}

static void make_step(struct stream *stream)
{
    int64_t from_ms = start_ms + (int64_t)stream->steps_done++ * STEP_MS;
    stream->step.count = stream->at = 0;
    for (unsigned entity = 0; entity < stream->options.entities; entity++) {
        struct subject *subject = &stream->subjects[entity];
        if (subject->event_end_ms <= from_ms) plan_event(stream, entity, subject->event_end_ms + DAY_MS);
        add_messages(stream, entity, from_ms);
        if (!stream->options.no_copies) add_copies(stream, entity, from_ms);
        take_due(stream, subject, from_ms + STEP_MS);
    }
    if (stream->step.count) qsort(stream->step.items, stream->step.count, sizeof *stream->step.items, by_time);
}

/* ---- The stream ---- */

struct stream *stream_open(const struct stream_options *options)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) abort();
    stream->options = *options;
    stream->random.state = options->seed * 0x9e3779b97f4a7c15u + options->kind;
    stream->subjects = calloc(options->entities, sizeof *stream->subjects);
    if (!stream->subjects) abort();
    for (unsigned i = 0; i < options->entities; i++) {
        struct subject *subject = &stream->subjects[i];
        snprintf(subject->name, sizeof subject->name, "e%u", i % 100000);
        double p = test_random_between(&stream->random, 0.08, 0.25);
        subject->logit = log(p / (1 - p));
        subject->event_start_ms = subject->event_end_ms = INT64_MAX;
        if (options->event_logit > 0) plan_event(stream, i, start_ms + (int64_t)options->first_event_day * DAY_MS);
    }
    return stream;
}

void stream_close(struct stream *stream)
{
    for (unsigned i = 0; i < stream->options.entities; i++) free(stream->subjects[i].later.items);
    free(stream->subjects);
    free(stream->step.items);
    free(stream->events);
    free(stream);
}

bool stream_next(struct stream *stream, struct sq_score *score)
{
    while (stream->at == stream->step.count) {
        if (stream->steps_done == stream->options.days * STEPS_A_DAY) return false;
        make_step(stream);
    }
    const struct message *message = &stream->step.items[stream->at++];
    score->source = (struct sq_coordinates){SQ_STR("made"), 0, stream->offset++};
    score->entity = sq_str_view(stream->subjects[message->entity].name);
    score->event_time_ms = message->ts_ms;
    score->label = message->negative ? SQ_STR("negative") : SQ_STR("neutral");
    score->score = 0.5f + 0.5f * (float)(message->text_hash >> 40) * 0x1p-24f;
    score->text_hash = message->text_hash;
    score->author_hash = message->author_hash;
    return true;
}

const struct stream_event *stream_events(const struct stream *stream, unsigned *count)
{
    *count = stream->events_count;
    return stream->events;
}
