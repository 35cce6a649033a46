/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/metrics.h"
#include "worker/pipeline/dead_letter.h"

static const int64_t now_ms = INT64_C(1700000000000);

struct letter {
    struct sq_config *config;
    struct sq_dead_letters letters;
    struct sq_batch batch;
    struct sq_output *output;
};

static void letter_open(struct letter *letter, const struct sq_origin *origin)
{
    struct sq_err err;
    assert_int_equal(sq_config_default(&letter->config, &err), 0);
    sq_dead_letters_init(&letter->letters, letter->config);
    sq_batch_init(&letter->batch);
    letter->output = sq_batch_add(&letter->batch);
    assert_non_null(letter->output);
    assert_int_equal(sq_dead_letter_fill(&letter->letters, &letter->batch, letter->output, origin, SQ_STAGE_SCORE, SQ_E_WRONG_TYPE, "ts is no time",
                                         now_ms, &err), 0);
}

static void letter_close(struct letter *letter)
{
    sq_batch_deinit(&letter->batch);
    sq_config_close(letter->config);
}

/* The value of the n-th header of that name, from 0; NULL data: there is none. */
static struct sq_str header(const struct letter *letter, const char *name, unsigned n)
{
    for (unsigned i = 0; i < letter->output->headers_count; i++)
        if (sq_str_equal(letter->output->headers[i].name, sq_str_view(name)) && n-- == 0) return letter->output->headers[i].value;
    return (struct sq_str){0};
}

static void assert_str(struct sq_str str, const char *expected)
{
    assert_int_equal(str.bytes, strlen(expected));
    assert_memory_equal(str.data, expected, str.bytes);
}

static void it_keeps_the_record_and_says_where_it_stood_and_why(void **state)
{
    (void)state;
    const struct sq_header own = {SQ_STR("trace"), SQ_STR("abc")};
    const struct sq_origin origin = {.topic = "posts", .partition = 4, .offset = 8812, .timestamp_ms = now_ms - 5, .key = SQ_STR("k"),
                                     .value = SQ_STR("{}"), .headers = &own, .headers_count = 1};
    struct letter letter;
    letter_open(&letter, &origin);
    assert_int_equal(letter.output->topic, SQ_TOPIC_DLQ);
    assert_str(letter.output->key, "posts/4/8812");
    assert_str(letter.output->value, "{}");
    assert_int_equal(letter.output->timestamp_ms, now_ms - 5);
    assert_str(header(&letter, "trace", 0), "abc");
    assert_str(header(&letter, "__squall.errors.topic", 0), "posts");
    assert_str(header(&letter, "__squall.errors.partition", 0), "4");
    assert_str(header(&letter, "__squall.errors.offset", 0), "8812");
    assert_str(header(&letter, "__squall.errors.key", 0), "k");
    assert_str(header(&letter, "__squall.errors.stage", 0), "score");
    assert_str(header(&letter, "__squall.errors.reason", 0), "wrong_type");
    assert_str(header(&letter, "__squall.errors.message", 0), "ts is no time");
    assert_str(header(&letter, "__squall.errors.attempts", 0), "1");
    assert_int_equal(header(&letter, "__squall.errors.config.hash", 0).bytes, 16);
    letter_close(&letter);
}

static void a_second_failure_counts_and_overwrites_nothing(void **state)
{
    (void)state;
    const struct sq_header own[] = {{SQ_STR("__squall.errors.attempts"), SQ_STR("2")}, {SQ_STR("__squall.errors.reason"), SQ_STR("model")}};
    const struct sq_origin origin = {.topic = "posts", .timestamp_ms = -1, .headers = own, .headers_count = 2};
    struct letter letter;
    letter_open(&letter, &origin);
    assert_str(header(&letter, "__squall.errors.attempts", 0), "2");
    assert_str(header(&letter, "__squall.errors.attempts", 1), "3");
    assert_str(header(&letter, "__squall.errors.reason", 0), "model");
    assert_str(header(&letter, "__squall.errors.reason", 1), "wrong_type");
    assert_null(header(&letter, "__squall.errors.key", 0).data);
    assert_null(letter.output->value.data);
    letter_close(&letter);
}

static void a_timestamp_that_brokers_refuse_is_only_a_header(void **state)
{
    (void)state;
    const struct sq_origin origin = {.topic = "posts", .timestamp_ms = now_ms + INT64_C(7200000)};
    struct letter letter;
    letter_open(&letter, &origin);
    assert_int_equal(letter.output->timestamp_ms, 0);
    assert_str(header(&letter, "__squall.errors.timestamp", 0), "1700007200000");
    letter_close(&letter);
}

static void reasons_have_the_order_of_the_metric(void **state)
{
    (void)state;
    static const int codes[] = {SQ_E_DECODE, SQ_E_MISSING_FIELD, SQ_E_WRONG_TYPE, SQ_E_INVALID_UTF8, SQ_E_EMPTY,
                                SQ_E_TOO_LARGE, SQ_E_TOKENIZE, SQ_E_INFERENCE, SQ_E_UNREADABLE, SQ_E_CRASH_LOOP, SQ_E_PRODUCE};
    static const char *const words[] = {SQ_REASONS};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(sq_dead_letter_reason(codes[i]), i);
        assert_string_equal(sq_err_word(codes[i]), words[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_the_record_and_says_where_it_stood_and_why),
        cmocka_unit_test(a_second_failure_counts_and_overwrites_nothing),
        cmocka_unit_test(a_timestamp_that_brokers_refuse_is_only_a_header),
        cmocka_unit_test(reasons_have_the_order_of_the_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
