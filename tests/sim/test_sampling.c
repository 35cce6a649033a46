/* SPDX-License-Identifier: Apache-2.0 */
/* overload: sample. What is skipped must cost recall only, never the budget of false alarms. As a test, a short seed; as a study,
 * `sim_sampling SEEDS [ENTITIES [DAYS]]` prints the table of ops/docs/RELIABILITY.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/judge.h"

static const struct {
    const char *name;
    double share;
    bool share_swings;
} worlds[] = {{"all", 1, false}, {"half", 0.5, false}, {"a fifth", 0.2, false}, {"by turns", 1, true}};
enum { WORLDS = sizeof worlds / sizeof *worlds };

static struct judge_result run(unsigned world, bool events, uint64_t seed, unsigned entities, unsigned days)
{
    struct sq_rule rule = judge_rule();
    const struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = entities, .days = days, .seed = seed, .event_logit = events ? 1.4 : 0, .event_volume = 1.8,
        .first_event_day = 7, .share = worlds[world].share, .share_swings = worlds[world].share_swings,
    };
    struct judge_result r;
    judge_run(&options, &rule, &r);
    return r;
}

static void false_alarms_stay_within_the_budget_whatever_is_skipped(void **state)
{
    (void)state;
    for (unsigned world = 0; world < WORLDS; world++) {
        struct judge_result r = run(world, false, 4, 12, 14);
        printf("%-8s null: false %.2f an entity-week\n", worlds[world].name, judge_false_rate(&r));
        assert_true(judge_false_rate(&r) <= 2.0);
    }
}

static void a_sample_still_finds_events(void **state)
{
    (void)state;
    struct judge_result all = run(0, true, 5, 12, 14), half = run(1, true, 5, 12, 14);
    printf("recall %.2f of all, %.2f of half\n", verdict_recall(&all.verdict), verdict_recall(&half.verdict));
    assert_true(verdict_recall(&all.verdict) >= 0.5);
    assert_true(verdict_recall(&half.verdict) >= 0.6 * verdict_recall(&all.verdict));
}

/* The number of messages is known, scored or not. */
static void a_volume_rule_sees_no_difference(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct judge_result results[2];
    rule.type = SQ_RULE_VOLUME;
    for (unsigned i = 0; i < 2; i++) {
        const struct stream_options options = {.kind = STREAM_MATCHED, .entities = 6, .days = 14, .seed = 6, .event_logit = 1e-9, .event_volume = 4,
                                               .first_event_day = 7, .no_copies = true, .share = i ? 0.2 : 1};
        judge_run(&options, &rule, &results[i]);
    }
    assert_true(results[0].verdict.alerts > 0);
    assert_int_equal(results[0].verdict.alerts, results[1].verdict.alerts);
    assert_int_equal(results[0].verdict.met[PLANTED_EVENT], results[1].verdict.met[PLANTED_EVENT]);
}

static int study(uint64_t seeds, unsigned entities, unsigned days)
{
    for (unsigned world = 0; world < WORLDS; world++) {
        double false_rate = 0, recall = 0, delay = 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct judge_result null = run(world, false, 200 + seed, entities, days), events = run(world, true, 200 + seed, entities, days);
            false_rate += judge_false_rate(&null) / (double)seeds;
            recall += verdict_recall(&events.verdict) / (double)seeds;
            delay += events.verdict.delay_minutes / (double)seeds;
        }
        printf("%-8s mean of %llu: null %.2f false an entity-week; events: recall %.3f, delay %.0f min\n", worlds[world].name,
               (unsigned long long)seeds, false_rate, recall, delay);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        unsigned entities = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 36, days = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 28;
        return study(strtoull(argv[1], NULL, 10), entities, days);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(false_alarms_stay_within_the_budget_whatever_is_skipped),
        cmocka_unit_test(a_sample_still_finds_events),
        cmocka_unit_test(a_volume_rule_sees_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
