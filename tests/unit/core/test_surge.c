/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "worker/core/surge.h"

static const struct {
    uint32_t n, k;
    double p, me, mean, phi, evidence; /* by Python's math, from the formula in surge.h */
} table[] = {
    {14, 8, .2, 40, 5, .15, 0.866324},   {10, 6, .15, 40, 12, .15, -0.85532}, {45, 25, .2, 100, 30, .0375, 0.023941},
    {20, 10, .2, 40, 20, .15, -0.574762}, {5, 4, .2, 40, 60, .15, -1},         {200, 150, .2, 40, 20, .15, 0.90309},
};

static void agrees_with_worked_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double evidence = sq_surge_evidence(table[i].n, table[i].k, table[i].p, table[i].me, table[i].mean, table[i].phi);
        assert_true(fabs(evidence - table[i].evidence) < 1e-6);
    }
}

static void grows_with_the_volume(void **state)
{
    (void)state;
    double last = -2;
    for (uint32_t n = 10; n <= 60; n += 5) {
        double evidence = sq_surge_evidence(n, n / 2, 0.2, 40, 20, 0.15);
        assert_true(evidence >= last);
        last = evidence;
    }
    assert_true(last > 0.8);
}

static void stays_in_its_bounds_at_any_count(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 10, 1000, 100000, 4000000000u};
    static const double means[] = {1e-6, 0.1, 10, 1e5};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t j = 0; j < sizeof means / sizeof *means; j++)
            for (uint32_t part = 1; part <= 4; part++) {
                double evidence = sq_surge_evidence(counts[i], (uint32_t)((uint64_t)counts[i] * part / 4), 1e-4, 5, means[j], 2.25);
                assert_true(evidence >= -1 && evidence <= 0.91);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_worked_values),
        cmocka_unit_test(grows_with_the_volume),
        cmocka_unit_test(stays_in_its_bounds_at_any_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
