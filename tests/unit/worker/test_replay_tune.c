/* SPDX-License-Identifier: Apache-2.0 */
/* What `squall replay` tells of a history: sweeps, differences, truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "tests/lib/command.h"
#include "tests/lib/stream.h"
#include "worker/cli/replay_line.h"
#include "worker/cli/replay_sweep.h"

static struct test_folder folder;
static char *scores, *compact, *truth;

static int replay(const char *const *args) { return test_command(&folder, &sq_command_replay, args); }

static json_t *object_of(const char *name)
{
    struct sq_buf text = test_content(&folder, name);
    struct sq_err err;
    json_t *root;
    if (sq_json_parse(&root, name, sq_buf_view(&text), SQ_E_DECODE, &err)) fail_msg("%s", err.message);
    sq_buf_deinit(&text);
    return root;
}

static long long member(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

/* ---- The text of a sweep ---- */

static void a_sweep_is_a_range_or_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned count;
        const char *first, *last;
    } cases[] = {
        {"a.b=0.2:1:0.2", 5, "a.b=0.2", "a.b=1"},   {"a=1d:7d:2d", 4, "a=1d", "a=7d"}, {"a=3:3:1", 1, "a=3", "a=3"},
        {"a=1,2.5,auto", 3, "a=1", "a=auto"},       {"a=x", 1, "a=x", "a=x"},          {"a=0:1:0.4", 3, "a=0", "a=0.8"},
    };
    struct sq_sweep sweep;
    struct sq_err err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sq_sweep_parse(&sweep, cases[i].text, &err), 0);
        assert_int_equal(sweep.count, cases[i].count);
        assert_string_equal(sweep.points[0], cases[i].first);
        assert_string_equal(sweep.points[sweep.count - 1], cases[i].last);
    }
    static const char *const wrong[] = {"", "a", "=1", "a=", "a=1,,2", "a=1:2", "a=2:1:1", "a=1:2:0", "a=1d:2h:1h", "a=0:100:1", "a=1:2:1:1", "a=1:inf:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(sq_sweep_parse(&sweep, wrong[i], &err), SQ_E_USAGE);
}

/* ---- Sweeps ---- */

static void a_sweep_reads_once_and_judges_each_point(void **state)
{
    (void)state;
    const char *const args[] = {"--scores-in", "--sweep", "rules.NegativeSpike.threshold=3.3,4,99", "--set", "rules.NegativeSpike.threshold=4",
                                "--truth", truth, "--json", "--quiet", scores, NULL};
    assert_int_equal(replay(args), 0);
    json_t *root = object_of("out");
    const json_t *points = json_object_get(root, "points");
    assert_string_equal(json_string_value(json_object_get(root, "path")), "rules.NegativeSpike.threshold");
    assert_int_equal(json_array_size(points), 3);
    const json_t *loose = json_array_get(points, 0), *current = json_array_get(points, 1), *deaf = json_array_get(points, 2);
    assert_true(json_is_true(json_object_get(current, "current")) && json_is_false(json_object_get(loose, "current")));
    assert_true(member(loose, "alerts") >= member(current, "alerts") && member(current, "alerts") > 0 && member(deaf, "alerts") == 0);
    assert_true(member(loose, "caught") >= member(current, "caught") && member(deaf, "caught") == 0);
    assert_true(member(loose, "events") > 5 && member(loose, "caught") * 10 >= member(loose, "events") * 7);
    assert_true(json_number_value(json_object_get(loose, "delay_minutes")) > 0);
    json_decref(root);
}

static void the_table_says_which_point_is_in_force(void **state)
{
    (void)state;
    const char *const args[] = {"--scores-in", "--sweep", "rules.NegativeSpike.budget_per_entity_week=0.2,1", compact, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf table = test_content(&folder, "out");
    assert_int_equal(test_count(&table, "\n"), 3);
    assert_non_null(strstr(table.data, "/entity-week"));
    assert_non_null(strstr(table.data, "<- current\n"));
    assert_int_equal(test_count(&table, "<- current"), 1);
    assert_null(strstr(table.data, "recall"));
    sq_buf_deinit(&table);
}

/* A sweep's point gives the figures of a replay with just that --set. */
static void a_point_is_what_a_replay_alone_gives(void **state)
{
    (void)state;
    const char *const sweep[] = {"--scores-in", "--sweep", "rules.NegativeSpike.threshold=3.3,4", "--json", "-q", scores, NULL};
    assert_int_equal(replay(sweep), 0);
    json_t *root = object_of("out");
    long long alerts = member(json_array_get(json_object_get(root, "points"), 1), "alerts"),
              flaps = member(json_array_get(json_object_get(root, "points"), 1), "flaps");
    json_decref(root);
    const char *const alone[] = {"--scores-in", "--set", "rules.NegativeSpike.threshold=4", "--json", scores, NULL};
    assert_int_equal(replay(alone), 0);
    struct sq_buf out = test_content(&folder, "out");
    assert_int_equal(test_count(&out, "\"reason\":\"threshold\""), alerts);
    assert_int_equal(test_count(&out, "\"reason\":\"reopen\""), flaps);
    sq_buf_deinit(&out);
}

/* ---- Differences ---- */

static void a_diff_lists_what_a_change_adds_and_removes(void **state)
{
    (void)state;
    const char *const stricter[] = {"--scores-in", "--diff", "rules.NegativeSpike.threshold=6", "--json", "-q", scores, NULL};
    assert_int_equal(replay(stricter), 0);
    json_t *root = object_of("out");
    size_t added = json_array_size(json_object_get(root, "added"));
    assert_true(added > 0 && member(root, "same") + (long long)json_array_size(json_object_get(root, "moved")) > 0);
    const json_t *first = json_array_get(json_object_get(root, "added"), 0);
    assert_int_equal(json_string_length(json_object_get(first, "alert_id")), 16);
    assert_non_null(strstr(json_string_value(json_object_get(first, "summary")), "negative"));
    json_decref(root);

    /* The other way round, between files. */
    test_folder_write(&folder, "loose.yaml", SQ_STR("rules:\n  - name: NegativeSpike\n"));
    test_folder_write(&folder, "strict.yaml", SQ_STR("rules:\n  - name: NegativeSpike\n    threshold: 6\n"));
    char *loose = test_path(&folder, "loose.yaml"), *strict = test_path(&folder, "strict.yaml");
    const char *const files[] = {"-c", strict, "--scores-in", "--diff", loose, scores, NULL};
    assert_int_equal(replay(files), 0);
    struct sq_buf out = test_content(&folder, "out");
    char sum[64];
    snprintf(sum, sizeof sum, "0 added, %zu removed, ", added);
    assert_non_null(strstr(out.data, sum));
    assert_int_equal(test_count(&out, "- 2026-01"), added);
    sq_buf_deinit(&out);
    const char *const itself[] = {"-c", strict, "--scores-in", "--diff", strict, scores, NULL};
    assert_int_equal(replay(itself), 0);
    out = test_content(&folder, "out");
    assert_true(strncmp(out.data, "0 added, 0 removed, 0 moved, ", 29) == 0);
    sq_buf_deinit(&out);
    free(loose);
    free(strict);
}

/* ---- Forms and mistakes ---- */

static void both_forms_give_the_same_alerts(void **state)
{
    (void)state;
    const char *const lines[] = {"--scores-in", "--json", "-q", scores, NULL}, *const packed[] = {"--scores-in", "--json", "-q", compact, NULL};
    assert_int_equal(replay(lines), 0);
    struct sq_buf a = test_content(&folder, "out");
    assert_int_equal(replay(packed), 0);
    struct sq_buf b = test_content(&folder, "out");
    for (char *at = b.data; (at = strstr(at, "week.sqscore.sqs"));) memcpy(at, "week.lines.jsonl", 16); /* examples name their input */
    assert_true(a.bytes > 1000);
    assert_string_equal(a.data, b.data);
    sq_buf_deinit(&a);
    sq_buf_deinit(&b);
}

static void a_truth_without_a_sweep_is_a_sentence(void **state)
{
    (void)state;
    const char *const args[] = {"--scores-in", "--truth", truth, "--settle", "1d", scores, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf err = test_content(&folder, "err");
    assert_non_null(strstr(err.data, "truth: "));
    assert_non_null(strstr(err.data, "events caught (recall "));
    sq_buf_deinit(&err);
}

/* A page of its own: nothing from elsewhere, and whatever is called something stays text. */
static void a_report_shows_each_entity_with_alerts(void **state)
{
    (void)state;
    char *page = test_path(&folder, "report.html");
    const char *const args[] = {"--scores-in", "--report", page, "--truth", truth, "-q", scores, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf html = test_content(&folder, "report.html"), told = test_content(&folder, "out");
    unsigned alerts = 0;
    for (const char *at = told.data; (at = strstr(at, " FIRING ")); at++) alerts += strncmp(strchr(at, '\n') - 7, " reopen", 7) != 0;
    assert_true(alerts > 5);
    assert_int_equal(test_count(&html, "<tr><td class=\"n\">"), alerts);
    assert_int_equal(test_count(&html, "<title>2026-01-"), alerts);
    assert_int_equal(test_count(&html, "<svg "), 6);
    assert_int_equal(test_count(&html, "</svg>"), 6);
    assert_non_null(strstr(html.data, "events caught"));
    assert_non_null(strstr(html.data, "<h2>What really happened</h2>"));
    assert_true(test_count(&html, "fill=\"var(--event)\"") >= 1);
    assert_non_null(strstr(html.data, "<td>NegativeSpike</td><td>rate</td><td>negative</td><td>15m, 1h</td>"));
    assert_null(strstr(html.data, "<script"));
    assert_null(strstr(html.data, "http"));
    sq_buf_deinit(&html);
    sq_buf_deinit(&told);

    test_folder_write(&folder, "odd.jsonl", SQ_STR("{\"entity\":\"<b>&\\\"\",\"ts\":1767225600000,\"label\":\"x\"}\n{\"entity\":\"<b>&\\\"\",\"ts\":1767235600000,\"label\":\"x\"}\n"
                                                     "{\"entity\":\"<b>&\\\"\",\"ts\":1767236600000,\"label\":\"x\"}\n"));
    char *odd = test_path(&folder, "odd.jsonl");
    const char *const again[] = {"--scores-in", "--report", page, "-q", odd, NULL};
    assert_int_equal(replay(again), 0);
    html = test_content(&folder, "report.html");
    assert_non_null(strstr(html.data, "&lt;b&gt;&amp;&quot;"));
    assert_null(strstr(html.data, "<b>&"));
    sq_buf_deinit(&html);
    free(odd);
    free(page);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    test_folder_write(&folder, "bad", SQ_STR("{\"entity\":\"e\",\"start\":2,\"end\":1}\n"));
    char *bad = test_path(&folder, "bad");
    const struct {
        const char *args[9];
        int exit_code;
    } cases[] = {
        {{"--scores-in", "--sweep", "a=1:2", scores}, 2},
        {{"--scores-in", "--sweep", "rules.NegativeSpike.moon=1,2", scores}, 78},
        {{"--scores-in", "--sweep", "rules.NegativeSpike.threshold=1,2", "--diff", "x=1", scores}, 2},
        {{"--scores-in", "--sweep", "rules.NegativeSpike.threshold=1,2", "--alerts-out", bad, scores}, 2},
        {{"-c", "-", "--scores-in", "--diff", "x=1", scores}, 2},
        {{"--scores-in", "--diff", "no.such.file", scores}, 78},
        {{"--scores-in", "--truth", bad, scores}, 1},
        {{"--scores-in", "--settle", "soon", scores}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_int_equal(replay(cases[i].args), cases[i].exit_code);
    const char *const again[] = {"--scores-in", "--truth", bad, scores, NULL};
    assert_int_equal(replay(again), 1);
    struct sq_buf err = test_content(&folder, "err");
    assert_non_null(strstr(err.data, "bad:1: "));
    sq_buf_deinit(&err);
    free(bad);
}

/* Six days of six entities with planted events, as lines, compact, and what is true of them. */
static int write_week(void **state)
{
    (void)state;
    const struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = 6, .days = 6, .seed = 9, .event_logit = 2.5, .event_volume = 3, .first_event_day = 2};
    const struct sq_str labels[] = {SQ_STR("negative")};
    struct stream *stream = stream_open(&options);
    struct sq_score score = {0};
    struct sq_buf out, events;
    sq_buf_init(&out);
    sq_buf_init(&events);
    test_folder_init(&folder);
    char names[8][SQ_ENTITY_BYTES_MAX + 1] = {""};
    while (stream_next(stream, &score)) {
        char author[24];
        snprintf(author, sizeof author, "%" PRIu64, score.author_hash);
        snprintf(names[stream_entity_of(score.entity)], sizeof *names, "%.*s", (int)score.entity.bytes, score.entity.data);
        sq_replay_line_write(&out, &score, sq_str_view(author), labels);
    }
    unsigned count;
    const struct planted *planted = stream_events(stream, &count);
    for (unsigned i = 0; i < count; i++)
        sq_buf_printf(&events, "{\"entity\":\"%s\",\"start\":%" PRId64 ",\"end\":%" PRId64 "}\n", names[planted[i].entity], planted[i].start_ms, planted[i].end_ms);
    stream_close(stream);
    test_folder_write(&folder, "week.lines.jsonl", sq_buf_view(&out));
    test_folder_write(&folder, "truth.jsonl", sq_buf_view(&events));
    sq_buf_deinit(&out);
    sq_buf_deinit(&events);
    scores = test_path(&folder, "week.lines.jsonl");
    compact = test_path(&folder, "week.sqscore.sqs");
    truth = test_path(&folder, "truth.jsonl");
    const char *const pack[] = {"--scores-in", "--scores-out", compact, "-q", scores, NULL};
    return replay(pack);
}

static int remove_week(void **state)
{
    (void)state;
    free(scores);
    free(compact);
    free(truth);
    test_folder_deinit(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_is_a_range_or_a_list),
        cmocka_unit_test(a_sweep_reads_once_and_judges_each_point),
        cmocka_unit_test(the_table_says_which_point_is_in_force),
        cmocka_unit_test(a_point_is_what_a_replay_alone_gives),
        cmocka_unit_test(a_diff_lists_what_a_change_adds_and_removes),
        cmocka_unit_test(both_forms_give_the_same_alerts),
        cmocka_unit_test(a_truth_without_a_sweep_is_a_sentence),
        cmocka_unit_test(a_report_shows_each_entity_with_alerts),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, write_week, remove_week);
}
