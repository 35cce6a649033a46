/* SPDX-License-Identifier: Apache-2.0 */
/* Both encodings of one alert. tests/golden/alert holds them as files, which tests/integration/test_proto.py reads with Google's own protobuf
 * and the published schema; `proto_alert --write` renews them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/base/json.h"
#include "proto/codec.h"

static struct sq_buf buf;
static struct sq_err err;

static int set_up(void **state)
{
    (void)state;
    sq_buf_init(&buf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sq_buf_deinit(&buf);
    return 0;
}

static struct sq_alert sample(void)
{
    struct sq_alert alert = {
        .state = SQ_ALERT_FIRING, .reason = SQ_REASON_THRESHOLD, .fingerprint = 0xabc, .alert_id = UINT64_MAX, .seq = 0,
        .app = SQ_STR("squall"), .rule = SQ_STR("NegativeSpike"), .entity = SQ_STR("a\"b"), .severity = SQ_SEVERITY_CRITICAL,
        .summary = SQ_STR("41 of 58"), .starts_at_ms = 1700000000000, .at_ms = 1700000000123,
        .window_start_ms = 1699999100000, .window_end_ms = 1700000000000, .watermark_ms = 1700000000000, .scores_partition = 3,
        .examples_count = 1, .model_name = SQ_STR("minilm-l6"), .model_digest = 1, .rules_digest = 2, .mode = SQ_STR("live"),
    };
    alert.stats.count = 58;
    alert.stats.matched = 41;
    alert.stats.rate = 41.0 / 58;
    alert.stats.baseline_rate = 0.12;
    alert.stats.p_value = 1.24236e-8;
    alert.stats.labels[0].label = SQ_STR("negative");
    alert.stats.labels[0].count = 41;
    alert.stats.labels_count = 1;
    alert.examples[0] = (struct sq_alert_example){.source = {SQ_STR("posts"), 4, INT64_MAX}, .ts_ms = 1700000000000, .id = SQ_STR("7"),
                                                  .label = SQ_STR("negative"), .score = 0.963104129f, .excerpt = SQ_STR("x\ny")};
    return alert;
}

static void the_json_mapping_is_fixed(void **state)
{
    (void)state;
    struct sq_alert alert = sample();
    assert_int_equal(sq_alert_encode_json(&alert, &buf, &err), 0);
    assert_string_equal(
        buf.data,
        "{\"state\":\"FIRING\",\"reason\":\"threshold\",\"fingerprint\":\"0000000000000abc\",\"alert_id\":\"ffffffffffffffff\",\"seq\":0,"
        "\"reopen_count\":0,\"app\":\"squall\",\"rule\":\"NegativeSpike\",\"entity\":\"a\\\"b\",\"severity\":\"critical\","
        "\"summary\":\"41 of 58\",\"starts_at\":\"2023-11-14T22:13:20Z\",\"at\":\"2023-11-14T22:13:20.123Z\","
        "\"window\":{\"start\":\"2023-11-14T21:58:20Z\",\"end\":\"2023-11-14T22:13:20Z\"},"
        "\"stats\":{\"count\":58,\"matched\":41,\"rate\":0.706896552,"
        "\"baseline\":{\"rate\":0.12,\"low\":0,\"high\":0,\"messages\":0},\"lift_pp\":0,\"lift_ratio\":0,\"strength\":0,\"threshold\":0,"
        "\"p_value\":1.24236e-08,\"label_counts\":[{\"label\":\"negative\",\"count\":41}],\"distinct_authors\":0,\"collapsed\":0,"
        "\"late\":0,\"flapping\":false,\"skipped\":0},\"completeness\":{\"scores_partition\":3,\"watermark\":\"2023-11-14T22:13:20Z\"},"
        "\"examples\":[{\"topic\":\"posts\",\"partition\":4,\"offset\":\"9223372036854775807\",\"ts\":\"2023-11-14T22:13:20Z\","
        "\"id\":\"7\",\"label\":\"negative\",\"score\":0.963104129,\"excerpt\":\"x\\ny\"}],"
        "\"models\":[{\"name\":\"minilm-l6\",\"digest\":\"0000000000000001\"}],\"rules_digest\":\"0000000000000002\",\"mode\":\"live\",\"kind\":\"rate\","
        "\"silenced\":false,\"acknowledged\":false,\"runbook_url\":\"\",\"terms\":[]}");
}

static void the_flat_form_nests_nothing(void **state)
{
    (void)state;
    struct sq_alert alert = sample();
    alert.state = SQ_ALERT_RESOLVED;
    alert.reason = SQ_REASON_NO_DATA;
    alert.ends_at_ms = 5;
    assert_int_equal(sq_alert_encode_flat(&alert, &buf, &err), 0);
    json_t *json;
    assert_int_equal(sq_json_parse(&json, "alert", sq_buf_view(&buf), SQ_E_DECODE, &err), 0);
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) assert_false(json_is_object(value));
    assert_string_equal(json_string_value(json_object_get(json, "state")), "resolved");
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "no_data");
    assert_int_equal(json_integer_value(json_object_get(json, "starts_at")), 1700000000000);
    assert_int_equal(json_integer_value(json_object_get(json, "ends_at")), 5);
    assert_int_equal(json_integer_value(json_object_get(json, "window_start")), 1699999100000);
    assert_true(json_is_real(json_object_get(json, "baseline_rate")));
    json_decref(json);
}

static void both_json_forms_have_the_same_names(void **state)
{
    (void)state;
    struct sq_alert alert = sample();
    assert_int_equal(sq_alert_encode_json(&alert, &buf, &err), 0);
    json_t *nested;
    assert_int_equal(sq_json_parse(&nested, "alert", sq_buf_view(&buf), SQ_E_DECODE, &err), 0);
    sq_buf_clear(&buf);
    assert_int_equal(sq_alert_encode_flat(&alert, &buf, &err), 0);
    json_t *flat;
    assert_int_equal(sq_json_parse(&flat, "alert", sq_buf_view(&buf), SQ_E_DECODE, &err), 0);
    const char *key;
    json_t *value;
    json_object_foreach(nested, key, value)
        if (!json_is_object(value)) assert_non_null(json_object_get(flat, key));
    json_decref(nested);
    json_decref(flat);
}

static void only_a_resolved_alert_has_an_end(void **state)
{
    (void)state;
    struct sq_alert alert = sample();
    assert_int_equal(sq_alert_encode_json(&alert, &buf, &err), 0);
    assert_null(strstr(buf.data, "ends_at"));
    sq_buf_clear(&buf);
    alert.state = SQ_ALERT_RESOLVED;
    alert.ends_at_ms = 0;
    assert_int_equal(sq_alert_encode_json(&alert, &buf, &err), 0);
    assert_non_null(strstr(buf.data, "\"ends_at\":\"1970-01-01T00:00:00Z\""));
}

/* field number << 3 | 2 (a text or a message), its length, its bytes */
static void the_protobuf_opens_with_state_and_ids(void **state)
{
    (void)state;
    struct sq_alert alert = sample();
    assert_int_equal(sq_alert_encode_protobuf(&alert, &buf, &err), 0);
    static const char expected[] = "\x08\x01" "\x12\x09threshold" "\x1a\x10" "0000000000000abc" "\x22\x10" "ffffffffffffffff"
                                   "\x3a\x06squall" "\x42\x0dNegativeSpike" "\x4a\x03" "a\"b" "\x52\x08" "critical";
    assert_true(buf.bytes > sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected - 1);
}

/* ---- The golden files ---- */

/* Every field has a value that no other has. */
static struct sq_alert full_alert(void)
{
    struct sq_alert alert = sample();
    alert.state = SQ_ALERT_RESOLVED;
    alert.reason = SQ_REASON_LEVEL_SHIFT;
    alert.seq = 5;
    alert.reopen_count = 2;
    alert.entity = SQ_STR("caf\xc3\xa9 \0 \xf0\x9f\x9a\x80");
    alert.severity = SQ_SEVERITY_WARNING;
    alert.starts_at_ms = -1500;
    alert.ends_at_ms = 1700000100456;
    alert.stats.baseline_low = 0.0625;
    alert.stats.baseline_high = 0.1875;
    alert.stats.baseline_messages = 4014.5;
    alert.stats.rate = 0.75;
    alert.stats.lift_pp = 58.5;
    alert.stats.lift_ratio = 5.875;
    alert.stats.strength = 7.90625;
    alert.stats.threshold = 3.5;
    alert.stats.p_value = 1.25e-80;
    alert.stats.distinct_authors = 4;
    alert.stats.collapsed = 6;
    alert.stats.late = 1;
    alert.stats.flapping = true;
    alert.stats.skipped = 870;
    alert.stats.labels[1].label = SQ_STR("neutral");
    alert.stats.labels[1].count = 17;
    alert.stats.labels_count = 2;
    alert.examples[0].score = 0.96875f;
    alert.examples[1] = alert.examples[0];
    alert.examples[1].source.offset = 8812;
    alert.examples_count = 2;
    alert.runbook_url = SQ_STR("https://runbooks.example/rate");
    alert.silenced = true;
    alert.acknowledged = true;
    alert.terms[0] = (struct sq_alert_term){SQ_STR("battery"), 12, 4.25};
    alert.terms_count = 1;
    alert.mode = SQ_STR("replay");
    return alert;
}

static const struct golden {
    const char *path;
    int (*encode)(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err);
} goldens[] = {
    {SQUALL_SOURCE_DIR "/tests/golden/alert/alert.json", sq_alert_encode_json},
    {SQUALL_SOURCE_DIR "/tests/golden/alert/alert.pb", sq_alert_encode_protobuf},
};
enum { GOLDENS_COUNT = sizeof goldens / sizeof *goldens };

static void the_golden_files_hold_what_is_encoded(void **state)
{
    (void)state;
    struct sq_alert alert = full_alert();
    for (int i = 0; i < GOLDENS_COUNT; i++) {
        struct sq_buf expected;
        sq_buf_init(&expected);
        sq_buf_clear(&buf);
        assert_int_equal(goldens[i].encode(&alert, &buf, &err), 0);
        assert_int_equal(sq_json_read_file(&expected, goldens[i].path, 1 << 20, SQ_E_IO, &err), 0);
        if (!sq_str_equal(sq_buf_view(&buf), sq_buf_view(&expected))) fail_msg("%s differs; if that is meant, proto_alert --write", goldens[i].path);
        sq_buf_deinit(&expected);
    }
}

static int renew_goldens(void)
{
    struct sq_alert alert = full_alert();
    int failed = 0;
    for (int i = 0; i < GOLDENS_COUNT; i++) {
        FILE *file = fopen(goldens[i].path, "w");
        sq_buf_clear(&buf);
        failed |= goldens[i].encode(&alert, &buf, &err);
        failed |= !file || fwrite(buf.data, 1, buf.bytes, file) != buf.bytes;
        failed |= file && fclose(file) != 0;
    }
    sq_buf_deinit(&buf);
    return failed != 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) return renew_goldens();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_json_mapping_is_fixed),
        TEST(the_flat_form_nests_nothing),
        TEST(both_json_forms_have_the_same_names),
        TEST(only_a_resolved_alert_has_an_end),
        TEST(the_protobuf_opens_with_state_and_ids),
        TEST(the_golden_files_hold_what_is_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
