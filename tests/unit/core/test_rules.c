/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of rules, and storms over all entities of a partition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "worker/core/detector.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, ENTITIES_MAX = 64, TERM_BYTES = 32 };
static const int64_t day = INT64_C(24) * HOUR;

struct watch {
    struct sq_detector *detector;
    struct sq_rule rule;
    struct sq_alert last, last_storm;  /* strings not valid any more */
    char summary[256], runbook_url[256], term[TERM_BYTES];
    unsigned firing, resolved, storms, storms_resolved;
    struct test_random random;
    int64_t offset;
};

static void keep(char *to, size_t to_bytes, struct sq_str from) { snprintf(to, to_bytes, "%.*s", (int)from.bytes, from.data ? from.data : ""); }

static int tell(const struct sq_alert *alert, void *ctx)
{
    struct watch *watch = ctx;
    bool is_storm = alert->kind == SQ_ALERT_STORM;
    if (alert->state == SQ_ALERT_FIRING) ++*(is_storm ? &watch->storms : &watch->firing);
    if (alert->state == SQ_ALERT_RESOLVED) ++*(is_storm ? &watch->storms_resolved : &watch->resolved);
    *(is_storm ? &watch->last_storm : &watch->last) = *alert;
    keep(watch->summary, sizeof watch->summary, alert->summary);
    keep(watch->runbook_url, sizeof watch->runbook_url, alert->runbook_url);
    if (alert->terms_count > 0) keep(watch->term, sizeof watch->term, alert->terms[0].term);
    return 0;
}

static void open_watch(struct watch *watch)
{
    struct sq_err err;
    const struct sq_detector_options options = {
        .app = "squall", .mode = "replay", .rules = &watch->rule, .rules_count = 1, .time = judge_time(), .model_name = "made"};
    if (sq_detector_open(&watch->detector, &options, &err)) fail_msg("%s", err.message);
    watch->random.state = 1;
}

static void take(struct watch *watch, const char *entity, int64_t ts_ms, bool negative, uint64_t text_hash, const char *excerpt)
{
    struct sq_err err;
    const struct sq_score score = {
        .source = {SQ_STR("posts"), 0, watch->offset++}, .entity = sq_str_view(entity), .event_time_ms = ts_ms,
        .label = negative ? SQ_STR("negative") : SQ_STR("neutral"), .score = 0.9f, .text_hash = text_hash,
        .author_hash = test_random_bits(&watch->random) | 1, .excerpt = sq_str_view(excerpt)};
    if (sq_detector_take(watch->detector, &score, ts_ms, tell, watch, &err)) fail_msg("%s", err.message);
}

/* So many entities in step, one message each a step, so many in a hundred negative. */
static void feed(struct watch *watch, unsigned entities, int64_t from_ms, int64_t to_ms, int64_t step_ms, unsigned percent)
{
    for (int64_t ts_ms = from_ms; ts_ms < to_ms; ts_ms += step_ms)
        for (unsigned i = 0; i < entities; i++) {
            char name[16];
            uint64_t text_hash = test_random_bits(&watch->random) | 1;
            bool negative = test_random_below(&watch->random, 100) < percent; /* compilers differ in the order of arguments */
            snprintf(name, sizeof name, "e%02u", i);
            take(watch, name, ts_ms, negative, text_hash, "some words here");
        }
}

static struct watch watch_of(enum sq_rule_type type)
{
    struct watch watch = {.rule = judge_rule()};
    watch.rule.type = type;
    watch.rule.summary[0] = '\0';
    strcpy(watch.rule.runbook_url, "https://runbooks.example/{{rule}}?of={{entity}}");
    return watch;
}

static void a_storm_is_one_alert(void **state)
{
    (void)state;
    unsigned firing[2];
    for (int with = 0; with < 2; with++) {
        struct watch watch = watch_of(SQ_RULE_RATE);
        watch.rule.storm_share = with ? 0.5 : 0;
        open_watch(&watch);
        feed(&watch, 40, 0, 3 * day, 90 * SECOND, 12);
        unsigned before = watch.firing;
        assert_int_equal(watch.storms, 0);
        feed(&watch, 40, 3 * day, 3 * day + 2 * HOUR, 90 * SECOND, 60); /* the feed goes wrong */
        firing[with] = watch.firing - before;
        feed(&watch, 40, 3 * day + 2 * HOUR, 3 * day + 8 * HOUR, 90 * SECOND, 12);
        assert_int_equal(watch.storms, with);
        assert_int_equal(watch.storms_resolved, with);
        if (with) {
            assert_int_equal(watch.last_storm.reason, SQ_REASON_CALM);
            assert_true(watch.last_storm.starts_at_ms <= 3 * day + 15 * MINUTE);
            assert_true(watch.last_storm.fingerprint != watch.last.fingerprint);
            assert_true(watch.firing - before <= 12); /* those that were first, and chance */
        }
        sq_detector_close(watch.detector);
    }
    assert_true(firing[0] >= 38 && firing[1] <= 8);
}

static void a_shadow_counts_as_no_alert_that_fires(void **state)
{
    (void)state;
    for (int shadow = 0; shadow < 2; shadow++) {
        struct watch watch = watch_of(SQ_RULE_RATE);
        watch.rule.is_shadow = shadow;
        open_watch(&watch);
        feed(&watch, 1, 0, 3 * day, 30 * SECOND, 12);
        unsigned before = watch.firing;
        feed(&watch, 1, 3 * day, 3 * day + 30 * MINUTE, 30 * SECOND, 80);
        const struct sq_detector_counts *counts = sq_detector_counts(watch.detector);
        assert_int_equal(watch.firing - before, 1);
        assert_int_equal(counts->firing_warning + counts->firing_critical, shadow ? 0 : 1);
        sq_detector_close(watch.detector);
    }
}

static void a_storm_is_acknowledged_as_any_alert(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_RATE);
    struct sq_err err;
    bool found;
    watch.rule.storm_share = 0.5;
    open_watch(&watch);
    feed(&watch, 40, 0, 3 * day, 90 * SECOND, 12);
    feed(&watch, 40, 3 * day, 3 * day + HOUR, 90 * SECOND, 60);
    assert_int_equal(watch.storms, 1);
    assert_int_equal(sq_detector_acknowledge(watch.detector, watch.last_storm.alert_id, &found, tell, &watch, &err), 0);
    assert_true(found && watch.last_storm.acknowledged);
    assert_int_equal(watch.last_storm.reason, SQ_REASON_ACKNOWLEDGED);
    feed(&watch, 40, 3 * day + HOUR, 3 * day + 2 * HOUR, 90 * SECOND, 60); /* and no reminder comes */
    assert_int_equal(watch.last_storm.reason, SQ_REASON_ACKNOWLEDGED);
    sq_detector_close(watch.detector);
}

static void a_few_entities_are_no_storm(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_RATE);
    watch.rule.storm_share = 0.5;
    open_watch(&watch);
    feed(&watch, 9, 0, 3 * day, 90 * SECOND, 12);
    unsigned before = watch.firing;
    feed(&watch, 9, 3 * day, 3 * day + HOUR, 90 * SECOND, 60);
    assert_int_equal(watch.storms, 0);
    assert_int_equal(watch.firing - before, 9);
    sq_detector_close(watch.detector);
}

static void a_storm_that_stays_is_the_new_level(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_RATE);
    watch.rule.storm_share = 0.5;
    open_watch(&watch);
    feed(&watch, 40, 0, 3 * day, 3 * MINUTE, 12);
    feed(&watch, 40, 3 * day, 5 * day, 3 * MINUTE, 60);
    assert_int_equal(watch.storms, 1);
    assert_int_equal(watch.storms_resolved, 1);
    assert_int_equal(watch.last_storm.reason, SQ_REASON_LEVEL_SHIFT);
    assert_true(watch.firing <= 20);
    sq_detector_close(watch.detector);
}

static void volume_fires_on_messages_whatever_they_say(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_VOLUME);
    open_watch(&watch);
    feed(&watch, 1, 0, 4 * day, 2 * MINUTE, 12);
    assert_int_equal(watch.firing, 0);
    for (int64_t ts_ms = 4 * day; ts_ms < 4 * day + 30 * MINUTE; ts_ms += 15 * SECOND) take(&watch, "e00", ts_ms, false, 77, ""); /* one text */
    assert_int_equal(watch.firing, 1);
    assert_int_equal(watch.last.kind, SQ_ALERT_VOLUME);
    assert_true(watch.last.stats.rate > 60 && watch.last.stats.baseline_rate > 25 && watch.last.stats.baseline_rate < 35); /* an hour */
    assert_true(watch.last.stats.baseline_low < 30 && watch.last.stats.baseline_high > 30);
    assert_true(watch.last.stats.collapsed > 0 && watch.last.stats.count >= watch.last.stats.collapsed);
    feed(&watch, 1, 4 * day + 30 * MINUTE, 4 * day + 4 * HOUR, 2 * MINUTE, 12);
    assert_int_equal(watch.resolved, 1);
    assert_non_null(strstr(watch.summary, " an hour, usual "));
    sq_detector_close(watch.detector);
}

static void take_skipped(struct watch *watch, const char *entity, int64_t ts_ms)
{
    struct sq_err err;
    const struct sq_score score = {
        .source = {SQ_STR("posts"), 0, watch->offset++}, .entity = sq_str_view(entity), .event_time_ms = ts_ms, .skipped = true, .share = 0.25f};
    if (sq_detector_take(watch->detector, &score, ts_ms, tell, watch, &err)) fail_msg("%s", err.message);
}

/* Of four messages one is scored. A volume rule counts all four. */
static void an_alert_from_a_sample_says_so(void **state)
{
    (void)state;
    static const enum sq_rule_type types[] = {SQ_RULE_RATE, SQ_RULE_VOLUME};
    for (unsigned i = 0; i < 2; i++) {
        struct watch watch = watch_of(types[i]);
        open_watch(&watch);
        feed(&watch, 1, 0, 3 * day, 2 * MINUTE, 12);
        for (int64_t ts_ms = 3 * day; ts_ms < 3 * day + HOUR; ts_ms += MINUTE) {
            feed(&watch, 1, ts_ms, ts_ms + 1, MINUTE, 90);
            for (unsigned skipped = 0; skipped < 3; skipped++) take_skipped(&watch, "e00", ts_ms);
        }
        assert_int_equal(watch.firing, 1);
        bool is_sample = types[i] == SQ_RULE_RATE;
        uint32_t skipped = watch.last.stats.skipped, count = watch.last.stats.count; /* the window may begin before the sampling */
        assert_true(is_sample ? skipped > 2 * count && skipped <= 3 * count : skipped == 0);
        assert_int_equal(strstr(watch.summary, " (of a sample: ") != NULL, is_sample);
        sq_detector_close(watch.detector);
    }
}

static void a_threshold_holds_for_its_time_and_never_gets_used_to(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_THRESHOLD);
    watch.rule.above = 0.5;
    watch.rule.resolve_below = 0.4;
    watch.rule.for_ms = 15 * MINUTE;
    watch.rule.repeat_first_ms = 0;
    open_watch(&watch);
    feed(&watch, 1, 0, 6 * HOUR, MINUTE, 30);
    assert_int_equal(watch.firing, 0);
    feed(&watch, 1, 6 * HOUR, 6 * HOUR + 50 * MINUTE, MINUTE, 90);
    assert_int_equal(watch.firing, 1);
    assert_true(watch.last.at_ms - watch.last.starts_at_ms >= 15 * MINUTE);
    assert_int_equal(watch.last.kind, SQ_ALERT_THRESHOLD);
    assert_true(watch.last.stats.threshold == 0.5 && watch.last.stats.strength >= 0.5 && watch.last.stats.baseline_rate == 0.5);
    feed(&watch, 1, 6 * HOUR + 50 * MINUTE, 2 * day, MINUTE, 90); /* longer than a level shift takes */
    assert_int_equal(watch.firing, 1);
    assert_int_equal(watch.resolved, 0);
    feed(&watch, 1, 2 * day, 2 * day + 3 * HOUR, MINUTE, 20);
    assert_int_equal(watch.resolved, 1);
    sq_detector_close(watch.detector);
}

static int64_t fires_after(int64_t step_ms)
{
    struct watch watch = watch_of(SQ_RULE_RATE);
    open_watch(&watch);
    feed(&watch, 1, 0, 3 * day, 2 * MINUTE, 12);
    assert_int_equal(watch.firing, 0);
    int64_t ts_ms = 3 * day;
    for (; watch.firing == 0 && ts_ms < 3 * day + 2 * HOUR; ts_ms += step_ms) feed(&watch, 1, ts_ms, ts_ms + 1, step_ms, 55);
    sq_detector_close(watch.detector);
    return ts_ms - 3 * day;
}

static void a_share_that_rises_with_the_volume_is_told_sooner(void **state)
{
    (void)state;
    int64_t alone_ms = fires_after(2 * MINUTE), together_ms = fires_after(MINUTE);
    assert_true(alone_ms < 90 * MINUTE);
    assert_true(together_ms <= 15 * MINUTE && together_ms < alone_ms);
}

static void alerts_name_their_runbook_and_their_words(void **state)
{
    (void)state;
    struct watch watch = watch_of(SQ_RULE_RATE);
    open_watch(&watch);
    feed(&watch, 1, 0, 3 * day, 2 * MINUTE, 12);
    static const char *const texts[] = {"the battery died on me", "my battery is bad", "bad battery again", "what a bad battery this is"};
    for (int i = 0; i < 60; i++) take(&watch, "e00", 3 * day + i * 20 * SECOND, true, (uint64_t)(1000 + i) << 40, texts[i % 4]);
    assert_int_equal(watch.firing, 1);
    assert_string_equal(watch.runbook_url, "https://runbooks.example/NegativeSpike?of=e00");
    feed(&watch, 1, 3 * day + 20 * MINUTE, 3 * day + HOUR, 2 * MINUTE, 12);
    assert_string_equal(watch.term, "battery");
    sq_detector_close(watch.detector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_is_one_alert),
        cmocka_unit_test(a_shadow_counts_as_no_alert_that_fires),
        cmocka_unit_test(a_storm_is_acknowledged_as_any_alert),
        cmocka_unit_test(a_few_entities_are_no_storm),
        cmocka_unit_test(a_storm_that_stays_is_the_new_level),
        cmocka_unit_test(volume_fires_on_messages_whatever_they_say),
        cmocka_unit_test(an_alert_from_a_sample_says_so),
        cmocka_unit_test(a_threshold_holds_for_its_time_and_never_gets_used_to),
        cmocka_unit_test(a_share_that_rises_with_the_volume_is_told_sooner),
        cmocka_unit_test(alerts_name_their_runbook_and_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
