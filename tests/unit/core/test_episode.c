/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/judge.h"
#include "worker/core/episode.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

/* An episode and the readings it gets, minute by minute. */
struct life {
    struct sq_episode episode;
    struct sq_rule rule;
    struct sq_reading reading;
    struct sq_transition last;
    unsigned told;
};

static struct life begin(void)
{
    return (struct life){
        .rule = judge_rule(),
        .reading = {.step_ms = MINUTE, .threshold = 3.3, .severity = SQ_SEVERITY_WARNING, .has_messages = true},
    };
}

/* Gives the same S for some minutes; whether anything was told in the last of them. */
static bool live(struct life *life, int64_t minutes, double strength)
{
    bool tells = false;
    for (; minutes > 0; minutes--) {
        life->reading.at_ms += MINUTE;
        life->reading.strength = strength;
        if (life->reading.has_messages) life->reading.last_message_ms = life->reading.at_ms;
        tells = sq_episode_step(&life->episode, &life->rule, &life->reading, &life->last);
        life->told += tells;
    }
    return tells;
}

static void assert_told(const struct life *life, enum sq_alert_state state, enum sq_alert_reason reason, uint32_t seq)
{
    assert_int_equal(life->last.state, state);
    assert_int_equal(life->last.reason, reason);
    assert_int_equal(life->last.seq, seq);
}

static void fires_once_and_resolves_when_calm(void **state)
{
    (void)state;
    struct life life = begin();
    assert_false(live(&life, 100, 3.2));
    assert_true(live(&life, 1, 3.3));
    assert_told(&life, SQ_ALERT_FIRING, SQ_REASON_THRESHOLD, 0);
    int64_t first_ms = life.reading.at_ms;
    assert_false(live(&life, 10, 2.0)); /* neither strong nor calm */
    assert_false(live(&life, 4, 1.0));
    assert_true(live(&life, 1, 1.0)); /* 15 min after the first notice */
    assert_told(&life, SQ_ALERT_UPDATED, SQ_REASON_REPEAT, 1);
    assert_false(live(&life, 24, 1.0));
    assert_true(live(&life, 1, 1.0));
    assert_told(&life, SQ_ALERT_RESOLVED, SQ_REASON_CALM, 2);
    assert_true(life.episode.first_ms == first_ms);
    assert_true(life.episode.peak == 3.3f);
    life.told = 0;
    live(&life, 6 * 60, 1.0);
    assert_int_equal(life.told, 0);
    assert_int_equal(life.episode.phase, SQ_PHASE_NORMAL);
}

static void strength_between_half_and_all_starts_the_calm_time_again(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.repeat_first_ms = 0;
    live(&life, 1, 4);
    for (int i = 0; i < 5; i++) {
        assert_false(live(&life, 29, 1));
        assert_false(live(&life, 1, 2));
    }
    assert_true(live(&life, 30, 1));
}

static void an_empty_window_is_no_calm(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.repeat_first_ms = 0;
    live(&life, 1, 4);
    live(&life, 20, 1);
    life.reading.has_messages = false;
    assert_false(live(&life, 5 * 60, 0));
    life.reading.has_messages = true;
    assert_false(live(&life, 9, 1));
    assert_true(live(&life, 1, 1));
    assert_told(&life, SQ_ALERT_RESOLVED, SQ_REASON_CALM, 1);
}

static void silence_resolves_with_no_data(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.repeat_first_ms = 0;
    live(&life, 1, 4);
    life.reading.has_messages = false;
    assert_false(live(&life, 6 * 60 - 1, 0));
    assert_true(live(&life, 1, 0));
    assert_told(&life, SQ_ALERT_RESOLVED, SQ_REASON_NO_DATA, 1);
}

static void a_day_of_it_is_the_new_level(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.repeat_first_ms = 0;
    live(&life, 1, 4);
    assert_false(live(&life, 24 * 60 - 1, 4));
    assert_true(live(&life, 1, 4));
    assert_told(&life, SQ_ALERT_RESOLVED, SQ_REASON_LEVEL_SHIFT, 1);
}

static void waits_for_the_time_asked_for(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.for_ms = 10 * MINUTE;
    assert_false(live(&life, 5, 4));
    assert_int_equal(life.episode.phase, SQ_PHASE_PENDING);
    int64_t gone_ms = life.episode.first_ms;
    assert_false(live(&life, 1, 3));
    assert_int_equal(life.episode.phase, SQ_PHASE_NORMAL);
    assert_false(live(&life, 10, 4));
    assert_true(live(&life, 1, 4));
    assert_told(&life, SQ_ALERT_FIRING, SQ_REASON_THRESHOLD, 0);
    assert_true(life.episode.first_ms == life.reading.at_ms - 10 * MINUTE && life.episode.first_ms != gone_ms);
}

static void tells_when_it_gets_worse(void **state)
{
    (void)state;
    struct life life = begin();
    live(&life, 1, 4);
    life.reading.severity = SQ_SEVERITY_CRITICAL;
    assert_true(live(&life, 1, 7));
    assert_told(&life, SQ_ALERT_UPDATED, SQ_REASON_SEVERITY, 1);
    life.reading.severity = SQ_SEVERITY_WARNING;
    assert_false(live(&life, 1, 4));
    assert_int_equal(life.episode.severity, SQ_SEVERITY_CRITICAL);
}

static void reminders_back_off(void **state)
{
    (void)state;
    static const int64_t minutes[] = {15, 30, 60, 120, 240, 240};
    struct life life = begin();
    live(&life, 1, 4);
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        assert_false(live(&life, minutes[i] - 1, 4));
        assert_true(live(&life, 1, 4));
        assert_told(&life, SQ_ALERT_UPDATED, SQ_REASON_REPEAT, (uint32_t)i + 1);
    }
}

static void comes_back_as_the_same_alert(void **state)
{
    (void)state;
    struct life life = begin();
    life.rule.repeat_first_ms = 0;
    live(&life, 1, 4);
    int64_t first_ms = life.episode.first_ms;
    for (uint32_t i = 1; i <= 2; i++) {
        assert_true(live(&life, 30, 1));
        assert_false(live(&life, 60, 1));
        assert_true(live(&life, 1, 4));
        assert_told(&life, SQ_ALERT_FIRING, SQ_REASON_REOPEN, 2 * i);
        assert_int_equal(life.episode.reopen_count, i);
        assert_true(life.episode.first_ms == first_ms);
    }
    assert_true(life.episode.flapping); /* twice: now calm takes twice as long */
    assert_false(live(&life, 59, 1));
    assert_true(live(&life, 1, 1));
    assert_false(live(&life, 6 * 60, 1));
    assert_true(live(&life, 1, 4));
    assert_told(&life, SQ_ALERT_FIRING, SQ_REASON_THRESHOLD, 0);
    assert_true(life.episode.first_ms != first_ms && !life.episode.flapping);
}

static void is_not_reminded_of_once_it_is_taken(void **state)
{
    (void)state;
    struct life life = begin();
    assert_false(sq_episode_acknowledge(&life.episode, 0, &life.last));
    live(&life, 1, 4);
    assert_true(sq_episode_acknowledge(&life.episode, life.reading.at_ms, &life.last));
    assert_told(&life, SQ_ALERT_UPDATED, SQ_REASON_ACKNOWLEDGED, 1);
    assert_false(sq_episode_acknowledge(&life.episode, life.reading.at_ms, &life.last));
    live(&life, 120, 4);
    assert_int_equal(life.told, 1);
    life.reading.severity = SQ_SEVERITY_CRITICAL;
    assert_true(live(&life, 1, 7)); /* worse: it is told again, and reminded of again */
    assert_false(life.episode.acknowledged);
    assert_true(live(&life, 15, 7));
    assert_told(&life, SQ_ALERT_UPDATED, SQ_REASON_REPEAT, 3);
}

static void ends_from_outside_only_when_open(void **state)
{
    (void)state;
    struct life life = begin();
    assert_false(sq_episode_end(&life.episode, 0, SQ_REASON_NO_DATA, &life.last));
    live(&life, 1, 4);
    assert_true(sq_episode_end(&life.episode, life.reading.at_ms, SQ_REASON_RULE_REMOVED, &life.last));
    assert_told(&life, SQ_ALERT_RESOLVED, SQ_REASON_RULE_REMOVED, 1);
    assert_false(sq_episode_end(&life.episode, life.reading.at_ms, SQ_REASON_RULE_REMOVED, &life.last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_once_and_resolves_when_calm),
        cmocka_unit_test(strength_between_half_and_all_starts_the_calm_time_again),
        cmocka_unit_test(an_empty_window_is_no_calm),
        cmocka_unit_test(silence_resolves_with_no_data),
        cmocka_unit_test(a_day_of_it_is_the_new_level),
        cmocka_unit_test(waits_for_the_time_asked_for),
        cmocka_unit_test(tells_when_it_gets_worse),
        cmocka_unit_test(reminders_back_off),
        cmocka_unit_test(comes_back_as_the_same_alert),
        cmocka_unit_test(is_not_reminded_of_once_it_is_taken),
        cmocka_unit_test(ends_from_outside_only_when_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
