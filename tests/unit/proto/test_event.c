/* SPDX-License-Identifier: Apache-2.0 */
/* Each way in which an input record can be bad gives its own reason, whatever the encoding, and no message holds the record's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/base/time_text.h"
#include "proto/codec.h"

static struct sq_arena arena;
static struct sq_event event;
static struct sq_err err;
static struct sq_event_format format;

static int set_up(void **state)
{
    (void)state;
    format = sq_event_format_default;
    return sq_arena_init(&arena, 4 << 20, &err);
}

static int tear_down(void **state)
{
    (void)state;
    sq_arena_deinit(&arena);
    return 0;
}

static int decode_keyed(struct sq_str key, struct sq_str value)
{
    struct sq_record record = {.key = key, .value = value};
    return sq_event_decode(&format, &record, &arena, &event, &err);
}

static int decode(struct sq_str value) { return decode_keyed((struct sq_str){NULL, 0}, value); }
#define DECODE(literal) decode(SQ_STR(literal))

static void assert_text(struct sq_str text, const char *expected)
{
    assert_int_equal(text.bytes, strlen(expected));
    assert_memory_equal(text.data, expected, text.bytes);
}

static void takes_the_five_fields(void **state)
{
    (void)state;
    assert_int_equal(
        DECODE("{\"text\":\"Battery died\",\"entity\":\"acme\",\"ts\":1700000000123,\"author\":\"ann\",\"id\":17,\"more\":[1,{}]}"), 0);
    assert_text(event.text, "Battery died");
    assert_text(event.entity, "acme");
    assert_text(event.author, "ann");
    assert_text(event.id, "17");
    assert_true(event.has_ts);
    assert_int_equal(event.ts_ms, 1700000000123);
}

static void strings_outlive_the_record(void **state)
{
    (void)state;
    char json[] = "{\"text\":\"here\",\"entity\":\"acme\"}";
    assert_int_equal(decode(sq_str_view(json)), 0);
    memset(json, 'x', sizeof json - 1);
    assert_text(event.text, "here");
    assert_text(event.entity, "acme");
    assert_text(event.author, "");
    assert_false(event.has_ts);
}

static void bad_json_records_have_a_reason_each(void **state)
{
    (void)state;
    static const struct {
        struct sq_str value;
        int code;
        const char *names; /* what the message must hold */
    } cases[] = {
#define CASE(literal, code, names) {{literal, sizeof(literal) - 1}, code, names}
        CASE("{\"text\":\"secret", SQ_E_DECODE, "not valid JSON"),
        CASE("{\"text\":\"secret\"} {}", SQ_E_DECODE, "more after its end"),
        CASE("{\"text\":\"secret\",\"text\":\"b\"}", SQ_E_DECODE, "stands twice"),
        CASE("{\"text\":\"secret\",\"n\":1e999}", SQ_E_DECODE, "too large"),
        CASE("{\"text\":\"secret\\ud800\"}", SQ_E_DECODE, "not valid JSON"),
        CASE("{'text':'secret'}", SQ_E_DECODE, "not valid JSON"),
        CASE("secret", SQ_E_DECODE, "not valid JSON"),
        CASE("\0\0\0\0\1secret", SQ_E_DECODE, "not valid JSON"),
        CASE("\"secret\"", SQ_E_WRONG_TYPE, "input.format: text"),
        CASE("[{\"text\":\"secret\"}]", SQ_E_WRONG_TYPE, "not an object"),
        CASE("{\"txt\":\"secret\"}", SQ_E_MISSING_FIELD, "field text"),
        CASE("{\"text\":null}", SQ_E_MISSING_FIELD, "field text"),
        CASE("{\"text\":5}", SQ_E_WRONG_TYPE, "field text"),
        CASE("{\"text\":[\"secret\"]}", SQ_E_WRONG_TYPE, "field text"),
        CASE("{\"text\":\"a\",\"entity\":{\"name\":\"secret\"}}", SQ_E_WRONG_TYPE, "field entity"),
        CASE("{\"text\":\"a\",\"entity\":1.5}", SQ_E_WRONG_TYPE, "field entity"),
        CASE("{\"text\":\"a\",\"author\":true}", SQ_E_WRONG_TYPE, "field author"),
        CASE("{\"text\":\"a\",\"id\":[]}", SQ_E_WRONG_TYPE, "field id"),
        CASE("{\"text\":\"a\",\"ts\":\"secret\"}", SQ_E_WRONG_TYPE, "field ts"),
        CASE("{\"text\":\"a\",\"ts\":{}}", SQ_E_WRONG_TYPE, "field ts"),
        CASE("{\"text\":\"secret\xff\"}", SQ_E_INVALID_UTF8, "UTF-8"),
        CASE("{\"text\":\"a\",\"n\":\"\xed\xa0\x80\"}", SQ_E_INVALID_UTF8, "UTF-8"),
        CASE("", SQ_E_EMPTY, "value is empty"),
        CASE("{\"text\":\"\"}", SQ_E_EMPTY, "field text"),
        CASE("{\"text\":\" \\t\\n\\u00a0\\u3000\\u200b\\u0000\"}", SQ_E_EMPTY, "field text"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t used_bytes = arena.used_bytes;
        int code = decode(cases[i].value);
        if (code != cases[i].code) fail_msg("case %zu: %s (%s), expected %s", i, sq_err_word(code), err.message, sq_err_word(cases[i].code));
        assert_int_equal(sq_err_class(code), SQ_CLASS_POISON);
        if (!strstr(err.message, cases[i].names)) fail_msg("case %zu: '%s' lacks '%s'", i, err.message, cases[i].names);
        assert_null(strstr(err.message, "secret"));
        assert_int_equal(arena.used_bytes, used_bytes);
    }
    assert_int_equal(decode((struct sq_str){NULL, 0}), SQ_E_EMPTY);
    assert_non_null(strstr(err.message, "no value"));
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    static char deep[60000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(decode((struct sq_str){deep, sizeof deep}), SQ_E_DECODE);
    assert_non_null(strstr(err.message, "nested too deeply"));
}

static void a_number_over_64_bits_hurts_only_where_it_is_used(void **state)
{
    (void)state;
    assert_int_equal(DECODE("{\"text\":\"a\",\"other\":18446744073709551616}"), 0);
    assert_int_equal(DECODE("{\"text\":\"a\",\"id\":18446744073709551616}"), SQ_E_WRONG_TYPE);
}

static void nul_is_a_character(void **state)
{
    (void)state;
    assert_int_equal(DECODE("{\"text\":\"a\\u0000b\",\"entity\":\"x\\u0000\"}"), 0);
    assert_int_equal(event.text.bytes, 3);
    assert_memory_equal(event.text.data, "a\0b", 3);
    assert_int_equal(event.entity.bytes, 2);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    format.bytes_max = 40;
    assert_int_equal(DECODE("{\"text\":\"12345678901234567890123456789\"}"), 0);
    assert_int_equal(DECODE("{\"text\":\"123456789012345678901234567890\"}"), SQ_E_TOO_LARGE);
    format.bytes_max = SQ_RECORD_BYTES_MAX;

    char json[2048];
    char name[SQ_ENTITY_BYTES_MAX + 2];
    memset(name, 'e', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(json, sizeof json, "{\"text\":\"a\",\"entity\":\"%s\"}", name);
    assert_int_equal(decode(sq_str_view(json)), SQ_E_TOO_LARGE);
    snprintf(json, sizeof json, "{\"text\":\"a\",\"entity\":\"%s\"}", name + 1);
    assert_int_equal(decode(sq_str_view(json)), 0);

    memcpy(name + SQ_ID_BYTES_MAX - 1, "\xc3\xa9", 3); /* a two-byte letter across the bound */
    snprintf(json, sizeof json, "{\"text\":\"a\",\"id\":\"%s\",\"author\":\"%s\"}", name, name);
    assert_int_equal(decode(sq_str_view(json)), 0);
    assert_int_equal(event.id.bytes, SQ_ID_BYTES_MAX - 1);
    assert_int_equal(event.author.bytes, SQ_ID_BYTES_MAX - 1);
}

static void entity_falls_back_to_key_then_default(void **state)
{
    (void)state;
    assert_int_equal(decode_keyed(SQ_STR("from key"), SQ_STR("{\"text\":\"a\",\"entity\":\"\"}")), 0);
    assert_text(event.entity, "from key");
    assert_int_equal(decode_keyed(SQ_STR("from key"), SQ_STR("{\"text\":\"a\",\"entity\":7}")), 0);
    assert_text(event.entity, "7");
    assert_int_equal(DECODE("{\"text\":\"a\"}"), 0);
    assert_text(event.entity, "all");
    assert_int_equal(decode_keyed(SQ_STR("\xff\xfe"), SQ_STR("{\"text\":\"a\"}")), SQ_E_INVALID_UTF8);
    assert_non_null(strstr(err.message, "key"));
    format.default_entity[0] = '\0';
    assert_int_equal(DECODE("{\"text\":\"a\"}"), SQ_E_MISSING_FIELD);
}

static bool one_header(const char *name, struct sq_str *value, void *ctx)
{
    if (strcmp(name, "when") != 0) return false;
    *value = sq_str_view(ctx);
    return true;
}

static void fields_come_from_paths_keys_and_headers(void **state)
{
    (void)state;
    assert_int_equal(sq_field_parse(&format.text, SQ_STR("post.body.text"), &err), 0);
    assert_int_equal(sq_field_parse(&format.id, SQ_STR("key"), &err), 0);
    assert_int_equal(sq_field_parse(&format.ts, SQ_STR("header:when"), &err), 0);
    assert_int_equal(sq_field_parse(&format.author, SQ_STR("header:absent"), &err), 0);
    assert_int_equal(sq_field_parse(&format.entity, SQ_STR(""), &err), 0);
    char when[] = "1700000000123";
    struct sq_record record = {.key = SQ_STR("k1"), .value = SQ_STR("{\"post\":{\"body\":{\"text\":\"deep\"}},\"entity\":\"x\"}"),
                               .header = one_header, .header_ctx = when};
    assert_int_equal(sq_event_decode(&format, &record, &arena, &event, &err), 0);
    assert_text(event.text, "deep");
    assert_text(event.id, "k1");
    assert_text(event.author, "");
    assert_text(event.entity, "k1");
    assert_int_equal(event.ts_ms, 1700000000123);

    assert_int_equal(DECODE("{\"post\":{}}"), SQ_E_MISSING_FIELD);
    assert_non_null(strstr(err.message, "post.body.text"));
    assert_int_equal(DECODE("{\"post\":\"secret\"}"), SQ_E_WRONG_TYPE);
    assert_int_equal(DECODE("{\"post\":null}"), SQ_E_MISSING_FIELD);
}

static void bad_field_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {".", "a.", ".a", "a..b", "header:"};
    struct sq_field field;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(sq_field_parse(&field, sq_str_view(bad[i]), &err), SQ_E_CONFIG);
    char name[SQ_FIELD_NAME_BYTES + 1];
    memset(name, 'a', sizeof name);
    assert_int_equal(sq_field_parse(&field, (struct sq_str){name, sizeof name - 1}, &err), SQ_E_CONFIG);
    assert_int_equal(sq_field_parse(&field, (struct sq_str){name, sizeof name - 2}, &err), 0);
}

static void times_follow_the_unit(void **state)
{
    (void)state;
    static const struct {
        enum sq_ts_unit unit;
        const char *ts;
        int code;
        int64_t ms;
    } cases[] = {
        {SQ_TS_AUTO, "1700000000123", 0, 1700000000123},
        {SQ_TS_AUTO, "100000000000", 0, 100000000000},
        {SQ_TS_AUTO, "99999999999", 0, 99999999999000},
        {SQ_TS_AUTO, "1700000000", 0, 1700000000000},
        {SQ_TS_AUTO, "1700000000.5", 0, 1700000000500},
        {SQ_TS_AUTO, "-5", 0, -5000},
        {SQ_TS_AUTO, "\"2023-11-14T22:13:20Z\"", 0, 1700000000000},
        {SQ_TS_AUTO, "\"1700000000\"", 0, 1700000000000},
        {SQ_TS_AUTO, "\"yesterday\"", SQ_E_WRONG_TYPE, 0},
        {SQ_TS_AUTO, "\"nan\"", SQ_E_WRONG_TYPE, 0},
        {SQ_TS_AUTO, "\"\"", SQ_E_WRONG_TYPE, 0},
        {SQ_TS_AUTO, "9e300", 0, SQ_TIME_MS_MAX},
        {SQ_TS_AUTO, "-9e300", 0, SQ_TIME_MS_MIN},
        {SQ_TS_AUTO, "9223372036854775807", 0, SQ_TIME_MS_MAX},
        {SQ_TS_MS, "5", 0, 5},
        {SQ_TS_MS, "\"2023-11-14T22:13:20Z\"", SQ_E_WRONG_TYPE, 0},
        {SQ_TS_S, "1700000000000", 0, SQ_TIME_MS_MAX},
        {SQ_TS_S, "1.0625", 0, 1062},
        {SQ_TS_RFC3339, "\"2023-11-14T23:13:20+01:00\"", 0, 1700000000000},
        {SQ_TS_RFC3339, "\"0001-01-01T00:00:00+01:00\"", 0, SQ_TIME_MS_MIN},
        {SQ_TS_RFC3339, "1700000000", SQ_E_WRONG_TYPE, 0},
        {SQ_TS_RFC3339, "\"1700000000\"", SQ_E_WRONG_TYPE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"text\":\"a\",\"ts\":%s}", cases[i].ts);
        format.ts_unit = cases[i].unit;
        int code = decode(sq_str_view(json));
        if (code != cases[i].code) fail_msg("%s: %s", cases[i].ts, err.message);
        if (code == 0 && event.ts_ms != cases[i].ms) fail_msg("%s: %lld", cases[i].ts, (long long)event.ts_ms);
    }
    format.ts_unit = SQ_TS_AUTO;
    assert_int_equal(DECODE("{\"text\":\"a\",\"ts\":null}"), 0);
    assert_false(event.has_ts);
}

static void plain_texts_are_whole_records(void **state)
{
    (void)state;
    format.encoding = SQ_EVENT_TEXT;
    assert_int_equal(decode_keyed(SQ_STR("acme"), SQ_STR("{\"text\": is kept")), 0);
    assert_text(event.text, "{\"text\": is kept");
    assert_text(event.entity, "acme");
    assert_false(event.has_ts);
    assert_int_equal(DECODE("a\xc0\xaf"), SQ_E_INVALID_UTF8);
    assert_int_equal(DECODE(" \r\n"), SQ_E_EMPTY);
    assert_int_equal(DECODE(""), SQ_E_EMPTY);
}

static void protobuf_comes_back(void **state)
{
    (void)state;
    format.encoding = SQ_EVENT_PROTOBUF;
    const struct sq_event in = {.text = SQ_STR("nul \0 inside"), .entity = SQ_STR("acme"), .author = SQ_STR("ann"), .id = SQ_STR("9"),
                                .ts_ms = -3, .has_ts = true};
    struct sq_buf buf;
    sq_buf_init(&buf);
    assert_int_equal(sq_event_encode(&in, &buf, &err), 0);
    assert_int_equal(decode(sq_buf_view(&buf)), 0);
    assert_true(sq_str_equal(event.text, in.text));
    assert_text(event.entity, "acme");
    assert_text(event.author, "ann");
    assert_text(event.id, "9");
    assert_true(event.has_ts);
    assert_int_equal(event.ts_ms, -3);

    buf.data[buf.bytes - 1] = '\xff'; /* an endless varint */
    assert_int_equal(decode(sq_buf_view(&buf)), SQ_E_DECODE);
    sq_buf_deinit(&buf);
}

static void bad_protobuf_has_the_same_reasons(void **state)
{
    (void)state;
    format.encoding = SQ_EVENT_PROTOBUF;
    assert_int_equal(DECODE("{\"text\":\"json\"}"), SQ_E_DECODE);
    assert_int_equal(DECODE("\x0a\x05" "abc"), SQ_E_DECODE);
    assert_int_equal(DECODE("\x12\x01" "a"), SQ_E_EMPTY); /* proto3: an absent text is an empty one */
    assert_int_equal(DECODE("\x0a\x02\xff\xfe"), SQ_E_INVALID_UTF8);
    assert_int_equal(DECODE("\x08\x01"), SQ_E_DECODE); /* text as a number */
    assert_int_equal(DECODE("\x0a\x01" "a\x12\x01\xff"), SQ_E_INVALID_UTF8);
    assert_int_equal(DECODE("\x0a\x01" "a\x28\x07\x62\x01" "x"), 0); /* an unknown field is skipped */
    assert_int_equal(event.ts_ms, 7); /* ts_ms is in ms, whatever ts_unit says of other encodings */
}

/* 65,000 bytes of two-byte unknown fields would cost protobuf-c megabytes. */
static void unknown_fields_meet_a_budget(void **state)
{
    (void)state;
    format.encoding = SQ_EVENT_PROTOBUF;
    static char hostile[65000];
    for (size_t i = 0; i < sizeof hostile; i += 2) memcpy(hostile + i, "\x78\x01", 2);
    size_t used_bytes = arena.used_bytes;
    assert_int_equal(decode((struct sq_str){hostile, sizeof hostile}), SQ_E_DECODE);
    assert_int_equal(arena.used_bytes, used_bytes);
}

static void the_promised_room_is_enough_and_less_is_refused(void **state)
{
    (void)state;
    for (int encoding = SQ_EVENT_JSON; encoding <= SQ_EVENT_PROTOBUF; encoding++) {
        format.encoding = (enum sq_event_encoding)encoding;
        format.bytes_max = 1000;
        struct sq_arena tight;
        assert_int_equal(sq_arena_init(&tight, sq_event_room_bytes(&format), &err), 0);
        char text[900];
        memset(text, 'a', sizeof text);
        struct sq_buf value;
        sq_buf_init(&value);
        if (encoding == SQ_EVENT_JSON) sq_buf_printf(&value, "{\"text\":\"%.900s\"}", text);
        if (encoding == SQ_EVENT_TEXT) sq_buf_append(&value, text, sizeof text);
        if (encoding == SQ_EVENT_PROTOBUF)
            assert_int_equal(sq_event_encode(&(struct sq_event){.text = {text, sizeof text}}, &value, &err), 0);
        struct sq_record record = {.key = {text, SQ_ENTITY_BYTES_MAX}, .value = sq_buf_view(&value)};
        assert_int_equal(sq_event_decode(&format, &record, &tight, &event, &err), 0);
        assert_int_equal(event.text.bytes, 900);
        assert_int_equal(event.entity.bytes, SQ_ENTITY_BYTES_MAX);
        assert_int_equal(sq_event_decode(&format, &record, &tight, &event, &err), SQ_E_FULL);
        sq_buf_deinit(&value);
        sq_arena_deinit(&tight);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_the_five_fields),
        TEST(strings_outlive_the_record),
        TEST(bad_json_records_have_a_reason_each),
        TEST(deep_nesting_is_refused),
        TEST(a_number_over_64_bits_hurts_only_where_it_is_used),
        TEST(nul_is_a_character),
        TEST(sizes_are_bounded),
        TEST(entity_falls_back_to_key_then_default),
        TEST(fields_come_from_paths_keys_and_headers),
        TEST(bad_field_names_are_refused),
        TEST(times_follow_the_unit),
        TEST(plain_texts_are_whole_records),
        TEST(protobuf_comes_back),
        TEST(bad_protobuf_has_the_same_reasons),
        TEST(unknown_fields_meet_a_budget),
        TEST(the_promised_room_is_enough_and_less_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
