/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/arrivals.h"

enum { NAME_BYTES = 8, CASCADE_STEPS = 6 };
static const int64_t day_ms = ARRIVALS_DAY_MS;
static const double share_rho = 0.03, copies_negative = 0.35;

struct subject {
    char name[NAME_BYTES];
    double logit, drift, regime;
    int64_t next_event_ms, event_start_ms, event_end_ms;
    unsigned cascade_steps, cascade_copies; /* a step */
    uint64_t cascade_text;
    bool cascade_negative;
    struct arrivals later; /* Hawkes: children still to come */
};

struct stream {
    struct stream_options options;
    struct test_random random;
    struct subject *subjects;
    struct arrivals step; /* the current step's messages, in order of time */
    size_t at;
    unsigned steps_done;
    int64_t offset;
    struct planted *events;
    unsigned events_count;
};

double stream_volume(unsigned entity)
{
    static const double volumes[] = {5, 20, 100};
    return volumes[entity % 3];
}

unsigned stream_entity_of(struct sq_str name) { return (unsigned)strtoul(name.data + 1, NULL, 10); }

/* ---- Events ---- */

static void plan_event(struct stream *stream, unsigned entity, int64_t not_before_ms)
{
    static const int64_t minutes[] = {30, 60, 120};
    struct subject *subject = &stream->subjects[entity];
    subject->event_start_ms = not_before_ms + (int64_t)(test_random_real(&stream->random) * 2 * (double)day_ms);
    subject->event_start_ms -= subject->event_start_ms % 60000;
    subject->event_end_ms = subject->event_start_ms + minutes[test_random_below(&stream->random, 3)] * 60000;
    if (subject->event_end_ms > ARRIVALS_START_MS + (int64_t)stream->options.days * day_ms) {
        subject->event_start_ms = INT64_MAX;
        return;
    }
    stream->events = realloc(stream->events, (stream->events_count + 1) * sizeof *stream->events);
    if (!stream->events) abort();
    stream->events[stream->events_count++] =
        (struct planted){.entity = entity, .kind = PLANTED_EVENT, .start_ms = subject->event_start_ms, .end_ms = subject->event_end_ms};
}

static bool in_event(const struct subject *subject, int64_t ts_ms) { return ts_ms >= subject->event_start_ms && ts_ms < subject->event_end_ms; }

/* ---- One step of one entity ---- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

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
static void spread(struct stream *stream, struct arrival message, double share, bool burst_negative)
{
    arrivals_add(&stream->subjects[message.entity].later, message);
    for (unsigned children = test_random_poisson(&stream->random, 0.6); children > 0; children--) {
        bool same = test_random_real(&stream->random) < 0.7;
        bool negative = same ? burst_negative : test_random_real(&stream->random) < share;
        int64_t delay_ms = (int64_t)test_random_exponential(&stream->random, 600000);
        spread(stream, arrivals_make(&stream->random, message.entity, message.ts_ms + delay_ms, negative), share, burst_negative);
    }
}

static void add_messages(struct stream *stream, unsigned entity, int64_t from_ms)
{
    struct subject *subject = &stream->subjects[entity];
    struct test_random *random = &stream->random;
    double logit = step_logit(stream, subject), usual = step_share(stream, logit), event = step_share(stream, logit + stream->options.event_logit);
    double rate = stream_volume(entity) / 3 * arrivals_wave(from_ms);
    bool hawkes = stream->options.kind == STREAM_HAWKES;
    rate *= hawkes ? 0.4 : test_random_gamma(random, 4) / 4;
    bool busy = in_event(subject, from_ms + ARRIVALS_STEP_MS / 2);
    unsigned count = test_random_poisson(random, busy ? rate * stream->options.event_volume : rate);
    for (; count > 0; count--) {
        int64_t ts_ms = from_ms + test_random_below(random, ARRIVALS_STEP_MS);
        double share = in_event(subject, ts_ms) ? event : usual;
        struct arrival message = arrivals_make(&stream->random, entity, ts_ms, test_random_real(random) < share);
        if (hawkes) spread(stream, message, share, message.label);
        else arrivals_add(&stream->step, message);
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
        struct arrival copy = arrivals_make(&stream->random, entity, from_ms + test_random_below(random, ARRIVALS_STEP_MS), subject->cascade_negative);
        copy.text_hash = subject->cascade_text;
        arrivals_add(&stream->step, copy);
    }
}

static void make_step(struct stream *stream)
{
    int64_t from_ms = ARRIVALS_START_MS + (int64_t)stream->steps_done++ * ARRIVALS_STEP_MS;
    stream->step.count = stream->at = 0;
    for (unsigned entity = 0; entity < stream->options.entities; entity++) {
        struct subject *subject = &stream->subjects[entity];
        if (subject->event_end_ms <= from_ms) plan_event(stream, entity, subject->event_end_ms + day_ms);
        add_messages(stream, entity, from_ms);
        if (!stream->options.no_copies) add_copies(stream, entity, from_ms);
        arrivals_take_due(&subject->later, from_ms + ARRIVALS_STEP_MS, &stream->step);
    }
    arrivals_sort(&stream->step);
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
        if (options->event_logit > 0) plan_event(stream, i, ARRIVALS_START_MS + (int64_t)options->first_event_day * day_ms);
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
        if (stream->steps_done == stream->options.days * ARRIVALS_STEPS_A_DAY) return false;
        make_step(stream);
    }
    const struct arrival *message = &stream->step.items[stream->at++];
    score->source = (struct sq_coordinates){SQ_STR("made"), 0, stream->offset++};
    score->entity = sq_str_view(stream->subjects[message->entity].name);
    score->event_time_ms = message->ts_ms;
    score->label = message->label ? SQ_STR("negative") : SQ_STR("neutral");
    score->score = 0.5f + 0.5f * (float)(message->text_hash >> 40) * 0x1p-24f;
    score->text_hash = message->text_hash;
    score->author_hash = message->author_hash;
    return true;
}

const struct planted *stream_events(const struct stream *stream, unsigned *count)
{
    *count = stream->events_count;
    return stream->events;
}
