/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_trouble.h"

#define SECOND UINT64_C(1000000000)

static void a_complaint_is_told_until_it_is_not_repeated(void **state)
{
    (void)state;
    char text[64] = "x", short_text[16];
    assert_false(sq_kafka_trouble_tell(text, sizeof text, 5 * SECOND)); /* none yet */
    assert_string_equal(text, "");
    sq_kafka_trouble_note("connection refused", 10 * SECOND);
    assert_true(sq_kafka_trouble_tell(text, sizeof text, 22 * SECOND));
    assert_string_equal(text, "Kafka client, 12 s ago: connection refused");
    assert_true(sq_kafka_trouble_tell(short_text, sizeof short_text, 22 * SECOND));
    assert_string_equal(short_text, "Kafka client, 1");
    sq_kafka_trouble_note("connection refused", 40 * SECOND);
    assert_true(sq_kafka_trouble_tell(text, sizeof text, (40 + SQ_KAFKA_TROUBLE_SECONDS) * SECOND - 1));
    assert_false(sq_kafka_trouble_tell(text, sizeof text, (40 + SQ_KAFKA_TROUBLE_SECONDS) * SECOND));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_complaint_is_told_until_it_is_not_repeated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
