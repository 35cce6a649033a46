/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/model/position_bias.h"

/* Where each bucket begins, as transformers' MPNetEncoder.relative_position_bucket counts for distances 0 to 2,000. */
static void test_buckets(void **state)
{
    (void)state;
    static const long begins[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
    for (unsigned bucket = 0; bucket < 16; bucket++) {
        long end = bucket == 15 ? 2000 : begins[bucket + 1];
        for (long distance = begins[bucket]; distance < end; distance++) {
            assert_int_equal(sq_position_bias_bucket(-distance), bucket);
            if (distance > 0) assert_int_equal(sq_position_bias_bucket(distance), 16 + bucket);
        }
    }
}

static void test_table_is_by_distance(void **state)
{
    (void)state;
    enum { HEADS = 2, POSITIONS = 12, WIDTH = 2 * POSITIONS - 1 };
    float buckets[32 * HEADS], table[HEADS * WIDTH];
    for (int i = 0; i < 32 * HEADS; i++) buckets[i] = (float)i;
    assert_int_equal(sq_position_bias_count(HEADS, POSITIONS), HEADS * WIDTH);
    sq_position_bias_fill(table, buckets, HEADS, POSITIONS);
    for (long distance = 1 - POSITIONS; distance < POSITIONS; distance++) {
        for (int head = 0; head < HEADS; head++) {
            float expected = (float)(sq_position_bias_bucket(distance) * HEADS + (unsigned)head);
            assert_true(table[head * WIDTH + POSITIONS - 1 + distance] == expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_buckets), cmocka_unit_test(test_table_is_by_distance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
