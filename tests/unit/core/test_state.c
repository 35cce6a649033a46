/* SPDX-License-Identifier: Apache-2.0 */
/* A detector restored from what another one saved goes on as if it were that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/codec.h"
#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "tests/lib/state_store.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, RULES = 3, EXAMPLES = 18, EXAMPLE_BYTES = 28 };

struct worker {
    struct sq_detector *detector;
    struct sq_buf told; /* every alert, to the byte */
    unsigned firing, removed;
};

static int tell(const struct sq_alert *alert, void *ctx)
{
    struct worker *worker = ctx;
    struct sq_err err;
    worker->firing += alert->state == SQ_ALERT_FIRING;
    worker->removed += alert->reason == SQ_REASON_RULE_REMOVED;
    assert_int_equal(sq_alert_encode_json(alert, &worker->told, &err), 0);
    sq_buf_append_char(&worker->told, '\n');
    return 0;
}

static void make_rules(struct sq_rule rules[RULES])
{
    rules[0] = judge_rule();
    rules[0].storm_share = 0.3;
    rules[1] = judge_rule();
    strcpy(rules[1].name, "VolumeSpike");
    rules[1].type = SQ_RULE_VOLUME;
    rules[1].near_copies = true;
    rules[2] = judge_rule();
    strcpy(rules[2].name, "TooNegative");
    rules[2].type = SQ_RULE_THRESHOLD;
    rules[2].above = 0.5;
    rules[2].resolve_below = 0.3;
    rules[2].for_ms = 5 * MINUTE;
    rules[2].entities_count = 1;
    strcpy(rules[2].entities[0], "e?");
}

static void open_worker(struct worker *worker, const struct sq_rule *rules, unsigned rules_count, uint32_t entities_max)
{
    struct sq_err err;
    const struct sq_detector_options options = {.app = "squall", .mode = "live", .rules = rules, .rules_count = rules_count,
                                                .time = judge_time(), .entities_max = entities_max, .model_name = "made"};
    *worker = (struct worker){0};
    sq_buf_init(&worker->told);
    if (sq_detector_open(&worker->detector, &options, &err)) fail_msg("%s", err.message);
}

static void close_worker(struct worker *worker)
{
    sq_detector_close(worker->detector);
    sq_buf_deinit(&worker->told);
}

/* Five days of twelve entities, two sources that are out of step, late ones, repeated scores, texts and ids. */
static struct sq_score *record(size_t *count)
{
    static char texts[64][32];
    const struct stream_options options = {
        .kind = STREAM_HAWKES, .entities = 12, .days = 5, .seed = 11, .event_logit = 2, .event_volume = 4, .first_event_day = 1};
    struct stream *stream = stream_open(&options);
    struct test_random random = {3};
    size_t capacity = 0;
    struct sq_score *scores = NULL, score = {0};
    *count = 0;
    for (int i = 0; i < 64; i++) snprintf(texts[i], sizeof texts[i], "words number %d", i);
    static char names[12][8];
    while (stream_next(stream, &score)) {
        if (*count == capacity) scores = realloc(scores, (capacity = capacity ? 2 * capacity : 1024) * sizeof score);
        if (!scores) abort();
        unsigned entity = stream_entity_of(score.entity);
        snprintf(names[entity], sizeof names[entity], "e%u", entity);
        score.entity = sq_str_view(names[entity]);
        score.source.partition = (int32_t)test_random_below(&random, 2);
        if (test_random_below(&random, 50) == 0) score.event_time_ms -= test_random_below(&random, 15 * MINUTE);
        score.score = 0.5f + (float)test_random_below(&random, 4) * 0.125f;
        score.excerpt = sq_str_view(texts[test_random_below(&random, 64)]);
        score.id = *count % 3 ? sq_str_view(texts[*count % 64]) : (struct sq_str){0};
        score.text_simhash = score.text_hash * 0x9e3779b97f4a7c15u;
        score.model_digest = 77;
        score.skipped = *count % 23 == 0;
        scores[(*count)++] = score;
    }
    stream_close(stream);
    return scores;
}

static void take(struct worker *worker, const struct sq_score *score)
{
    struct sq_err err;
    if (sq_detector_take(worker->detector, score, score->event_time_ms, tell, worker, &err)) fail_msg("%s", err.message);
}

/* The place at which a worker saves and another one goes on, in record numbers. */
static bool is_cut(size_t i) { return i % 9973 == 0; }

static void say_something(struct worker *worker, size_t i, const struct sq_score *score)
{
    struct sq_err err;
    if (i % 40000 != 1) return;
    const struct sq_silence silence = {.id = i, .entity = "e1*", .from_ms = score->event_time_ms, .until_ms = score->event_time_ms + 6 * HOUR};
    assert_int_equal(sq_detector_silence(worker->detector, &silence, &err), 0);
}

static void a_restored_detector_tells_and_saves_the_same(void **state)
{
    (void)state;
    size_t count;
    struct sq_score *scores = record(&count);
    struct sq_rule rules[RULES];
    make_rules(rules);
    for (uint32_t entities_max = 0; entities_max <= 10; entities_max += 10) { /* all of them; fewer than there are: some go and come */
        struct worker whole, part;
        struct state_store whole_store, part_store, late_store;
        open_worker(&whole, rules, RULES, entities_max);
        open_worker(&part, rules, RULES, entities_max);
        state_store_init(&whole_store);
        state_store_init(&part_store);
        state_store_init(&late_store);
        unsigned restarts = 0;
        for (size_t i = 0; i < count; i++) {
            take(&whole, &scores[i]);
            take(&part, &scores[i]);
            say_something(&whole, i, &scores[i]);
            say_something(&part, i, &scores[i]);
            if (!is_cut(i)) continue;
            state_store_save(&whole_store, whole.detector);
            state_store_save(&part_store, part.detector);
            assert_true(state_store_equal(&whole_store, &part_store));
            struct worker next;
            open_worker(&next, rules, RULES, entities_max);
            state_store_restore(&part_store, next.detector, tell, &next);
            assert_int_equal(next.told.bytes, 0);
            sq_buf_append_str(&next.told, sq_buf_view(&part.told));
            next.firing = part.firing;
            close_worker(&part);
            part = next;
            restarts++;
        }
        state_store_save(&whole_store, whole.detector);
        state_store_save(&part_store, part.detector);
        assert_true(restarts > 10 && whole.firing > 20);
        assert_true(sq_str_equal(sq_buf_view(&whole.told), sq_buf_view(&part.told)));
        assert_true(state_store_equal(&whole_store, &part_store));
        if (entities_max) assert_true(whole_store.deleted > 0 && state_store_count(&whole_store) <= 3 * entities_max);
        close_worker(&whole);
        close_worker(&part);
        state_store_deinit(&whole_store);
        state_store_deinit(&part_store);
        state_store_deinit(&late_store);
    }
    free(scores);
}

static void when_it_is_saved_does_not_show(void **state)
{
    (void)state;
    size_t count;
    struct sq_score *scores = record(&count);
    struct sq_rule rules[RULES];
    make_rules(rules);
    struct worker often, once;
    struct state_store often_store, once_store;
    open_worker(&often, rules, RULES, 0);
    open_worker(&once, rules, RULES, 0);
    state_store_init(&often_store);
    state_store_init(&once_store);
    for (size_t i = 0; i < count; i++) {
        take(&often, &scores[i]);
        take(&once, &scores[i]);
        if (i % 1009 == 0) state_store_save(&often_store, often.detector);
    }
    state_store_save(&often_store, often.detector);
    state_store_save(&once_store, once.detector);
    assert_true(sq_str_equal(sq_buf_view(&often.told), sq_buf_view(&once.told)));
    assert_true(state_store_equal(&often_store, &once_store));
    unsigned written = often_store.written;
    state_store_save(&often_store, often.detector); /* nothing changed, nothing to write */
    assert_int_equal(often_store.written, written);
    close_worker(&often);
    close_worker(&once);
    state_store_deinit(&often_store);
    state_store_deinit(&once_store);
    free(scores);
}

/* Half the stream, up to a record behind which an alert of the rule is open. */
static size_t run_until_open(struct worker *worker, const struct sq_score *scores, size_t count, unsigned least)
{
    size_t i = 0;
    const struct sq_detector_counts *counts = sq_detector_counts(worker->detector);
    while (i < count && counts->firing_warning + counts->firing_critical < least) take(worker, &scores[i++]);
    return i;
}

static void alerts_of_a_rule_that_is_gone_end(void **state)
{
    (void)state;
    size_t count;
    struct sq_score *scores = record(&count);
    struct sq_rule rules[RULES];
    make_rules(rules);
    struct worker before, after, again;
    struct state_store store;
    open_worker(&before, rules, 1, 0);
    state_store_init(&store);
    size_t at = run_until_open(&before, scores, count, 1);
    assert_true(at < count);
    state_store_save(&store, before.detector);

    open_worker(&after, &rules[1], 2, 0); /* the first rule is gone, two others are new */
    state_store_restore(&store, after.detector, tell, &after);
    assert_int_equal(after.removed, 1);
    unsigned states = state_store_count(&store);
    state_store_save(&store, after.detector);
    assert_int_equal(store.deleted, states);
    assert_int_equal(state_store_count(&store), 0); /* the others know no entity yet */
    for (; at < count; at++) take(&after, &scores[at]);
    assert_true(after.firing > 0);

    state_store_save(&store, after.detector);
    rules[1].windows_ms[0] = 10 * MINUTE; /* another form of state: it starts anew, silently as none is open under it */
    open_worker(&again, &rules[1], 2, 0);
    state_store_restore(&store, again.detector, tell, &again);
    assert_true(sq_detector_counts(again.detector)->entities > 0);
    close_worker(&before);
    close_worker(&after);
    close_worker(&again);
    state_store_deinit(&store);
    free(scores);
}

static void states_stay_small(void **state)
{
    (void)state;
    size_t count;
    struct sq_score *scores = record(&count);
    struct sq_rule rules[RULES];
    make_rules(rules);
    for (unsigned rule = 0; rule < RULES; rule++) {
        struct worker worker;
        struct state_store store;
        open_worker(&worker, &rules[rule], 1, 0);
        state_store_init(&store);
        for (size_t i = 0; i < count; i++) {
            scores[i].label = scores[i].label.bytes == 8 ? scores[i].label : SQ_STR("neutral");
            scores[i].excerpt = scores[i].id = (struct sq_str){0};
            take(&worker, &scores[i]);
            if (i % 9973 == 0) state_store_save(&store, worker.detector);
        }
        assert_true(store.bytes_largest <= SQ_STATE_BYTES_MAX + EXAMPLES * EXAMPLE_BYTES);
        close_worker(&worker);
        state_store_deinit(&store);
    }
    free(scores);
}

static void refuses_what_it_did_not_write(void **state)
{
    (void)state;
    struct sq_rule rules[RULES];
    make_rules(rules);
    struct worker worker;
    struct sq_err err;
    open_worker(&worker, rules, RULES, 0);
    const struct sq_saved_state newer = {.rule = SQ_STR("NegativeSpike"), .entity = SQ_STR("a"), .data = SQ_STR("\x63")};
    assert_int_equal(sq_detector_restore_state(worker.detector, &newer, &err), SQ_E_DECODE);
    assert_int_equal(sq_detector_restore_meta(worker.detector, SQ_STR("\x63"), &err), SQ_E_DECODE);
    assert_int_equal(sq_detector_restore_meta(worker.detector, SQ_STR("\x01"), &err), SQ_E_DECODE);
    assert_int_equal(sq_detector_restore_meta(worker.detector, (struct sq_str){0}, &err), SQ_E_DECODE);
    close_worker(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_detector_tells_and_saves_the_same), cmocka_unit_test(when_it_is_saved_does_not_show),
        cmocka_unit_test(alerts_of_a_rule_that_is_gone_end),            cmocka_unit_test(states_stay_small),
        cmocka_unit_test(refuses_what_it_did_not_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
