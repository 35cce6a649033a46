/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_membership.h"

/* librdkafka's own writer is the reference. */
static bool round_trip(const char *group, const struct sq_membership *in, struct sq_membership *out)
{
    void *data;
    size_t bytes;
    rd_kafka_consumer_group_metadata_t *metadata = sq_kafka_membership_metadata(group, in);
    assert_null(rd_kafka_consumer_group_metadata_write(metadata, &data, &bytes));
    bool is_parsed = sq_kafka_membership_parse(data, bytes, out);
    for (size_t cut = 0; cut < bytes; cut++) { /* no prefix is taken for the whole, but where the instance is what is missing */
        struct sq_membership part;
        if (sq_kafka_membership_parse(data, cut, &part)) assert_true(cut == bytes - 1 - (in->instance[0] ? strlen(in->instance) + 1 : 0));
    }
    rd_kafka_mem_free(NULL, data);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return is_parsed;
}

static void what_librdkafka_writes_is_read(void **state)
{
    (void)state;
    struct sq_membership out;
    const struct sq_membership dynamic = {.generation = 17, .member = "rdkafka-1234"};
    const struct sq_membership fixed = {.generation = 3, .member = "rdkafka-5", .instance = "w1"};
    assert_true(round_trip("app-score", &dynamic, &out));
    assert_int_equal(out.generation, 17);
    assert_string_equal(out.member, "rdkafka-1234");
    assert_string_equal(out.instance, "");
    assert_true(sq_membership_is_valid(&out));
    assert_true(round_trip("app-score", &fixed, &out));
    assert_string_equal(out.instance, "w1");
}

static void who_has_not_joined_is_no_member(void **state)
{
    (void)state;
    struct sq_membership out;
    const struct sq_membership nobody = {.generation = -1};
    assert_true(round_trip("app-score", &nobody, &out));
    assert_false(sq_membership_is_valid(&out));
    const struct sq_membership thrown_out = {.generation = 4};
    assert_true(round_trip("app-score", &thrown_out, &out));
    assert_false(sq_membership_is_valid(&out));
}

static void another_form_is_no_membership(void **state)
{
    (void)state;
    struct sq_membership out;
    assert_false(sq_kafka_membership_parse("CGMDv3:....g\0m\0\1", 16, &out));
    assert_int_equal(out.generation, -1);
    assert_false(sq_kafka_membership_parse("", 0, &out));
    char long_name[400] = "CGMDv2:....g";
    memset(long_name + 13, 'm', 300); /* longer than there is room for */
    assert_false(sq_kafka_membership_parse(long_name, sizeof long_name, &out));
    assert_false(sq_membership_is_valid(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_librdkafka_writes_is_read),
        cmocka_unit_test(who_has_not_joined_is_no_member),
        cmocka_unit_test(another_form_is_no_membership),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
