/* SPDX-License-Identifier: Apache-2.0 */
/* The detector as a whole: what it promises about a log of scores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/buf.h"
#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "worker/core/detector.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t day = INT64_C(24) * HOUR;

/* A detector and what it told, one line a transition with all that a reader might compare. */
struct bench {
    struct sq_detector *detector;
    struct sq_rule rules[2];
    unsigned rules_count;
    struct sq_buf told;
    unsigned firing, updated, resolved;
    struct sq_alert last;           /* strings not valid any more */
    char summary[SQ_RULE_SUMMARY_BYTES];
    unsigned last_examples;
    uint64_t random;
    int64_t offset;
};

static int tell(const struct sq_alert *alert, void *ctx)
{
    struct bench *bench = ctx;
    unsigned *counts[] = {&bench->firing, &bench->updated, &bench->resolved};
    ++*counts[alert->state];
    bench->last = *alert;
    bench->last_examples = alert->examples_count;
    snprintf(bench->summary, sizeof bench->summary, "%.*s", (int)alert->summary.bytes, alert->summary.data);
    sq_buf_printf(&bench->told, "%d %d %016" PRIx64 " %u %.*s %.*s at %" PRId64 " of %" PRId64 " %u/%u S %.10g T %.10g p %.10g [%.10g %.10g]",
                  (int)alert->state, (int)alert->reason, alert->alert_id, alert->seq, (int)alert->rule.bytes, alert->rule.data,
                  (int)alert->entity.bytes, alert->entity.data, alert->at_ms, alert->starts_at_ms, alert->stats.matched, alert->stats.count,
                  alert->stats.strength, alert->stats.threshold, alert->stats.baseline_rate, alert->stats.baseline_low,
                  alert->stats.baseline_high);
    for (unsigned i = 0; i < alert->examples_count; i++) sq_buf_printf(&bench->told, " @%" PRId64, alert->examples[i].source.offset);
    sq_buf_append_char(&bench->told, '\n');
    return 0;
}

static void open_bench(struct bench *bench, uint32_t entities_max)
{
    struct sq_err err;
    if (bench->rules_count == 0) bench->rules[bench->rules_count++] = judge_rule();
    const struct sq_detector_options options = {
        .app = "squall", .mode = "replay", .rules = bench->rules, .rules_count = bench->rules_count, .time = judge_time(),
        .scores_partition = 5, .entities_max = entities_max, .model_name = "made"};
    if (sq_detector_open(&bench->detector, &options, &err)) fail_msg("%s", err.message);
    sq_buf_init(&bench->told);
    bench->random = 1;
}

static void close_bench(struct bench *bench)
{
    sq_detector_close(bench->detector);
    sq_buf_deinit(&bench->told);
}

static struct sq_score score_of(struct bench *bench, const char *entity, int64_t ts_ms, bool negative)
{
    struct test_random random = {bench->random++};
    return (struct sq_score){
        .source = {SQ_STR("posts"), 0, bench->offset++},
        .entity = sq_str_view(entity),
        .event_time_ms = ts_ms,
        .label = negative ? SQ_STR("negative") : SQ_STR("neutral"),
        .score = 0.9f,
        .text_hash = test_random_bits(&random) | 1,
        .author_hash = test_random_bits(&random) | 1,
        .excerpt = SQ_STR("some words"),
    };
}

static void take_score(struct bench *bench, const struct sq_score *score)
{
    struct sq_err err;
    if (sq_detector_take(bench->detector, score, score->event_time_ms, tell, bench, &err)) fail_msg("%s", err.message);
}

/* Every `step` from `from` to `to`, so many in a hundred negative. */
static void feed(struct bench *bench, const char *entity, int64_t from_ms, int64_t to_ms, int64_t step_ms, unsigned percent)
{
    struct test_random random = {(uint64_t)from_ms};
    for (int64_t ts_ms = from_ms; ts_ms < to_ms; ts_ms += step_ms) {
        struct sq_score score = score_of(bench, entity, ts_ms, test_random_below(&random, 100) < percent);
        take_score(bench, &score);
    }
}

static void fires_early_explains_and_resolves(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    assert_int_equal(bench.firing, 0);
    feed(&bench, "acme", 3 * day, 3 * day + 40 * MINUTE, 20 * SECOND, 60);
    assert_int_equal(bench.firing, 1);
    assert_true(bench.last.starts_at_ms >= 3 * day && bench.last.starts_at_ms <= 3 * day + 20 * MINUTE);
    feed(&bench, "acme", 3 * day + 40 * MINUTE, 3 * day + 4 * HOUR, 2 * MINUTE, 10);
    assert_int_equal(bench.firing, 1);
    assert_int_equal(bench.resolved, 1);
    assert_int_equal(bench.last.reason, SQ_REASON_CALM);
    assert_true(bench.last.ends_at_ms == bench.last.at_ms && bench.last.ends_at_ms > 3 * day + 40 * MINUTE);
    assert_int_equal(bench.last.scores_partition, 5);
    assert_true(bench.last.stats.baseline_rate > 0.05 && bench.last.stats.baseline_rate < 0.15);
    close_bench(&bench);
}

static void an_alert_holds_its_reasons(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    for (int64_t ts_ms = 3 * day; bench.firing == 0 && ts_ms < 3 * day + HOUR; ts_ms += 20 * SECOND)
        feed(&bench, "acme", ts_ms, ts_ms + 20 * SECOND, 20 * SECOND, 60);
    const struct sq_alert *alert = &bench.last;
    assert_int_equal(alert->state, SQ_ALERT_FIRING);
    assert_true(alert->window_end_ms == alert->at_ms && alert->window_start_ms < alert->window_end_ms);
    assert_true(alert->stats.strength >= alert->stats.threshold && alert->stats.threshold > 2);
    assert_true(alert->stats.p_value > 0 && alert->stats.p_value < 1e-2);
    assert_true(alert->stats.count >= alert->stats.matched && alert->stats.matched >= 5);
    assert_true(alert->stats.baseline_low < alert->stats.baseline_rate && alert->stats.baseline_rate < alert->stats.baseline_high);
    assert_true(alert->stats.rate > alert->stats.baseline_high && alert->stats.lift_pp >= 5 && alert->stats.lift_ratio >= 1.5);
    assert_true(alert->stats.distinct_authors >= 3);
    assert_int_equal(bench.last_examples, SQ_ALERT_EXAMPLES_MAX);
    assert_true(alert->watermark_ms >= alert->at_ms);
    char summary[64];
    snprintf(summary, sizeof summary, "acme: %u of %u negative, usual %.0f%%", alert->stats.matched, alert->stats.count,
             100 * alert->stats.baseline_rate);
    assert_string_equal(bench.summary, summary);
    close_bench(&bench);
}

/* A made stream as an array, so that it can be taken in pieces and other orders. */
static struct sq_score *record(struct stream **stream, size_t *count, uint64_t seed)
{
    const struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = 9, .days = 9, .seed = seed, .event_logit = 1.8, .event_volume = 1.8, .first_event_day = 2};
    *stream = stream_open(&options);
    struct sq_score *scores = NULL, score = {0};
    size_t capacity = 0;
    for (*count = 0; stream_next(*stream, &score); scores[(*count)++] = score) {
        if (*count < capacity) continue;
        capacity = capacity ? 2 * capacity : 4096;
        scores = realloc(scores, capacity * sizeof *scores);
        assert_non_null(scores);
    }
    return scores;
}

static void a_restart_at_any_record_changes_nothing(void **state)
{
    (void)state;
    struct stream *stream;
    size_t count;
    struct sq_score *scores = record(&stream, &count, 3);
    struct bench whole = {0};
    open_bench(&whole, 0);
    for (size_t i = 0; i < count; i++) take_score(&whole, &scores[i]);
    assert_true(whole.firing > 5 && whole.resolved > 5);

    struct test_random random = {5};
    for (int round = 0; round < 3; round++) {
        size_t cut = test_random_below(&random, (uint32_t)count), told_before = 0;
        struct bench first = {0}, second = {0};
        open_bench(&first, 0);
        open_bench(&second, 0);
        for (size_t i = 0; i < cut; i++) take_score(&first, &scores[i]);
        for (size_t i = 0; i < count; i++) { /* the worker that takes over: silent up to the cut */
            if (i == cut) told_before = second.told.bytes;
            take_score(&second, &scores[i]);
        }
        sq_buf_append(&first.told, second.told.data + told_before, second.told.bytes - told_before);
        assert_true(sq_str_equal(sq_buf_view(&first.told), sq_buf_view(&whole.told)));
        close_bench(&first);
        close_bench(&second);
    }
    close_bench(&whole);
    free(scores);
    stream_close(stream);
}

static void order_among_entities_within_a_moment_does_not_show(void **state)
{
    (void)state;
    struct stream *stream;
    size_t count;
    struct sq_score *scores = record(&stream, &count, 4);
    for (size_t i = 0; i < count; i++) scores[i].event_time_ms -= scores[i].event_time_ms % MINUTE;
    struct bench forth = {0}, back = {0};
    open_bench(&forth, 0);
    open_bench(&back, 0);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && scores[end].event_time_ms == scores[i].event_time_ms; end++) take_score(&forth, &scores[end]);
        /* The other takes the entities of that minute one after the other, the last one first. */
        for (unsigned entity = 9; entity-- > 0;)
            for (size_t j = i; j < end; j++)
                if (stream_entity_of(scores[j].entity) == entity) take_score(&back, &scores[j]);
    }
    assert_true(forth.firing > 5);
    assert_string_equal(forth.told.data, back.told.data);
    close_bench(&forth);
    close_bench(&back);
    free(scores);
    stream_close(stream);
}

/* Each under a rule of its own, so that they share no fleet: then one entity's alerts are what they are without the other. */
static void entities_meet_only_in_fleet_and_watermark(void **state)
{
    (void)state;
    struct stream *stream;
    size_t count;
    struct sq_score *scores = record(&stream, &count, 6);
    struct bench alone = {0}, both = {0};
    struct bench *benches[] = {&alone, &both};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned rule = 0; rule < 2; rule++) {
            benches[i]->rules[rule] = judge_rule();
            snprintf(benches[i]->rules[rule].name, SQ_RULE_TEXT_BYTES, "r%u", rule);
            snprintf(benches[i]->rules[rule].entities[0], SQ_RULE_TEXT_BYTES, rule == 0 ? "e2" : "e5");
            benches[i]->rules[rule].entities_count = 1;
        }
        benches[i]->rules_count = 2;
        open_bench(benches[i], 0);
    }
    for (size_t i = 0; i < count; i++) {
        struct sq_score score = scores[i];
        take_score(&both, &score);
        score.label = stream_entity_of(score.entity) == 2 ? score.label : SQ_STR("neutral");
        take_score(&alone, &score);
    }
    assert_true(alone.firing > 0 && both.firing > alone.firing);
    for (const char *line = alone.told.data, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        char copy[2048];
        snprintf(copy, sizeof copy, "%.*s", (int)(end - line), line);
        assert_non_null(strstr(both.told.data, copy));
    }
    close_bench(&alone);
    close_bench(&both);
    free(scores);
    stream_close(stream);
}

static void every_firing_resolves_or_is_open(void **state)
{
    (void)state;
    struct stream *stream;
    size_t count;
    struct sq_score *scores = record(&stream, &count, 7);
    struct bench bench = {0};
    open_bench(&bench, 0);
    for (size_t i = 0; i < count; i++) take_score(&bench, &scores[i]);
    const struct sq_detector_counts *counts = sq_detector_counts(bench.detector);
    assert_int_equal(bench.firing, bench.resolved + counts->firing_warning + counts->firing_critical);
    assert_int_equal(counts->transitions[SQ_ALERT_FIRING], bench.firing);
    assert_int_equal(counts->taken, count);
    close_bench(&bench);
    free(scores);
    stream_close(stream);
}

/* A storm: many negative messages in twenty minutes; one text or many, one author or many. */
static unsigned firings_of_a_storm(bool one_text, bool one_author)
{
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    for (int64_t ts_ms = 3 * day; ts_ms < 3 * day + 20 * MINUTE; ts_ms += 20 * SECOND) {
        struct sq_score score = score_of(&bench, "acme", ts_ms, true);
        if (one_text) score.text_hash = 42;
        if (one_author) score.author_hash = 43;
        take_score(&bench, &score);
        if (ts_ms % (2 * MINUTE) == 0) feed(&bench, "acme", ts_ms, ts_ms + 1, 1, 10);
    }
    feed(&bench, "acme", 3 * day + 20 * MINUTE, 3 * day + 2 * HOUR, 2 * MINUTE, 10);
    const struct sq_detector_counts *counts = sq_detector_counts(bench.detector);
    if (one_text) assert_true(counts->collapsed_text >= 50 && counts->collapsed_author == 0);
    else if (one_author) assert_true(counts->collapsed_author >= 50);
    unsigned firing = bench.firing;
    close_bench(&bench);
    return firing;
}

static void storms_of_copies_do_not_fire(void **state)
{
    (void)state;
    assert_int_equal(firings_of_a_storm(true, false), 0);
    assert_int_equal(firings_of_a_storm(false, true), 0);
    assert_int_equal(firings_of_a_storm(false, false), 1);
}

static void few_authors_do_not_fire(void **state)
{
    (void)state;
    for (uint64_t authors = 2; authors <= 3; authors++) {
        struct bench bench = {0};
        bench.rules[0] = judge_rule();
        bench.rules[0].max_per_author = 255;
        bench.rules_count = 1;
        open_bench(&bench, 0);
        feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
        for (int64_t ts_ms = 3 * day + 2 * HOUR; ts_ms < 3 * day + 2 * HOUR + 20 * MINUTE; ts_ms += 20 * SECOND) {
            struct sq_score score = score_of(&bench, "acme", ts_ms, true);
            score.author_hash = 1000 * (1 + (uint64_t)(ts_ms / SECOND) / 20 % authors) << 32;
            take_score(&bench, &score);
        }
        assert_int_equal(bench.firing, authors >= 3);
        close_bench(&bench);
    }
}

static void late_records_are_counted_or_dropped(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 10 * HOUR, 12 * HOUR, MINUTE, 10);
    static const int64_t behind[] = {0, 5 * MINUTE, 9 * MINUTE, 15 * MINUTE, 11 * HOUR};
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++) {
        struct sq_score score = score_of(&bench, "acme", 12 * HOUR - MINUTE - behind[i], false);
        take_score(&bench, &score);
    }
    const struct sq_detector_counts *counts = sq_detector_counts(bench.detector);
    assert_int_equal(counts->late_included, 2);
    assert_int_equal(counts->late_dropped, 2);
    assert_int_equal(counts->taken, 125);
    close_bench(&bench);
}

static void late_records_still_count_in_later_windows(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    for (int64_t ts_ms = 3 * day; ts_ms < 3 * day + 30 * MINUTE; ts_ms += 20 * SECOND) {
        feed(&bench, "pace", ts_ms, ts_ms + 1, 1, 10); /* moves the watermark */
        struct sq_score score = score_of(&bench, "acme", ts_ms - 4 * MINUTE, true);
        take_score(&bench, &score);
    }
    assert_int_equal(bench.firing, 1);
    assert_true(bench.last.stats.late > 0);
    close_bench(&bench);
}

static void a_lagging_source_holds_evaluation(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    for (int64_t i = 0; i < 40; i++) { /* two partitions, one 20 min behind the other */
        for (int32_t partition = 1; partition >= 0; partition--) {
            struct sq_score score = score_of(&bench, "acme", 10 * HOUR + i * MINUTE - partition * 20 * MINUTE, false);
            score.source.partition = partition;
            assert_int_equal(sq_detector_take(bench.detector, &score, i * SECOND, tell, &bench, &err), 0);
        }
    }
    assert_true(sq_detector_watermark_ms(bench.detector) == 10 * HOUR + 19 * MINUTE - 30 * SECOND);
    assert_int_equal(sq_detector_counts(bench.detector)->late_dropped, 0);
    struct sq_score score = score_of(&bench, "acme", 10 * HOUR + 41 * MINUTE, false); /* two minutes on: the other is idle */
    assert_int_equal(sq_detector_take(bench.detector, &score, 160 * SECOND, tell, &bench, &err), 0);
    assert_true(sq_detector_watermark_ms(bench.detector) == 10 * HOUR + 41 * MINUTE - 30 * SECOND);
    close_bench(&bench);
}

/* Two input partitions with an entity each, interleaved chunk by chunk of time: the larger the chunk, the further one runs ahead. */
static struct sq_buf told_in_chunks(int64_t chunk_ms)
{
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    for (int64_t from_ms = 0; from_ms < 4 * day; from_ms += chunk_ms) {
        for (int32_t partition = 1; partition >= 0; partition--) {
            for (int64_t ts_ms = from_ms; ts_ms < from_ms + chunk_ms; ts_ms += MINUTE) {
                bool spike = partition == 1 && ts_ms >= 3 * day && ts_ms < 3 * day + 40 * MINUTE;
                bench.random = (uint64_t)(2 * ts_ms + partition);
                struct sq_score score = score_of(&bench, partition ? "acme" : "pace", ts_ms, ts_ms / MINUTE % (spike ? 2 : 10) == 0);
                score.source.partition = partition;
                score.source.offset = ts_ms / MINUTE;
                assert_int_equal(sq_detector_take(bench.detector, &score, from_ms > 0 ? 5000 : 0, tell, &bench, &err), 0);
            }
        }
    }
    assert_int_equal(sq_detector_finish(bench.detector, tell, &bench, &err), 0);
    assert_int_equal(sq_detector_counts(bench.detector)->late_included + sq_detector_counts(bench.detector)->late_dropped, 0);
    assert_true(bench.firing > 0 && bench.resolved > 0);
    sq_detector_close(bench.detector);
    return bench.told;
}

static void a_source_that_runs_ahead_loses_nothing(void **state)
{
    (void)state;
    struct sq_buf together = told_in_chunks(MINUTE), apart = told_in_chunks(4 * HOUR);
    assert_string_equal(together.data, apart.data);
    sq_buf_deinit(&together);
    sq_buf_deinit(&apart);
}

static void ticks_let_a_quiet_topic_resolve(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    assert_int_equal(sq_detector_tick(bench.detector, 5 * HOUR, tell, &bench, &err), 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    feed(&bench, "acme", 3 * day, 3 * day + 20 * MINUTE, 20 * SECOND, 80);
    assert_int_equal(bench.firing, 1);
    /* Empty windows are no calm: nothing resolves for hours ... */
    assert_int_equal(sq_detector_tick(bench.detector, 3 * day + 6 * HOUR, tell, &bench, &err), 0);
    assert_int_equal(bench.resolved, 0);
    /* ... until six have passed without a message. */
    assert_int_equal(sq_detector_tick(bench.detector, 3 * day + 7 * HOUR, tell, &bench, &err), 0);
    assert_int_equal(bench.resolved, 1);
    assert_int_equal(bench.last.reason, SQ_REASON_NO_DATA);
    struct sq_score score = score_of(&bench, "acme", 3 * day + HOUR, false); /* behind the tick: late */
    take_score(&bench, &score);
    assert_int_equal(sq_detector_counts(bench.detector)->late_dropped, 1);
    close_bench(&bench);
}

static void a_pause_makes_nothing_late_that_tells_of_long_ago(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    int64_t append_ms = 30 * day; /* a feed that is a month behind: history, or one that is delivered once a day */
    open_bench(&bench, 0);
    for (int64_t ts_ms = 0; ts_ms < 6 * HOUR; ts_ms += MINUTE, append_ms += SECOND) {
        if (ts_ms % HOUR == 0) { /* nothing comes for five minutes */
            append_ms += 5 * MINUTE;
            assert_int_equal(sq_detector_tick(bench.detector, append_ms, tell, &bench, &err), 0);
        }
        struct sq_score score = score_of(&bench, "acme", ts_ms, false);
        assert_int_equal(sq_detector_take(bench.detector, &score, append_ms, tell, &bench, &err), 0);
    }
    assert_int_equal(sq_detector_counts(bench.detector)->late_dropped, 0);
    close_bench(&bench);
}

static void the_end_closes_the_last_bucket(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    assert_int_equal(sq_detector_finish(bench.detector, tell, &bench, &err), 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    for (int64_t ts_ms = 3 * day; ts_ms < 3 * day + MINUTE; ts_ms += SECOND) { /* all in the last minute */
        struct sq_score score = score_of(&bench, "acme", ts_ms, true);
        take_score(&bench, &score);
    }
    assert_int_equal(bench.firing, 0);
    assert_int_equal(sq_detector_finish(bench.detector, tell, &bench, &err), 0);
    assert_int_equal(bench.firing, 1);
    assert_int_equal(bench.resolved, 0);
    assert_true(bench.last.at_ms == 3 * day + MINUTE);
    close_bench(&bench);
}

struct seen {
    unsigned count;
    struct sq_entity_view views[4];
    char names[64];
};

static void see(const struct sq_entity_view *view, void *ctx)
{
    struct seen *seen = ctx;
    seen->views[seen->count++] = *view;
    snprintf(seen->names + strlen(seen->names), sizeof seen->names - strlen(seen->names), "%.*s ", (int)view->entity.bytes, view->entity.data);
}

static void a_new_level_is_accepted_after_a_day(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 4 * day, MINUTE, 10);
    assert_int_equal(bench.firing, 0);
    feed(&bench, "acme", 4 * day, 5 * day + HOUR, MINUTE, 50);
    assert_int_equal(bench.firing, 1);
    assert_int_equal(bench.last.state, SQ_ALERT_RESOLVED);
    assert_int_equal(bench.last.reason, SQ_REASON_LEVEL_SHIFT);
    assert_true(bench.last.ends_at_ms - bench.last.starts_at_ms == day);
    struct seen seen = {0};
    sq_detector_view(bench.detector, 1, see, &seen);
    assert_true(seen.views[0].baseline_rate > 0.45 && seen.views[0].baseline_rate < 0.55);
    close_bench(&bench);
}

static void cold_entities_fire_only_when_overwhelming(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "usual", 0, day, MINUTE, 5); /* gives the fleet a share */
    feed(&bench, "weak", day, day + 30 * MINUTE, MINUTE, 45);
    assert_int_equal(bench.firing, 0);
    feed(&bench, "strong", day + HOUR, day + HOUR + 30 * MINUTE, 10 * SECOND, 100);
    assert_int_equal(bench.firing, 1);
    assert_true(bench.last.stats.threshold >= 6);
    close_bench(&bench);
}

static void memory_is_bounded_by_entities(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 10);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    feed(&bench, "acme", 3 * day, 3 * day + 20 * MINUTE, 20 * SECOND, 80);
    assert_int_equal(bench.firing, 1);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        feed(&bench, name, 3 * day + 20 * MINUTE + i, 3 * day + 20 * MINUTE + i + 1, 1, 0);
    }
    const struct sq_detector_counts *counts = sq_detector_counts(bench.detector);
    assert_int_equal(counts->entities, 10);
    assert_int_equal(counts->entities_evicted, 91);
    assert_int_equal(bench.resolved, 1); /* acme went, and its alert with it */
    assert_int_equal(bench.last.reason, SQ_REASON_NO_DATA);
    close_bench(&bench);
}

static void the_long_unseen_are_forgotten(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "old", 0, HOUR, MINUTE, 10);
    feed(&bench, "new", 27 * day, 27 * day + HOUR, MINUTE, 10);
    assert_int_equal(sq_detector_counts(bench.detector)->entities, 2);
    feed(&bench, "new", 29 * day, 29 * day + HOUR, MINUTE, 10);
    assert_int_equal(sq_detector_counts(bench.detector)->entities, 1);
    close_bench(&bench);
}

static void a_leap_in_time_costs_nothing(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, HOUR, MINUTE, 10);
    feed(&bench, "acme", 250000000000000, 250000000000000 + HOUR, MINUTE, 10);
    assert_true(sq_detector_counts(bench.detector)->evaluations < 1000);
    close_bench(&bench);
}

static void refuses_records_it_cannot_take(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    static const int64_t wrong[] = {-1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sq_score score = score_of(&bench, "acme", wrong[i], false);
        assert_int_equal(sq_detector_take(bench.detector, &score, 0, tell, &bench, &err), SQ_E_WRONG_TYPE);
    }
    struct sq_score score = score_of(&bench, "", HOUR, false);
    assert_int_equal(sq_detector_take(bench.detector, &score, 0, tell, &bench, &err), SQ_E_MISSING_FIELD);
    assert_int_equal(sq_detector_counts(bench.detector)->taken, 0);
    assert_true(sq_detector_watermark_ms(bench.detector) == INT64_MIN);
    feed(&bench, "acme", HOUR, 2 * HOUR, MINUTE, 10);
    close_bench(&bench);
}

static int refuse(const struct sq_alert *alert, void *ctx)
{
    (void)alert;
    (void)ctx;
    return 77;
}

static void passes_on_what_the_taker_says(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    int status = 0;
    for (int64_t ts_ms = 3 * day; status == 0 && ts_ms < 3 * day + HOUR; ts_ms += 20 * SECOND) {
        struct sq_score score = score_of(&bench, "acme", ts_ms, true);
        status = sq_detector_take(bench.detector, &score, ts_ms, refuse, NULL, &err);
    }
    assert_int_equal(status, 77);
    close_bench(&bench);
}

static void shows_entities_in_order(void **state)
{
    (void)state;
    struct bench bench = {0};
    open_bench(&bench, 0);
    for (int64_t ts_ms = 0; ts_ms < 3 * day; ts_ms += 2 * MINUTE) {
        feed(&bench, "c", ts_ms, ts_ms + 1, 1, 10);
        feed(&bench, "a", ts_ms, ts_ms + 1, 1, 10);
        feed(&bench, "b", ts_ms, ts_ms + 1, 1, 10);
    }
    feed(&bench, "b", 3 * day, 3 * day + 20 * MINUTE, 20 * SECOND, 80);
    struct seen seen = {0};
    sq_detector_view(bench.detector, 4, see, &seen);
    assert_string_equal(seen.names, "a b c ");
    assert_true(!seen.views[0].firing && seen.views[1].firing && seen.views[1].alert_id == bench.last.alert_id);
    assert_true(seen.views[1].count > seen.views[0].count && seen.views[1].count_long >= seen.views[1].count);
    assert_true(seen.views[1].strength >= seen.views[1].threshold);
    seen = (struct seen){0};
    sq_detector_view(bench.detector, 2, see, &seen);
    assert_int_equal(seen.count, 2);
    close_bench(&bench);
}

static void what_people_say_is_in_the_alerts(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct sq_err err;
    open_bench(&bench, 0);
    const struct sq_silence silence = {.id = 1, .entity = "ac*", .from_ms = 0, .until_ms = 3 * day + 30 * MINUTE};
    assert_int_equal(sq_detector_silence(bench.detector, &silence, &err), 0);
    feed(&bench, "acme", 0, 3 * day, 2 * MINUTE, 10);
    feed(&bench, "acme", 3 * day, 3 * day + 20 * MINUTE, 20 * SECOND, 60);
    assert_int_equal(bench.firing, 1);
    assert_true(bench.last.silenced && !bench.last.acknowledged);

    bool found = true;
    assert_int_equal(sq_detector_acknowledge(bench.detector, 12345, &found, tell, &bench, &err), 0);
    assert_false(found);
    unsigned updated = bench.updated;
    assert_int_equal(sq_detector_acknowledge(bench.detector, bench.last.alert_id, &found, tell, &bench, &err), 0);
    assert_true(found && bench.updated == updated + 1 && bench.last.acknowledged);
    assert_int_equal(bench.last.reason, SQ_REASON_ACKNOWLEDGED);

    feed(&bench, "acme", 3 * day + 20 * MINUTE, 3 * day + 4 * HOUR, 2 * MINUTE, 10);
    assert_int_equal(bench.resolved, 1);
    assert_false(bench.last.silenced); /* it is over by then, and gone from the list */
    assert_int_equal(sq_detector_silences(bench.detector)->count, 0);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_early_explains_and_resolves),
        cmocka_unit_test(an_alert_holds_its_reasons),
        cmocka_unit_test(a_restart_at_any_record_changes_nothing),
        cmocka_unit_test(order_among_entities_within_a_moment_does_not_show),
        cmocka_unit_test(entities_meet_only_in_fleet_and_watermark),
        cmocka_unit_test(every_firing_resolves_or_is_open),
        cmocka_unit_test(storms_of_copies_do_not_fire),
        cmocka_unit_test(few_authors_do_not_fire),
        cmocka_unit_test(late_records_are_counted_or_dropped),
        cmocka_unit_test(late_records_still_count_in_later_windows),
        cmocka_unit_test(a_lagging_source_holds_evaluation),
        cmocka_unit_test(a_source_that_runs_ahead_loses_nothing),
        cmocka_unit_test(ticks_let_a_quiet_topic_resolve),
        cmocka_unit_test(a_pause_makes_nothing_late_that_tells_of_long_ago),
        cmocka_unit_test(the_end_closes_the_last_bucket),
        cmocka_unit_test(a_new_level_is_accepted_after_a_day),
        cmocka_unit_test(cold_entities_fire_only_when_overwhelming),
        cmocka_unit_test(memory_is_bounded_by_entities),
        cmocka_unit_test(the_long_unseen_are_forgotten),
        cmocka_unit_test(a_leap_in_time_costs_nothing),
        cmocka_unit_test(refuses_records_it_cannot_take),
        cmocka_unit_test(passes_on_what_the_taker_says),
        cmocka_unit_test(shows_entities_in_order),
        cmocka_unit_test(what_people_say_is_in_the_alerts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
