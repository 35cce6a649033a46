/* SPDX-License-Identifier: Apache-2.0 */
/* squall replay from end to end, on made scores and on texts with a model of random weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/texthash.h"
#include "tests/lib/command.h"
#include "tests/lib/stream.h"
#include "tests/lib/tiny_model.h"
#include "worker/cli/replay_scan.h"

static struct test_folder *const folder = &test_group_folder;

static char *path_of(const char *name) { return test_path(folder, name); }
static int replay(const char *const *args) { return test_command(folder, &sq_command_replay, args); }
static struct sq_buf content(const char *name) { return test_content(folder, name); }
static unsigned count_of(const struct sq_buf *buf, const char *what) { return test_count(buf, what); }

/* ---- One line ---- */

static void assert_score_equal(const struct sq_score *a, const struct sq_score *b)
{
    assert_true(sq_str_equal(a->entity, b->entity) && sq_str_equal(a->label, b->label));
    assert_true(a->event_time_ms == b->event_time_ms && memcmp(&a->score, &b->score, sizeof a->score) == 0);
    assert_true(a->text_hash == b->text_hash && a->author_hash == b->author_hash && a->probabilities_count == b->probabilities_count);
    assert_memory_equal(a->probabilities, b->probabilities, a->probabilities_count * sizeof(float) + !a->probabilities_count);
}

static void a_line_reads_as_it_was_written(void **state)
{
    (void)state;
    const struct sq_str labels[] = {SQ_STR("negative"), SQ_STR("neutral"), SQ_STR("positive")};
    const struct sq_score written = {
        .entity = SQ_STR("a \"quoted\"\n\0name"), .event_time_ms = 1767225600123, .label = SQ_STR("neutral"), .score = 0.7f,
        .probabilities = {0.1f, 0.7f, 0.2f}, .probabilities_count = 3, .text_hash = 0x00ab34cdu, .author_hash = sq_author_hash(SQ_STR("jo"))};
    struct sq_buf line;
    struct sq_replay_line read = {.root = NULL};
    struct sq_err err;
    sq_buf_init(&line);
    sq_replay_line_write(&line, &written, SQ_STR("jo"), labels);
    assert_false(sq_buf_failed(&line));
    if (sq_replay_line_read(&read, (struct sq_str){line.data, line.bytes - 1}, &err)) fail_msg("%s", err.message);
    assert_score_equal(&read.score, &written);
    assert_true(sq_str_equal(read.labels[2], labels[2]));
    sq_replay_line_deinit(&read);
    sq_buf_deinit(&line);
}

static void what_is_optional_may_be_missing(void **state)
{
    (void)state;
    struct sq_replay_line read = {.root = NULL};
    struct sq_err err;
    assert_int_equal(sq_replay_line_read(&read, SQ_STR("{\"entity\":\"e\",\"ts\":\"2026-01-01T00:00:00Z\",\"scores\":{\"a\":0.2,\"b\":0.8},\"x\":1}"), &err), 0);
    assert_true(read.score.event_time_ms == 1767225600000 && sq_str_equal(read.score.label, SQ_STR("b")) && read.score.score == 0.8f);
    assert_true(read.score.author_hash == 0 && read.score.text_hash == 0);
    assert_int_equal(sq_replay_line_read(&read, SQ_STR("{\"entity\":\"e\",\"ts\":1767225600,\"label\":\"c\",\"author\":null,\"text_hash\":0}"), &err), 0);
    assert_true(read.score.event_time_ms == 1767225600000 && sq_str_equal(read.score.label, SQ_STR("c")) && read.score.text_hash == 0);
    sq_replay_line_deinit(&read);
}

/* Lines as we write them, and lines that are nearly so: the scanner may give one up, but never read it differently. */
static void the_short_way_agrees_with_the_parser(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool is_scanned;
    } cases[] = {
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.963104129,\"scores\":{\"a\":0.036895871,\"b\":0.963104129},\"author\":\"jo\",\"text_hash\":\"00ff00ff12345678\"}", true},
        {"{\"entity\":\"\xc3\xa9\",\"ts\":1767225600123,\"label\":\"b\",\"score\":1,\"scores\":{}}", true},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.00012345678,\"scores\":{\"b\":0.00012345678},\"author\":\"\"}", true},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.5,\"scores\":{\"b\":9.87e-05}}", false},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.5,\"scores\":{\"b\":0.5,\"b\":0.25}}", false},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.5,\"scores\":{\"b\":0.5}} ", false},
        {"{\"entity\":\"e\\u0041\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.5,\"scores\":{\"b\":0.5}}", false},
        {"{\"entity\":\"e\",\"ts\":1767225600,\"label\":\"b\",\"score\":0.5,\"scores\":{\"b\":0.5}}", false},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0,\"scores\":{\"b\":0.5}}", false},
        {"{\"entity\":\"e\",\"ts\":1767225600123,\"label\":\"b\",\"score\":0.1234567890123456789,\"scores\":{}}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sq_replay_line scanned = {.root = NULL}, parsed = {.root = NULL};
        struct sq_err err;
        struct sq_buf line;
        sq_buf_init(&line);
        assert_int_equal(sq_replay_scan(&scanned, sq_str_view(cases[i].line)), cases[i].is_scanned);
        sq_buf_printf(&line, " %s", cases[i].line); /* a blank before it: for the parser */
        assert_int_equal(sq_replay_line_read(&parsed, sq_buf_view(&line), &err), 0);
        assert_non_null(parsed.root);
        if (cases[i].is_scanned) assert_score_equal(&scanned.score, &parsed.score);
        sq_replay_line_deinit(&parsed);
        sq_buf_deinit(&line);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {
        {"", SQ_E_DECODE, "JSON"},
        {"[1]", SQ_E_DECODE, "JSON"},
        {"{\"entity\":\"e\"", SQ_E_DECODE, "JSON"},
        {"{\"ts\":1}", SQ_E_MISSING_FIELD, "entity"},
        {"{\"entity\":\"\",\"ts\":1}", SQ_E_MISSING_FIELD, "entity"},
        {"{\"entity\":7,\"ts\":1}", SQ_E_WRONG_TYPE, "entity"},
        {"{\"entity\":\"e\"}", SQ_E_MISSING_FIELD, "ts"},
        {"{\"entity\":\"e\",\"ts\":\"yesterday\"}", SQ_E_WRONG_TYPE, "ts"},
        {"{\"entity\":\"e\",\"ts\":-5}", SQ_E_WRONG_TYPE, "ts"},
        {"{\"entity\":\"e\",\"ts\":1e300}", SQ_E_WRONG_TYPE, "ts"},
        {"{\"entity\":\"e\",\"ts\":1,\"label\":1}", SQ_E_WRONG_TYPE, "label"},
        {"{\"entity\":\"e\",\"ts\":1,\"score\":1.5}", SQ_E_WRONG_TYPE, "score"},
        {"{\"entity\":\"e\",\"ts\":1,\"scores\":[1]}", SQ_E_WRONG_TYPE, "scores"},
        {"{\"entity\":\"e\",\"ts\":1,\"scores\":{\"a\":\"b\"}}", SQ_E_WRONG_TYPE, "scores"},
        {"{\"entity\":\"e\",\"ts\":1,\"author\":[]}", SQ_E_WRONG_TYPE, "author"},
        {"{\"entity\":\"e\",\"ts\":1,\"text_hash\":\"xyz\"}", SQ_E_WRONG_TYPE, "text_hash"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sq_replay_line read = {.root = NULL};
        struct sq_err err;
        assert_int_equal(sq_replay_line_read(&read, sq_str_view(cases[i].line), &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].says));
        sq_replay_line_deinit(&read);
    }
}

/* ---- From scores ---- */

static void write_stream(const char *name)
{
    const struct stream_options options = {
        .kind = STREAM_MATCHED, .entities = 6, .days = 6, .seed = 9, .event_logit = 2.5, .event_volume = 3, .first_event_day = 2};
    const struct sq_str labels[] = {SQ_STR("negative")};
    struct stream *stream = stream_open(&options);
    struct sq_score score = {0};
    struct sq_buf out;
    sq_buf_init(&out);
    while (stream_next(stream, &score)) {
        char author[24];
        snprintf(author, sizeof author, "%" PRIu64, score.author_hash);
        sq_replay_line_write(&out, &score, sq_str_view(author), labels);
    }
    stream_close(stream);
    assert_false(sq_buf_failed(&out));
    test_folder_write(folder, name, sq_buf_view(&out));
    sq_buf_deinit(&out);
}

static void scores_give_alerts_in_the_fixed_form(void **state)
{
    (void)state;
    write_stream("week.jsonl");
    char *input = path_of("week.jsonl"), *alerts = path_of("alerts");
    const char *const args[] = {"--scores-in", "--alerts-out", alerts, input, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf told = content("alerts"), people = content("out"), summary = content("err");
    unsigned firing = 0, resolved = 0, lines = 0;
    for (char *line = told.data, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *alert;
        struct sq_err err;
        if (sq_json_parse(&alert, "alert", (struct sq_str){line, (size_t)(end - line)}, SQ_E_DECODE, &err)) fail_msg("%s", err.message);
        static const char *const times[] = {"starts_at", "at", "window_start", "window_end"};
        for (size_t i = 0; i < sizeof times / sizeof *times; i++)
            assert_in_range(json_integer_value(json_object_get(alert, times[i])), 1767225600000, 1767830400000);
        assert_string_equal(json_string_value(json_object_get(alert, "rule")), "NegativeSpike");
        assert_int_equal(json_string_value(json_object_get(alert, "entity"))[0], 'e');
        assert_int_equal(json_string_length(json_object_get(alert, "alert_id")), 16);
        assert_string_equal(json_string_value(json_object_get(alert, "mode")), "replay");
        assert_non_null(json_object_get(alert, "severity"));
        const char *word = json_string_value(json_object_get(alert, "state"));
        firing += strcmp(word, "firing") == 0;
        resolved += strcmp(word, "resolved") == 0;
        lines++;
        json_decref(alert);
    }
    assert_true(firing >= 5 && resolved >= 5 && resolved <= firing);
    assert_int_equal(count_of(&people, "\n"), lines);
    assert_int_equal(count_of(&people, " FIRING "), firing);
    assert_non_null(strstr(summary.data, "records of 6 entities"));
    assert_null(strstr(summary.data, "refused"));

    const char *const again[] = {"--scores-in", "--json", "--quiet", input, NULL};
    assert_int_equal(replay(again), 0);
    struct sq_buf json = content("out"), silence = content("err");
    assert_string_equal(json.data, told.data);
    assert_string_equal(silence.data, "");
    struct sq_buf *bufs[] = {&told, &people, &summary, &json, &silence};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) sq_buf_deinit(bufs[i]);
    free(input);
    free(alerts);
}

static void settings_reach_the_detector(void **state)
{
    (void)state;
    write_stream("week.jsonl");
    char *input = path_of("week.jsonl");
    const char *const args[] = {"--scores-in", "--set", "rules.NegativeSpike.threshold=99", "--json", input, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf out = content("out");
    assert_string_equal(out.data, "");
    sq_buf_deinit(&out);
    free(input);
}

static void bad_lines_are_counted_and_passed_over(void **state)
{
    (void)state;
    static const char lines[] = "{\"entity\":\"e\",\"ts\":1767225600000,\"label\":\"x\"}\n{\n\n{\"entity\":\"e\"}\n"
                                "{\"entity\":\"e\",\"ts\":1767225600001,\"label\":\"x\"}";
    test_folder_write(folder, "bad.jsonl", (struct sq_str){lines, sizeof lines - 1});
    char *input = path_of("bad.jsonl");
    const char *const args[] = {"--scores-in", input, NULL};
    assert_int_equal(replay(args), 0);
    struct sq_buf err = content("err");
    assert_non_null(strstr(err.data, "bad.jsonl:2: decode"));
    assert_non_null(strstr(err.data, "bad.jsonl:4: missing_field: ts"));
    assert_non_null(strstr(err.data, "5 lines, 2 records"));
    assert_non_null(strstr(err.data, "refused 3: decode 2 missing_field 1"));
    sq_buf_deinit(&err);
    free(input);
}

static void what_cannot_be_read_is_a_failure(void **state)
{
    (void)state;
    char *missing = path_of("missing");
    const char *const no_file[] = {"--scores-in", missing, NULL}, *const no_input[] = {"--scores-in", NULL};
    const char *const wrong_set[] = {"--scores-in", "--set", "rules.NegativeSpike.moon=1", missing, NULL};
    const char *const both[] = {"--scores-in", "--scores-out", missing, missing, NULL};
    assert_int_equal(replay(no_file), 1);
    assert_int_equal(replay(no_input), 2);
    assert_int_equal(replay(wrong_set), 78);
    assert_int_equal(replay(both), 2);
    const char *const scores_as_texts[] = {"week.sqs", NULL};
    assert_int_equal(replay(scores_as_texts), 2);
    free(missing);
}

/* ---- From texts ---- */

/* Two and a half days with a bad text now and then, forty minutes of mostly bad ones, and a calm evening. */
static void write_texts(const char *name)
{
    static const int64_t minute = 60000, start = 1767225600000;
    struct sq_buf out;
    sq_buf_init(&out);
    for (int64_t i = 0, ts = start; ts < start + 4000 * minute; i++) {
        bool spike = ts >= start + 3600 * minute && ts < start + 3640 * minute;
        bool bad = spike ? i % 4 != 0 : i % 10 == 0;
        const char word[] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26), '\0'}; /* or all would be copies */
        sq_buf_printf(&out, "{\"text\":\"%s news from %s of today\",\"entity\":\"acme\",\"ts\":%" PRId64 ",\"author\":\"a%" PRId64 "\"}\n",
                      bad ? "bad" : "plain", word, ts, i);
        ts += spike ? minute / 2 : 4 * minute;
    }
    sq_buf_append_text(&out, "{\"text\":\" \",\"entity\":\"e\"}\n{\"entity\":\"e\"}\nno json\n{\"text\":\"no time of its own\",\"entity\":\"acme\"}\n");
    test_folder_write(folder, name, sq_buf_view(&out));
    sq_buf_deinit(&out);
}

/* What a decision is, without what only texts can give: state, id, time, counts and S of each line. */
static struct sq_buf decisions(const char *name)
{
    struct sq_buf alerts = content(name), out;
    sq_buf_init(&out);
    for (char *line = alerts.data, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *alert;
        struct sq_err err;
        if (sq_json_parse(&alert, "alert", (struct sq_str){line, (size_t)(end - line)}, SQ_E_DECODE, &err)) fail_msg("%s", err.message);
        sq_buf_printf(&out, "%s %s %" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT " %.9g\n",
                      json_string_value(json_object_get(alert, "state")), json_string_value(json_object_get(alert, "alert_id")),
                      json_integer_value(json_object_get(alert, "at")), json_integer_value(json_object_get(alert, "matched")),
                      json_integer_value(json_object_get(alert, "count")), json_number_value(json_object_get(alert, "strength")));
        json_decref(alert);
    }
    sq_buf_deinit(&alerts);
    return out;
}

static void texts_and_their_scores_give_the_same_alerts(void **state)
{
    (void)state;
    struct test_folder model;
    test_folder_init(&model);
    test_tiny_model_write(&model);
    write_texts("texts.jsonl");
    char *input = path_of("texts.jsonl"), *scores = path_of("scores"), *first = path_of("first"), *second = path_of("second");
    const char *const from_texts[] = {"--model", model.path, "--scores-out", scores, "--alerts-out", first, input, NULL};
    assert_int_equal(replay(from_texts), 0);
    struct sq_buf told = content("err"), written = content("scores"), alerts = content("first");
    assert_non_null(strstr(told.data, "refused 3: decode 1 missing_field 1 empty 1"));
    assert_non_null(strstr(told.data, "1 firing"));
    static const char begins[] = "{\"entity\":\"acme\",\"ts\":1767225600000,\"label\":\"negative\",\"score\":";
    assert_true(strncmp(written.data, begins, sizeof begins - 1) == 0);
    assert_non_null(strstr(written.data, "\"author\":\"a7\",\"text_hash\":\""));
    const char *last = strstr(strchr(written.data, 0) - 250, "{\"entity\"");
    assert_non_null(strstr(last, "\"ts\":1767465"));     /* it stands where the one before it does */
    assert_null(strstr(last, "\"author\""));
    assert_non_null(strstr(alerts.data, "\"excerpt\":\"bad news from"));
    assert_non_null(strstr(alerts.data, input));

    const char *const from_scores[] = {"--scores-in", "--alerts-out", second, scores, NULL};
    assert_int_equal(replay(from_scores), 0);
    struct sq_buf a = decisions("first"), b = decisions("second");
    assert_true(count_of(&a, "\n") >= 2);
    assert_string_equal(a.data, b.data);
    struct sq_buf *bufs[] = {&told, &written, &alerts, &a, &b};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) sq_buf_deinit(bufs[i]);
    char *paths[] = {input, scores, first, second};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) free(paths[i]);
    test_folder_deinit(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_reads_as_it_was_written),
        cmocka_unit_test(what_is_optional_may_be_missing),
        cmocka_unit_test(the_short_way_agrees_with_the_parser),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(scores_give_alerts_in_the_fixed_form),
        cmocka_unit_test(settings_reach_the_detector),
        cmocka_unit_test(bad_lines_are_counted_and_passed_over),
        cmocka_unit_test(what_cannot_be_read_is_a_failure),
        cmocka_unit_test(texts_and_their_scores_give_the_same_alerts),
    };
    return cmocka_run_group_tests(tests, test_group_folder_open, test_group_folder_close);
}
