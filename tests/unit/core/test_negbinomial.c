/* SPDX-License-Identifier: Apache-2.0 */
/* The tail of the negative binomial, and what a volume rule takes for usual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "worker/core/negbinomial.h"
#include "worker/core/volume.h"

static void equals_exact_tails(void **state)
{
    (void)state;
    static const struct {
        uint32_t x;
        double mean, phi, p;
    } rows[] = {{60, 20, .1, 1.08994e-4}, {30, 4.5, .25, 3.28530e-6}, {400, 120, .08, 9.87664e-8}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double p = pow(10, -sq_negbinomial_strength(rows[i].x, rows[i].mean, rows[i].phi));
        assert_true(fabs(p / rows[i].p - 1) < 1e-5);
    }
}

/* Term by term, from the first on. */
static double tail_by_sum(uint32_t x, double mean, double phi)
{
    double r = 1 / phi, q = mean / (mean + r), term = pow(1 - q, r), sum = 0;
    for (uint32_t k = 0; k < x; k++, term *= (k - 1 + r) / k * q) sum += term;
    return 1 - sum;
}

static void agrees_with_the_sum_of_its_terms(void **state)
{
    (void)state;
    struct test_random random = {4};
    for (int i = 0; i < 200; i++) {
        double mean = test_random_between(&random, 0.5, 80), phi = test_random_between(&random, 0.02, 3);
        uint32_t x = (uint32_t)(mean + test_random_between(&random, 0.1, 3) * sqrt(mean + phi * mean * mean)) + 1;
        double exact = tail_by_sum(x, mean, phi);
        if (exact < 1e-9) continue; /* the sum itself has no more digits */
        assert_true(fabs(pow(10, -sq_negbinomial_strength(x, mean, phi)) / exact - 1) < 1e-5);
    }
}

static void never_falls_with_the_count_nor_leaves_its_range(void **state)
{
    (void)state;
    static const double means[] = {1e-6, 0.3, 20, 5e4};
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        double last = 0;
        for (uint32_t x = 0; x < 2000000; x = x + 1 + x / 8) {
            double strength = sq_negbinomial_strength(x, means[i], 0.2);
            assert_true(strength >= last && strength <= 99);
            last = strength;
        }
        assert_true(last > 10);
    }
}

static void the_range_holds_95_in_100(void **state)
{
    (void)state;
    double low, high;
    sq_negbinomial_range(20, 0.1, &low, &high);
    assert_true(low >= 4 && low <= 8 && high >= 36 && high <= 42); /* sd 7.7 */
    sq_negbinomial_range(1e-9, 0.1, &low, &high);
    assert_true(low <= 0 && high <= 0);
}

static void learns_the_mean_and_its_unevenness(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    rule.type = SQ_RULE_VOLUME;
    const struct sq_time_rules time = judge_time();
    struct sq_plan plan;
    struct sq_err err;
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), 0);
    struct sq_volume volume = {0};
    struct test_random random = {9};
    for (int64_t block = 0; block < 3000; block++)
        sq_volume_fold(&volume, &plan, block, test_random_poisson(&random, 30 * test_random_gamma(&random, 4) / 4));
    assert_true(fabs(sq_volume_mean(&volume, SQ_BLOCK_MS) - 30) < 2);
    assert_true(fabs(sq_volume_mean(&volume, 4 * SQ_BLOCK_MS) - 120) < 8);
    assert_true(fabs(sq_volume_spread(&volume, &plan, 0) - 0.25) < 0.06); /* gamma of shape 4 */
    assert_true(sq_volume_spread(&volume, &plan, 1) < 0.12);              /* four independent blocks: a quarter */

    struct sq_volume before = volume;
    for (int i = 0; i < 96; i++) sq_volume_hold(&volume, 300);
    assert_true(sq_volume_mean(&volume, SQ_BLOCK_MS) == sq_volume_mean(&before, SQ_BLOCK_MS));
    sq_volume_shift(&volume);
    assert_true(fabs(sq_volume_mean(&volume, SQ_BLOCK_MS) - 300) < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_exact_tails),
        cmocka_unit_test(agrees_with_the_sum_of_its_terms),
        cmocka_unit_test(never_falls_with_the_count_nor_leaves_its_range),
        cmocka_unit_test(the_range_holds_95_in_100),
        cmocka_unit_test(learns_the_mean_and_its_unevenness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
