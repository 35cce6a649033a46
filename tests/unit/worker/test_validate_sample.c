/* SPDX-License-Identifier: Apache-2.0 */
/* What squall validate says of live records helps who wrote input.fields without having seen them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/cli/validate_sample.h"

static struct sq_sample sample_of(const char *value, const char *key)
{
    struct sq_sample sample = {0};
    struct sq_arena arena;
    struct sq_err err;
    const struct sq_kafka_probe_record record = {
        .topic = "posts", .partition = 4, .offset = 8812, .record = {.key = {key, key ? strlen(key) : 0}, .value = sq_str_view(value)}};
    assert_int_equal(sq_arena_init(&arena, 2 * sq_event_room_bytes(&sq_event_format_default), &err), 0);
    sq_sample_add(&sample, &sq_event_format_default, &record, &arena);
    sq_arena_deinit(&arena);
    assert_int_equal(sample.taken, 1);
    return sample;
}

static void a_record_without_the_text_is_told_with_what_it_has(void **state)
{
    (void)state;
    struct sq_sample sample = sample_of("{\"post\":{\"body\":\"secret\"},\"br\\u001band\":\"acme\"}", NULL);
    assert_int_equal(sample.bad, 1);
    assert_non_null(strstr(sample.first, "posts[4]@8812: missing_field: text"));
    assert_non_null(strstr(sample.first, "; it has post, br?and"));
    assert_null(strstr(sample.first, "secret"));
    assert_null(strstr(sample_of("no object", NULL).first, "it has"));
}

static void fields_that_fell_back_are_not_counted(void **state)
{
    (void)state;
    struct sq_sample bare = sample_of("{\"text\":\"fine\"}", NULL), keyed = sample_of("{\"text\":\"fine\"}", "acme");
    struct sq_sample whole = sample_of("{\"text\":\"fine\",\"entity\":\"all\",\"ts\":1767225600000,\"author\":\"kim\"}", NULL);
    assert_int_equal(bare.bad + bare.with_entity + bare.with_ts + bare.with_author, 0);
    assert_int_equal(keyed.with_entity, 1);
    assert_int_equal(keyed.with_entity_field, 0);
    assert_int_equal(whole.with_entity + whole.with_entity_field + whole.with_ts + whole.with_author, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_without_the_text_is_told_with_what_it_has),
        cmocka_unit_test(fields_that_fell_back_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
