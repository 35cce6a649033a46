/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/murmur2.h"

static void hashes_as_the_java_client_does(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } vectors[] = {
        {"21", -973932308},      {"foobar", -790332482},           {"a-little-bit-long-string", -985981536},
        {"abc", 479470107},      {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_int_equal((int32_t)sq_murmur2(sq_str_view(vectors[i].key)), vectors[i].hash);
}

static void a_partition_is_never_negative(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char key = (char)i;
        int32_t partition = sq_partition_of((struct sq_str){&key, 1}, 12);
        assert_in_range(partition, 0, 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_java_client_does),
        cmocka_unit_test(a_partition_is_never_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
