/* SPDX-License-Identifier: Apache-2.0 */
/* The detector at its defaults on made streams: recall, false alerts, delay. As a test, one short seed of each with generous bounds;
 * as a study, `sim_study SEEDS [ENTITIES [DAYS]]` prints the table of ops/docs/DETECTION.md, and `sim_study memory` what 100,000 entities
 * take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <malloc.h>

#include "engine/base/clock.h"
#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "worker/core/detector.h"

static const char *const kinds[] = {"matched", "hawkes", "markov"};

static struct judge_result run(enum stream_kind kind, bool events, uint64_t seed, unsigned entities, unsigned days, double budget)
{
    struct sq_rule rule = judge_rule();
    rule.budget_per_entity_week = budget;
    const struct stream_options options = {
        .kind = kind,
        .entities = entities,
        .days = days,
        .seed = seed,
        .event_logit = events ? 1.4 : 0,
        .event_volume = 1.8,
        .first_event_day = 7,
    };
    struct judge_result r;
    judge_run(&options, &rule, &r);
    const struct verdict *v = &r.verdict;
    printf("%-8s %-6s seed %llu: recall %.3f (%u of %u, %u within 20 min), false %.2f an entity-week (volume 5: %u, 20: %u, 100: %u), "
           "delay %.0f min, reopenings %.2f an alert, %.2f M records/s\n",
           kinds[kind], events ? "events" : "null", (unsigned long long)seed, verdict_recall(v), v->met[0], v->planted[0], v->early, judge_false_rate(&r),
           v->false_by_volume[0], v->false_by_volume[1], v->false_by_volume[2], v->delay_minutes, verdict_ratio(v->reopenings, v->alerts),
           (double)r.records / r.seconds / 1e6);
    fflush(stdout);
    return r;
}

static void finds_events_among_matched_noise(void **state)
{
    (void)state;
    struct judge_result r = run(STREAM_MATCHED, true, 1, 12, 14, 1);
    assert_true(r.verdict.planted[PLANTED_EVENT] >= 20);
    assert_true(verdict_recall(&r.verdict) >= 0.5);
    assert_true(judge_false_rate(&r) <= 2.0);
    assert_true(r.verdict.delay_minutes <= 30);
}

static void keeps_its_budget_without_events(void **state)
{
    (void)state;
    for (enum stream_kind kind = STREAM_MATCHED; kind <= STREAM_MARKOV; kind++) {
        struct judge_result r = run(kind, false, 2, 12, 14, 1);
        assert_true(r.records > 100000);
        assert_true(judge_false_rate(&r) <= 2.0);
    }
}

static void a_burst_of_volume_alone_is_no_event(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = 12, .days = 14, .seed = 3, .event_logit = 1e-9, .event_volume = 4, .first_event_day = 7};
    struct judge_result r;
    judge_run(&options, &rule, &r);
    printf("volume x 4: %u of %u bursts met by an alert\n", r.verdict.met[PLANTED_EVENT], r.verdict.planted[PLANTED_EVENT]);
    assert_true(r.verdict.planted[PLANTED_EVENT] >= 20);
    assert_true(verdict_recall(&r.verdict) <= 0.1);
}

static int study(uint64_t seeds, unsigned entities, unsigned days)
{
    for (enum stream_kind kind = STREAM_MATCHED; kind <= STREAM_MARKOV; kind++) {
        for (int events = 1; events >= 0; events--) {
            double recall = 0, early = 0, false_rate = 0, delay = 0, by_volume[VERDICT_VOLUMES] = {0};
            for (uint64_t seed = 1; seed <= seeds; seed++) {
                struct judge_result r = run(kind, events, 100 + seed, entities, days, 1);
                recall += verdict_recall(&r.verdict) / (double)seeds;
                early += verdict_early(&r.verdict) / (double)seeds;
                false_rate += judge_false_rate(&r) / (double)seeds;
                delay += r.verdict.delay_minutes / (double)seeds;
                for (unsigned i = 0; i < VERDICT_VOLUMES; i++)
                    by_volume[i] += r.verdict.false_by_volume[i] * VERDICT_VOLUMES / r.entity_weeks / (double)seeds;
            }
            printf("%-8s %-6s mean of %llu: recall %.3f, within 20 min %.3f, false %.2f (by volume %.2f %.2f %.2f), delay %.0f\n", kinds[kind],
                   events ? "events" : "null", (unsigned long long)seeds, recall, early, false_rate, by_volume[0], by_volume[1], by_volume[2], delay);
        }
    }
    return 0;
}

/* Two hours and a half of 100,000 entities with 8 messages an hour each, a seventh of them negative with an excerpt of 120 bytes. */
static int memory(void)
{
    enum { ENTITIES = 100000, MESSAGES = 20 };
    static const char excerpt[] = "one hundred and twenty bytes of a text that somebody wrote about the battery of a phone that died after two days of rain..";
    struct sq_err err;
    struct sq_detector *detector;
    struct sq_rule rule = judge_rule();
    const struct sq_detector_options options = {
        .app = "squall", .mode = "replay", .rules = &rule, .rules_count = 1, .time = judge_time(), .model_name = ""};
    size_t before = mallinfo2().uordblks;
    if (sq_detector_open(&detector, &options, &err)) return 1;
    struct test_random random = {1};
    uint64_t started_ns = sq_clock_thread_cpu_ns();
    int64_t ts_ms = 1767225600000;
    for (unsigned i = 0; i < ENTITIES * MESSAGES; i++) {
        char entity[32];
        snprintf(entity, sizeof entity, "some-entity-%u", test_random_below(&random, ENTITIES));
        bool negative = test_random_below(&random, 7) == 0;
        ts_ms += i % 2 ? 4 : 5;
        const struct sq_score score = {
            .source = {SQ_STR("posts"), 0, i}, .entity = sq_str_view(entity), .event_time_ms = ts_ms, .score = 0.9f,
            .label = negative ? SQ_STR("negative") : SQ_STR("neutral"), .text_hash = test_random_bits(&random) | 1,
            .author_hash = test_random_bits(&random) | 1, .excerpt = negative ? sq_str_view(excerpt) : (struct sq_str){0}};
        if (sq_detector_take(detector, &score, ts_ms, NULL, NULL, &err)) return 1;
    }
    double seconds = (double)(sq_clock_thread_cpu_ns() - started_ns) / 1e9;
    size_t bytes = mallinfo2().uordblks - before;
    printf("%u entities: %.1f MB, %zu bytes each; %.0f scores and %.0f evaluations a second\n", sq_detector_counts(detector)->entities,
           (double)bytes / 1e6, bytes / ENTITIES, ENTITIES * MESSAGES / seconds, (double)sq_detector_counts(detector)->evaluations / seconds);
    sq_detector_close(detector);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "memory") == 0) return memory();
    if (argc > 1) {
        unsigned entities = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 36, days = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 28;
        return study(strtoull(argv[1], NULL, 10), entities, days);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_events_among_matched_noise),
        cmocka_unit_test(keeps_its_budget_without_events),
        cmocka_unit_test(a_burst_of_volume_alone_is_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
