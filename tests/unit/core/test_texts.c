/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/examples.h"
#include "worker/core/glob.h"
#include "worker/core/summary.h"

static void globs_match_as_documented(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"acme", "acme", true},    {"acme", "acme2", false},  {"acme", "", false},    {"", "", true},
        {"*", "", true},           {"*", "anything", true},   {"brand-*", "brand-", true}, {"brand-*", "brand", false},
        {"*-eu", "acme-eu", true}, {"a*b*c", "aXbXbc", true}, {"a*b*c", "aXbX", false},    {"?cme", "acme", true},
        {"?", "", false},          {"[a]", "[a]", true},      {"[a]", "a", false},         {"**a", "bba", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sq_glob_matches(cases[i].pattern, sq_str_view(cases[i].text)), cases[i].matches);
}

static void a_rule_without_patterns_watches_all(void **state)
{
    (void)state;
    struct sq_rule rule = {.entities = {"a*", "b"}};
    assert_true(sq_glob_watches(&rule, SQ_STR("zebra")));
    rule.entities_count = 2;
    assert_false(sq_glob_watches(&rule, SQ_STR("zebra")));
    assert_true(sq_glob_watches(&rule, SQ_STR("ant")));
    assert_true(sq_glob_watches(&rule, SQ_STR("b")));
}

static void summaries_say_what_happened(void **state)
{
    (void)state;
    struct sq_alert alert = {.entity = SQ_STR("{{count}}"), .rule = SQ_STR("Spike"), .severity = SQ_SEVERITY_CRITICAL};
    alert.stats.count = 58;
    alert.stats.matched = 41;
    alert.stats.rate = 41.0 / 58;
    alert.stats.baseline_rate = 0.12;
    struct sq_buf out;
    sq_buf_init(&out);
    sq_summary_write("{{rule}} {{ entity }}: {{matched}} of {{count}} ({{rate}}, usual {{baseline_rate}}), {{severity}}.", &alert, &out);
    assert_string_equal(out.data, "Spike {{count}}: 41 of 58 (71%, usual 12%), critical.");
    sq_buf_deinit(&out);
}

static void templates_are_checked(void **state)
{
    (void)state;
    struct sq_err err;
    assert_int_equal(sq_summary_check("", "", "summary", &err), 0);
    assert_int_equal(sq_summary_check("a } b { c {{entity}}", "", "summary", &err), 0);
    assert_int_equal(sq_summary_check("{{entity", "", "summary", &err), SQ_E_CONFIG);
    assert_int_equal(sq_summary_check("{{}}", "", "summary", &err), SQ_E_CONFIG);
    assert_int_equal(sq_summary_check("{{Entity}}", "", "summary", &err), SQ_E_CONFIG);
}

static void long_summaries_are_cut_at_a_character(void **state)
{
    (void)state;
    char entity[SQ_SUMMARY_BYTES_MAX + 3];
    for (size_t i = 0; i < sizeof entity; i++) entity[i] = i % 3 == 0 ? '\xe2' : i % 3 == 1 ? '\x82' : '\xac';
    struct sq_alert alert = {.entity = {entity, sizeof entity}};
    struct sq_buf out;
    sq_buf_init(&out);
    sq_summary_write("{{entity}}", &alert, &out);
    assert_int_equal(out.bytes, SQ_SUMMARY_BYTES_MAX - SQ_SUMMARY_BYTES_MAX % 3);
    sq_buf_deinit(&out);
}

enum { MINUTE = 60000, BLOCK = 15 * MINUTE };

static void take(struct sq_examples *examples, int64_t ts_ms, float strength, uint64_t text_hash, const char *excerpt, int64_t keep_ms)
{
    struct sq_score score = {
        .source = {SQ_STR("posts"), 3, ts_ms + 1}, .event_time_ms = ts_ms, .score = strength, .text_hash = text_hash,
        .id = SQ_STR("id"), .excerpt = sq_str_view(excerpt)};
    sq_examples_take(examples, &score, "posts", keep_ms);
}

static unsigned list(const struct sq_examples *examples, int64_t from_ms, int64_t within_ms, int64_t to_ms,
                     struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX])
{
    return sq_examples_list(examples, from_ms, within_ms, to_ms, SQ_STR("negative"), out);
}

static void examples_are_the_strongest_of_each_block(void **state)
{
    (void)state;
    struct sq_examples examples = {0};
    struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX];
    for (int i = 0; i < 20; i++) take(&examples, i, (float)(i * 7 % 20) / 20, (uint64_t)i + 1, "text", 0);
    assert_int_equal(list(&examples, 0, 0, 100, out), SQ_EXAMPLES_PER_BLOCK);
    for (int i = 0; i < SQ_EXAMPLES_PER_BLOCK; i++) assert_true(out[i].score == (float)(19 - i) / 20);
    assert_true(sq_str_equal(out[0].source.topic, SQ_STR("posts")) && out[0].source.partition == 3);
    assert_true(out[0].source.offset == out[0].ts_ms + 1);
    assert_true(sq_str_equal(out[0].id, SQ_STR("id")) && sq_str_equal(out[0].excerpt, SQ_STR("text")));
    assert_true(sq_str_equal(out[0].label, SQ_STR("negative")));
    sq_examples_deinit(&examples);
}

static void examples_of_the_deciding_window_come_first(void **state)
{
    (void)state;
    struct sq_examples examples = {0};
    struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) take(&examples, i * BLOCK + j, (float)(9 - i) / 10, (uint64_t)(i * 3 + j + 1), "text", 0);
    assert_int_equal(list(&examples, 0, 3 * BLOCK, 4 * BLOCK, out), SQ_ALERT_EXAMPLES_MAX);
    assert_true(out[0].ts_ms == 3 * BLOCK && out[2].ts_ms == 3 * BLOCK + 2); /* the weaker ones, but of this window */
    assert_true(out[3].ts_ms == 0 && out[4].ts_ms == 1);
    assert_int_equal(list(&examples, BLOCK, BLOCK, 2 * BLOCK, out), 3);
    sq_examples_deinit(&examples);
}

static void no_text_stands_twice(void **state)
{
    (void)state;
    struct sq_examples examples = {0};
    struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX];
    take(&examples, 1, 0.5f, 77, "once upon a time", 0);
    take(&examples, BLOCK, 0.6f, 77, "once upon a time", 0);
    take(&examples, 1, 0.5f, 0, "so bad", 0); /* too short for a hash: compared as it is */
    take(&examples, 2, 0.6f, 0, "so bad", 0);
    take(&examples, 3, 0.7f, 0, "so sad", 0);
    assert_int_equal(list(&examples, 0, 0, 2 * BLOCK, out), 3);
    sq_examples_deinit(&examples);
}

static void older_examples_give_way(void **state)
{
    (void)state;
    struct sq_examples examples = {0};
    struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX];
    for (int i = 0; i < 1000; i++) take(&examples, (int64_t)i * BLOCK, 0.5f, (uint64_t)i + 1, "text", (int64_t)(i - 4) * BLOCK);
    assert_true(examples.count <= 6);
    take(&examples, 999 * BLOCK + 1, 0.1f, 1000, "a text seen long ago", 1000 * BLOCK);
    assert_int_equal(list(&examples, 999 * BLOCK + 1, 0, 1000 * BLOCK, out), 1);
    sq_examples_deinit(&examples);
}

static void a_source_that_runs_ahead_takes_no_examples_away(void **state)
{
    (void)state;
    struct sq_examples examples = {0};
    struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX];
    for (int i = 0; i < 1000; i++) take(&examples, (int64_t)i * BLOCK, 0.5f, (uint64_t)i + 1, "text", 0);
    assert_true(examples.count <= SQ_EXAMPLES_MAX);
    assert_int_equal(list(&examples, 0, 0, 5 * BLOCK, out), 5);
    sq_examples_deinit(&examples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_as_documented),
        cmocka_unit_test(a_rule_without_patterns_watches_all),
        cmocka_unit_test(summaries_say_what_happened),
        cmocka_unit_test(templates_are_checked),
        cmocka_unit_test(long_summaries_are_cut_at_a_character),
        cmocka_unit_test(examples_are_the_strongest_of_each_block),
        cmocka_unit_test(examples_of_the_deciding_window_come_first),
        cmocka_unit_test(no_text_stands_twice),
        cmocka_unit_test(older_examples_give_way),
        cmocka_unit_test(a_source_that_runs_ahead_takes_no_examples_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
