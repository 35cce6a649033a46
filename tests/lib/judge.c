/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "worker/core/detector.h"

enum { MINUTE_MS = 60000, WARMUP_DAYS = 7, BATCH = 1024 };
static const int64_t day_ms = INT64_C(24) * 60 * MINUTE_MS, hour_ms = INT64_C(60) * MINUTE_MS;

struct sq_rule judge_rule(void)
{
    struct sq_rule rule = {
        .name = "NegativeSpike",
        .type = SQ_RULE_RATE,
        .label = "negative",
        .windows_ms = {15 * MINUTE_MS, 60 * MINUTE_MS},
        .windows_count = 2,
        .budget_per_entity_week = 1,
        .min_messages = 10,
        .min_matched = 5,
        .min_authors = 3,
        .min_lift_pp = 5,
        .min_lift_ratio = 1.5,
        .max_per_text = 2,
        .max_per_author = 3,
        .half_life_ms = 7 * day_ms,
        .guard_ms = hour_ms,
        .warmup_ms = 2 * day_ms,
        .warmup_messages = 200,
        .resolve_after_ms = 30 * MINUTE_MS,
        .expire_after_ms = 6 * hour_ms,
        .reopen_within_ms = 6 * hour_ms,
        .repeat_first_ms = 15 * MINUTE_MS,
        .repeat_max_ms = 4 * hour_ms,
        .summary = "{{entity}}: {{matched}} of {{count}} negative, usual {{baseline_rate}}",
    };
    return rule;
}

struct sq_time_rules judge_time(void)
{
    return (struct sq_time_rules){.bucket_ms = MINUTE_MS, .watermark_delay_ms = 30000, .idle_after_ms = 60000, .allowed_lateness_ms = 600000};
}

struct firing {
    unsigned entity;
    int64_t at_ms;
    bool reopened;
};

struct firings {
    struct firing *items;
    unsigned count;
    struct judge_result *result;
};

static int note(const struct sq_alert *alert, void *ctx)
{
    struct firings *firings = ctx;
    if (alert->state == SQ_ALERT_RESOLVED) firings->result->resolved++;
    if (alert->state != SQ_ALERT_FIRING) return 0;
    firings->items = realloc(firings->items, (firings->count + 1) * sizeof *firings->items);
    if (!firings->items) abort();
    firings->items[firings->count++] =
        (struct firing){stream_entity_of(alert->entity), alert->at_ms, alert->reason == SQ_REASON_REOPEN};
    return 0;
}

static int by_size(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void judge_events(const struct stream_event *events, unsigned events_count, const struct firings *firings, struct judge_result *result)
{
    double *delays = calloc(events_count + 1, sizeof *delays);
    if (!delays) abort();
    for (unsigned i = 0; i < events_count; i++) {
        const struct stream_event *event = &events[i];
        for (unsigned f = 0; f < firings->count; f++) {
            const struct firing *firing = &firings->items[f];
            if (firing->entity != event->entity || firing->at_ms < event->start_ms || firing->at_ms >= event->end_ms + 15 * MINUTE_MS) continue;
            delays[result->hits++] = (double)(firing->at_ms - event->start_ms) / MINUTE_MS;
            if (firing->at_ms - event->start_ms <= 20 * MINUTE_MS) result->early++;
            break;
        }
    }
    result->events = events_count;
    qsort(delays, result->hits, sizeof *delays, by_size);
    result->delay_minutes = result->hits ? delays[result->hits / 2] : 0;
    free(delays);
}

static bool is_near_an_event(const struct stream_event *events, unsigned events_count, const struct firing *firing)
{
    for (unsigned i = 0; i < events_count; i++)
        if (events[i].entity == firing->entity && firing->at_ms >= events[i].start_ms && firing->at_ms < events[i].end_ms + hour_ms) return true;
    return false;
}

static void judge_firings(const struct stream_event *events, unsigned events_count, const struct firings *firings, int64_t from_ms,
                          struct judge_result *result)
{
    for (unsigned i = 0; i < firings->count; i++) {
        const struct firing *firing = &firings->items[i];
        if (firing->at_ms < from_ms) continue;
        if (firing->reopened) {
            result->reopenings++;
            continue;
        }
        result->alerts++;
        if (is_near_an_event(events, events_count, firing)) continue;
        result->false_alerts++;
        result->false_by_volume[firing->entity % 3]++;
    }
}

static void must(int status, const struct sq_err *err)
{
    if (status == 0) return;
    fprintf(stderr, "%s\n", err->message);
    abort();
}

/* Records are made apart from where they are taken, so that only the detector's time is measured. */
static unsigned read_batch(struct stream *stream, struct sq_score *batch)
{
    unsigned count = 0;
    while (count < BATCH && stream_next(stream, &batch[count])) count++;
    return count;
}

void judge_run(const struct stream_options *options, const struct sq_rule *rule, struct judge_result *result)
{
    *result = (struct judge_result){0};
    struct sq_err err;
    struct sq_detector *detector;
    const struct sq_detector_options detector_options = {
        .app = "squall", .mode = "replay", .rules = rule, .rules_count = 1, .time = judge_time(), .model_name = ""};
    must(sq_detector_open(&detector, &detector_options, &err), &err);

    struct firings firings = {.result = result};
    struct stream *stream = stream_open(options);
    static struct sq_score batch[BATCH];
    unsigned batch_count;
    int64_t first_ms = 0;
    uint64_t taking_ns = 0;
    while ((batch_count = read_batch(stream, batch)) > 0) {
        if (first_ms == 0) first_ms = batch[0].event_time_ms;
        uint64_t begin_ns = sq_clock_thread_cpu_ns();
        for (unsigned i = 0; i < batch_count; i++)
            must(sq_detector_take(detector, &batch[i], batch[i].event_time_ms, note, &firings, &err), &err);
        taking_ns += sq_clock_thread_cpu_ns() - begin_ns;
        result->records += batch_count;
    }
    must(sq_detector_finish(detector, note, &firings, &err), &err);
    unsigned events_count;
    const struct stream_event *events = stream_events(stream, &events_count);
    judge_events(events, events_count, &firings, result);
    judge_firings(events, events_count, &firings, first_ms + WARMUP_DAYS * day_ms, result);
    result->open = sq_detector_counts(detector)->firing_warning + sq_detector_counts(detector)->firing_critical;
    result->entity_weeks = options->entities * ((double)options->days - WARMUP_DAYS) / 7;
    result->seconds = (double)taking_ns / 1e9;
    free(firings.items);
    stream_close(stream);
    sq_detector_close(detector);
}

double judge_recall(const struct judge_result *result) { return result->events ? (double)result->hits / result->events : 0; }
double judge_false_rate(const struct judge_result *result) { return result->false_alerts / result->entity_weeks; }
