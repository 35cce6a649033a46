/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_policy.h"

static void only_a_compacted_topic_keeps_states(void **state)
{
    (void)state;
    static const char *const others[] = {"delete", "compact,delete", "delete,compact", ""};
    struct sq_err err;
    assert_int_equal(sq_kafka_policy_judge("t.alert-state", "compact", &err), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(sq_kafka_policy_judge("t.alert-state", others[i], &err), SQ_E_CONFIG);
        assert_non_null(strstr(err.message, "t.alert-state"));
        assert_non_null(strstr(err.message, "set cleanup.policy=compact"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_a_compacted_topic_keeps_states)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
