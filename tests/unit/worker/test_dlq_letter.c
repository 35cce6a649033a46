/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/cli/dlq_letter.h"

#define PREFIX "__squall.errors."

static struct sq_reader_record record;
static struct sq_letter letter;

static void header(const char *name, const char *value)
{
    record.headers[record.headers_count++] = (struct sq_header){sq_str_view(name), sq_str_view(value)};
}

static int setup(void **state)
{
    (void)state;
    record = (struct sq_reader_record){.partition = 2, .offset = 17, .timestamp_ms = 1767225600000, .value = sq_str_view("{\"txt\":1}")};
    header("trace", "abc");
    header(PREFIX "topic", "posts");
    header(PREFIX "partition", "5");
    header(PREFIX "offset", "400");
    header(PREFIX "timestamp", "1767225600000");
    header(PREFIX "key", "acme");
    header(PREFIX "reason", "missing_field");
    header(PREFIX "message", "no\x1b[31m field");
    header(PREFIX "attempts", "1");
    return 0;
}

static void headers_tell_where_a_letter_came_from(void **state)
{
    (void)state;
    sq_letter_read(&letter, &record, PREFIX);
    assert_true(sq_str_equal(letter.topic, sq_str_view("posts")));
    assert_int_equal(letter.partition, 5);
    assert_int_equal(letter.offset, 400);
    assert_true(sq_str_equal(letter.key, sq_str_view("acme")));
}

static void the_newest_attempt_counts(void **state)
{
    (void)state;
    header(PREFIX "reason", "empty");
    header(PREFIX "attempts", "2");
    sq_letter_read(&letter, &record, PREFIX);
    assert_true(sq_str_equal(letter.reason, sq_str_view("empty")));
    assert_true(sq_str_equal(letter.attempts, sq_str_view("2")));
}

static void what_is_sent_back_has_its_own_headers_and_its_attempts(void **state)
{
    (void)state;
    struct sq_header headers[SQ_HEADERS_MAX];
    header(PREFIX "attempts", "2");
    sq_letter_read(&letter, &record, PREFIX);
    assert_int_equal(sq_letter_original_headers(&letter, PREFIX, headers), 2);
    assert_true(sq_str_equal(headers[0].name, sq_str_view("trace")));
    assert_true(sq_str_equal(headers[1].name, sq_str_view(PREFIX "attempts")));
    assert_true(sq_str_equal(headers[1].value, sq_str_view("2")));
}

/* An unreadable record's value was never read; a record without a value is another thing. */
static void only_what_had_a_value_lacks_it(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        bool has_value, lacks_value;
    } letters[] = {{"unreadable", false, true}, {"too_large", false, true}, {"too_large", true, false}, {"empty", false, false}, {"empty", true, false}};
    struct sq_str value = record.value;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        sq_letter_read(&letter, &record, PREFIX);
        letter.reason = sq_str_view(letters[i].reason);
        if (!letters[i].has_value) record.value = (struct sq_str){0};
        assert_int_equal(sq_letter_lacks_value(&letter), letters[i].lacks_value);
        record.value = value;
    }
}

static void another_prefix_tells_nothing(void **state)
{
    (void)state;
    sq_letter_read(&letter, &record, "__connect.errors.");
    assert_int_equal(letter.topic.bytes, 0);
    assert_null(letter.key.data);
    assert_int_equal(letter.offset, -1);
}

static void a_line_has_no_control_characters(void **state)
{
    (void)state;
    struct sq_buf out;
    sq_buf_init(&out);
    sq_letter_read(&letter, &record, PREFIX);
    sq_letter_write_line(&out, &letter);
    assert_string_equal(out.data, "2:17        2026-01-01T00:00:00Z      missing_field  posts/5/400  no?[31m field\n");
    sq_buf_clear(&out);
    sq_letter_write_json(&out, &letter, true);
    assert_string_equal(out.data, "{\"partition\":2,\"offset\":17,\"ts\":1767225600000,\"reason\":\"missing_field\",\"message\":\"no\\u001b[31m field\","
                                  "\"stage\":null,\"attempts\":1,\"source\":{\"topic\":\"posts\",\"partition\":5,\"offset\":400,\"ts\":1767225600000,"
                                  "\"key\":\"acme\"},\"value\":\"{\\\"txt\\\":1}\"}\n");
    sq_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(headers_tell_where_a_letter_came_from, setup),
        cmocka_unit_test_setup(the_newest_attempt_counts, setup),
        cmocka_unit_test_setup(what_is_sent_back_has_its_own_headers_and_its_attempts, setup),
        cmocka_unit_test_setup(only_what_had_a_value_lacks_it, setup),
        cmocka_unit_test_setup(another_prefix_tells_nothing, setup),
        cmocka_unit_test_setup(a_line_has_no_control_characters, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
