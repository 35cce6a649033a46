/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "worker/core/sample.h"

enum { RECORDS = 20000 };

static bool takes(double share, const char *entity, int64_t i)
{
    const struct sq_coordinates source = {SQ_STR("posts"), (int32_t)(i % 3), i / 3};
    return sq_sample_takes(share, sq_str_view(entity), &source);
}

static void each_entity_gets_its_share(void **state)
{
    (void)state;
    static const double shares[] = {0.05, 0.1, 0.2, 0.5, 1};
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++)
        for (int entity = 0; entity < 5; entity++) {
            char name[16];
            unsigned taken = 0;
            snprintf(name, sizeof name, "e%d", entity);
            for (int64_t i = 0; i < RECORDS; i++) taken += takes(shares[s], name, i);
            double deviation = sqrt(RECORDS * shares[s] * (1 - shares[s]));
            if (fabs(taken - RECORDS * shares[s]) > 4 * deviation) fail_msg("%s: %u of %d at %g", name, taken, RECORDS, shares[s]);
        }
}

static void a_larger_share_takes_all_of_a_smaller_one(void **state)
{
    (void)state;
    for (int64_t i = 0; i < RECORDS; i++)
        if (takes(0.2, "acme", i)) assert_true(takes(0.5, "acme", i));
}

/* Neighbours say nothing about each other: runs would be gaps in an entity's windows. */
static void neighbours_are_independent(void **state)
{
    (void)state;
    unsigned both = 0;
    for (int64_t i = 0; i + 3 < RECORDS; i++) both += takes(0.5, "acme", i) && takes(0.5, "acme", i + 3);
    assert_true(fabs(both - RECORDS * 0.25) < 5 * sqrt(RECORDS * 0.25 * 0.75));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entity_gets_its_share),
        cmocka_unit_test(a_larger_share_takes_all_of_a_smaller_one),
        cmocka_unit_test(neighbours_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
