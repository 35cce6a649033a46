/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/lib/random.h"
#include "worker/core/betabinomial.h"

static const struct {
    uint32_t n, k;
    double messages, matched, fleet, rho, p, me, tail, strength;
} table[] = {
    {58, 41, 4000, 480, .12, .03, .12, 32.0749650, 1.24236e-8, 7.90575},
    {58, 18, 4000, 480, .12, .03, .12, 32.0749650, 0.0163334, 1.78692},
    {240, 80, 4000, 480, .12, .03, .12, 32.0749650, 0.00312645, 2.50495},
    {20, 13, 186, 30, .10, .05, .157, 17.3515982, 0.00101913, 2.99177},
    {12, 10, 0, 0, .12, .02, .12, 10.8888889, 2.39024e-4, 3.62156},
};

static void agrees_with_worked_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double p = (table[i].matched + 14 * table[i].fleet) / (table[i].messages + 14);
        double me = sq_betabinomial_me(table[i].rho, table[i].messages, 14);
        double strength = sq_betabinomial_strength(table[i].n, table[i].k, p, me);
        assert_true(fabs(p - table[i].p) < 1e-9);
        assert_true(fabs(me / table[i].me - 1) < 1e-8);
        assert_true(fabs(strength - table[i].strength) < 6e-6);
        assert_true(fabs(pow(10, -strength) / table[i].tail - 1) < 1e-5);
    }
}

static long double lg(long double x)
{
    int sign;
    return lgammal_r(x, &sign);
}

/* Every term from its own log-gammas, in long double. */
static double slow_strength(uint32_t n, uint32_t k, double p, double me)
{
    long double a = (long double)p * (long double)me, b = (long double)me - a, sum = 0;
    for (long double x = k; x <= n; x++)
        sum += expl(lg(n + 1.0L) - lg(x + 1) - lg(n - x + 1) + lg(x + a) + lg(n - x + b) - lg(n + a + b) + lg(a + b) - lg(a) - lg(b));
    return (double)-log10l(sum);
}

static void agrees_with_a_slow_sum(void **state)
{
    (void)state;
    struct test_random random = {7};
    for (int i = 0; i < 400; i++) {
        uint32_t n = 1 + test_random_below(&random, i % 10 ? 300 : 4096);
        double p = test_random_between(&random, 1e-3, 0.9), me = test_random_between(&random, 4, 199);
        uint32_t k = (uint32_t)ceil(p * n) + test_random_below(&random, 1 + (uint32_t)(n * (1 - p)));
        if (k > n || k <= p * n) continue;
        double slow = slow_strength(n, k, p, me);
        if (slow < 99) assert_true(fabs(sq_betabinomial_strength(n, k, p, me) - slow) < 1e-7);
    }
}

static void falls_with_fewer_matches(void **state)
{
    (void)state;
    struct test_random random = {11};
    for (int i = 0; i < 200; i++) {
        uint32_t n = 10 + test_random_below(&random, 500);
        double p = test_random_between(&random, 0.01, 0.5), me = test_random_between(&random, 4, 199), last = INFINITY;
        for (uint32_t k = n; k > 0; k--) {
            double strength = sq_betabinomial_strength(n, k, p, me);
            assert_true(strength <= last);
            last = strength;
        }
        assert_true(last == 0 || 1 > p * n);
    }
}

static void stays_close_above_the_exact_bound(void **state)
{
    (void)state;
    double exact = slow_strength(20000, 9000, 0.2, 40), scaled = sq_betabinomial_strength(20000, 9000, 0.2, 40);
    assert_true(scaled <= exact && scaled > 0.96 * exact);
    assert_true(sq_betabinomial_strength(UINT32_MAX, UINT32_MAX, 1e-4, 199) <= 99);
    assert_true(sq_betabinomial_strength(UINT32_MAX, UINT32_MAX, 1e-4, 199) > 30);
}

static void is_zero_without_an_excess(void **state)
{
    (void)state;
    assert_true(sq_betabinomial_strength(100, 0, 0.2, 30) == 0);
    assert_true(sq_betabinomial_strength(100, 20, 0.2, 30) == 0);
    assert_true(sq_betabinomial_strength(100, 21, 0.2, 30) > 0);
}

static void range_holds_most_of_the_mass(void **state)
{
    (void)state;
    double low, high;
    sq_betabinomial_range(58, 0.12, 32.07, &low, &high);
    assert_true(low > 0 && low < 0.12 && high > 0.2 && high < 0.35);
    /* Pr[X > high] <= 2.5 %, Pr[X >= high] > 2.5 % */
    assert_true(sq_betabinomial_strength(58, (uint32_t)lround(high * 58) + 1, 0.12, 32.07) >= -log10(0.025));
    assert_true(sq_betabinomial_strength(58, (uint32_t)lround(high * 58), 0.12, 32.07) < -log10(0.025));
    sq_betabinomial_range(0, 0.12, 32.07, &low, &high);
    assert_true(low > 0.02 && high < 0.3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_worked_values),         cmocka_unit_test(agrees_with_a_slow_sum),
        cmocka_unit_test(falls_with_fewer_matches),          cmocka_unit_test(stays_close_above_the_exact_bound),
        cmocka_unit_test(is_zero_without_an_excess),         cmocka_unit_test(range_holds_most_of_the_mass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
