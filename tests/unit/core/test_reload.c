/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that change under a running detector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/lib/judge.h"
#include "tests/lib/stream.h"
#include "worker/core/reload.h"

static struct sq_err err;

struct told {
    unsigned firing, resolved, removed;
    uint64_t digest; /* of everything told, in order */
};

static int note(const struct sq_alert *alert, void *ctx)
{
    struct told *told = ctx;
    told->firing += alert->state == SQ_ALERT_FIRING;
    told->resolved += alert->state == SQ_ALERT_RESOLVED;
    told->removed += alert->reason == SQ_REASON_RULE_REMOVED;
    told->digest = (told->digest * UINT64_C(1099511628211)) ^ alert->alert_id ^ alert->seq ^ (uint64_t)alert->at_ms << 8;
    return 0;
}

static struct sq_detector *open_detector(const struct sq_rule *rules, unsigned rules_count)
{
    struct sq_detector *detector;
    const struct sq_detector_options options = {
        .app = "squall", .mode = "live", .rules = rules, .rules_count = rules_count, .time = judge_time(), .model_name = ""};
    if (sq_detector_open(&detector, &options, &err)) fail_msg("%s", err.message);
    return detector;
}

static void reload(struct sq_detector **detector, const struct sq_rule *rules, unsigned rules_count, struct told *told)
{
    struct sq_detector *next;
    const struct sq_detector_options options = {
        .app = "squall", .mode = "live", .rules = rules, .rules_count = rules_count, .time = judge_time(), .model_name = ""};
    if (sq_detector_reload(*detector, &options, &next, &err)) fail_msg("%s", err.message);
    sq_detector_close(*detector);
    *detector = next;
    if (sq_detector_take_over(*detector, note, told, &err)) fail_msg("%s", err.message);
}

/* A week with events, under one rule. At record `at` (0: never) the rules become those of `changed`. */
static struct told run(const struct sq_rule *rule, uint64_t at, const struct sq_rule *changed, unsigned changed_count)
{
    const struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = 6, .days = 6, .seed = 9, .event_logit = 2.5, .event_volume = 3, .first_event_day = 2};
    struct stream *stream = stream_open(&options);
    struct sq_detector *detector = open_detector(rule, 1);
    struct sq_score score = {0};
    struct told told = {0};
    for (uint64_t record = 1; stream_next(stream, &score); record++) {
        if (sq_detector_take(detector, &score, score.event_time_ms, note, &told, &err)) fail_msg("%s", err.message);
        if (record == at) reload(&detector, changed, changed_count, &told);
    }
    sq_detector_close(detector);
    stream_close(stream);
    return told;
}

static void the_same_rules_change_nothing(void **state)
{
    (void)state;
    const struct sq_rule rule = judge_rule();
    const struct told plain = run(&rule, 0, NULL, 0);
    assert_true(plain.firing > 5);
    for (uint64_t at = 1; at < 60000; at += 9973) {
        const struct told again = run(&rule, at, &rule, 1);
        assert_true(again.digest == plain.digest && again.firing == plain.firing);
    }
}

static void a_rule_that_goes_ends_its_alerts(void **state)
{
    (void)state;
    const struct sq_rule rule = judge_rule();
    unsigned removed = 0;
    for (uint64_t at = 5000; at < 60000; at += 2503) {
        const struct told told = run(&rule, at, NULL, 0);
        assert_int_equal(told.resolved, told.firing); /* open ones among them, by rule_removed */
        removed += told.removed;
    }
    assert_true(removed > 0);
}

static void a_rule_that_comes_starts_cold_beside_the_one_that_stays(void **state)
{
    (void)state;
    struct sq_rule rules[2] = {judge_rule(), judge_rule()};
    snprintf(rules[1].name, sizeof rules[1].name, "Second");
    const struct told plain = run(&rules[0], 0, NULL, 0), both = run(&rules[0], 1000, rules, 2);
    assert_true(both.firing > plain.firing && both.firing <= 2 * plain.firing + 2);
    assert_int_equal(both.removed, 0);
}

static void wrong_rules_leave_the_old_ones(void **state)
{
    (void)state;
    const struct sq_rule rule = judge_rule();
    struct sq_rule wrong = judge_rule();
    wrong.windows_count = 0;
    struct sq_detector *detector = open_detector(&rule, 1), *next;
    const struct sq_detector_options options = {
        .app = "squall", .mode = "live", .rules = &wrong, .rules_count = 1, .time = judge_time(), .model_name = ""};
    const struct sq_score score = {.entity = SQ_STR("e"), .event_time_ms = 1767225600000, .label = SQ_STR("negative")};
    assert_int_equal(sq_detector_reload(detector, &options, &next, &err), SQ_E_CONFIG);
    assert_null(next);
    assert_int_equal(sq_detector_take(detector, &score, score.event_time_ms, NULL, NULL, &err), 0);
    sq_detector_close(detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rules_change_nothing),
        cmocka_unit_test(a_rule_that_goes_ends_its_alerts),
        cmocka_unit_test(a_rule_that_comes_starts_cold_beside_the_one_that_stays),
        cmocka_unit_test(wrong_rules_leave_the_old_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
