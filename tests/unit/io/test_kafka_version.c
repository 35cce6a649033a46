/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_version.h"

static void each_version_gets_its_verdict(void **state)
{
    (void)state;
    static const struct {
        int version;
        enum sq_kafka_verdict verdict;
    } cases[] = {
        {0x020001ff, SQ_KAFKA_REFUSE}, {0x020002ff, SQ_KAFKA_WARN}, {0x020100ff, SQ_KAFKA_REFUSE}, {0x020200ff, SQ_KAFKA_REFUSE},
        {0x020300ff, SQ_KAFKA_WARN},   {0x020500ff, SQ_KAFKA_REFUSE}, {0x020503ff, SQ_KAFKA_WARN},  {0x020600ff, SQ_KAFKA_WARN},
        {0x020601ff, SQ_KAFKA_WARN},   {0x020800ff, SQ_KAFKA_WARN},   {0x020a00ff, SQ_KAFKA_REFUSE}, {0x020a01ff, SQ_KAFKA_WARN},
        {0x020e01ff, SQ_KAFKA_WARN},   {0x020e02ff, SQ_KAFKA_FINE},   {0x021000ff, SQ_KAFKA_FINE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why;
        assert_int_equal(sq_kafka_version_judge(cases[i].version, &why), cases[i].verdict);
        assert_int_equal(why == NULL, cases[i].verdict == SQ_KAFKA_FINE);
    }
}

static void the_cooperative_assignor_comes_with_the_version_that_can(void **state)
{
    (void)state;
    assert_string_equal(sq_kafka_version_assignor(0x020002ff), "range,roundrobin");
    assert_string_equal(sq_kafka_version_assignor(0x020800ff), "range,roundrobin");
    assert_string_equal(sq_kafka_version_assignor(0x020a01ff), "cooperative-sticky");
}

static void the_newer_group_protocol_is_refused_where_it_is_not_finished(void **state)
{
    (void)state;
    struct sq_err err;
    assert_int_equal(sq_kafka_version_check_property(0x020002ff, "group.protocol", "consumer", &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "group.protocol=consumer needs librdkafka 2.12 or newer, and this is 2.0.2"));
    assert_int_equal(sq_kafka_version_check_property(0x020b01ff, "group.protocol", "consumer", &err), SQ_E_CONFIG);
    assert_int_equal(sq_kafka_version_check_property(0x020c00ff, "group.protocol", "consumer", &err), 0);
    assert_int_equal(sq_kafka_version_check_property(0x020002ff, "group.protocol", "classic", &err), 0);
}

static void the_cooperative_assignor_is_refused_where_it_takes_the_worker_down(void **state)
{
    (void)state;
    struct sq_err err;
    assert_int_equal(sq_kafka_version_check_property(0x020002ff, "partition.assignment.strategy", "cooperative-sticky", &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "partition.assignment.strategy=cooperative-sticky needs librdkafka 2.6.1 or newer, and this is 2.0.2"));
    assert_int_equal(sq_kafka_version_check_property(0x020601ff, "partition.assignment.strategy", "cooperative-sticky", &err), 0);
    assert_int_equal(sq_kafka_version_check_property(0x020002ff, "partition.assignment.strategy", "roundrobin", &err), 0);
}

static void a_refused_password_has_a_hint_where_the_version_is_to_blame(void **state)
{
    (void)state;
    const char *reason = "Authentication failed: invalid credentials with SASL mechanism SCRAM-SHA-512";
    assert_non_null(strstr(sq_kafka_version_hint(0x020002ff, reason), "2.6.1"));
    assert_null(sq_kafka_version_hint(0x020601ff, reason));
    assert_null(sq_kafka_version_hint(0x020002ff, "Authentication failed: Invalid username or password"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_gets_its_verdict),
        cmocka_unit_test(the_cooperative_assignor_comes_with_the_version_that_can),
        cmocka_unit_test(the_newer_group_protocol_is_refused_where_it_is_not_finished),
        cmocka_unit_test(the_cooperative_assignor_is_refused_where_it_takes_the_worker_down),
        cmocka_unit_test(a_refused_password_has_a_hint_where_the_version_is_to_blame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
