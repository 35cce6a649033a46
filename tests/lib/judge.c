/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "worker/core/detector.h"
#include "worker/core/sample.h"

enum { MINUTE_MS = 60000, BATCH = 1024 };
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
        .max_per_text = 1,
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

struct notes {
    struct firings firings;
    unsigned resolved;
};

static int note(const struct sq_alert *alert, void *ctx)
{
    struct notes *notes = ctx;
    notes->resolved += alert->state == SQ_ALERT_RESOLVED;
    if (alert->state == SQ_ALERT_FIRING)
        firings_note(&notes->firings, stream_entity_of(alert->entity), alert->at_ms, alert->reason == SQ_REASON_REOPEN);
    return 0;
}

static void must(int status, const struct sq_err *err)
{
    if (status == 0) return;
    fprintf(stderr, "%s\n", err->message);
    abort();
}

static void skip_some(const struct stream_options *options, struct sq_score *score)
{
    static const double turns[] = {1, 0.5, 0.2};
    double share = options->share_swings ? turns[score->event_time_ms / (6 * 3600000) % 3] : options->share > 0 ? options->share : 1;
    score->skipped = !sq_sample_takes(share, score->entity, &score->source);
    if (!score->skipped) return; /* a stream fills in what it has; the rest is as it was before */
    *score = (struct sq_score){.source = score->source, .entity = score->entity, .event_time_ms = score->event_time_ms, .skipped = true, .share = (float)share};
}

/* Records are made apart from where they are taken, so that only the detector's time is measured. */
static unsigned read_batch(const struct stream_options *options, struct stream *stream, struct sq_score *batch)
{
    unsigned count = 0;
    while (count < BATCH && stream_next(stream, &batch[count])) skip_some(options, &batch[count++]);
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

    struct notes notes = {0};
    struct stream *stream = stream_open(options);
    static struct sq_score batch[BATCH];
    unsigned batch_count;
    uint64_t taking_ns = 0;
    while ((batch_count = read_batch(options, stream, batch)) > 0) {
        uint64_t begin_ns = sq_clock_thread_cpu_ns();
        for (unsigned i = 0; i < batch_count; i++)
            must(sq_detector_take(detector, &batch[i], batch[i].event_time_ms, note, &notes, &err), &err);
        taking_ns += sq_clock_thread_cpu_ns() - begin_ns;
        result->records += batch_count;
    }
    must(sq_detector_finish(detector, note, &notes, &err), &err);
    unsigned events_count;
    const struct planted *events = stream_events(stream, &events_count);
    result->verdict = verdict_of(events, events_count, &notes.firings);
    result->resolved = notes.resolved;
    result->open = sq_detector_counts(detector)->firing_warning + sq_detector_counts(detector)->firing_critical;
    result->entity_weeks = options->entities * ((double)options->days - VERDICT_WARMUP_DAYS) / 7;
    result->seconds = (double)taking_ns / 1e9;
    free(notes.firings.items);
    stream_close(stream);
    sq_detector_close(detector);
}

double judge_false_rate(const struct judge_result *result) { return result->verdict.false_alerts / result->entity_weeks; }
