/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/random.h"

#include <math.h>

uint64_t test_random_bits(struct test_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double test_random_real(struct test_random *random) { return (double)(test_random_bits(random) >> 11) * 0x1p-53; }

double test_random_between(struct test_random *random, double low, double high) { return low + (high - low) * test_random_real(random); }

uint32_t test_random_below(struct test_random *random, uint32_t bound)
{
    return (uint32_t)((test_random_bits(random) >> 32) * bound >> 32);
}

double test_random_normal(struct test_random *random)
{
    double radius = sqrt(-2 * log(1 - test_random_real(random)));
    return radius * cos(6.283185307179586 * test_random_real(random));
}

double test_random_exponential(struct test_random *random, double mean) { return -mean * log(1 - test_random_real(random)); }

/* Marsaglia and Tsang, 2000. */
double test_random_gamma(struct test_random *random, double shape)
{
    if (shape < 1) return test_random_gamma(random, shape + 1) * pow(1 - test_random_real(random), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = test_random_normal(random), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(1 - test_random_real(random)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

double test_random_beta(struct test_random *random, double a, double b)
{
    double x = test_random_gamma(random, a), y = test_random_gamma(random, b);
    return x / (x + y);
}

unsigned test_random_poisson(struct test_random *random, double mean)
{
    unsigned count = 0;
    for (; mean > 30; mean -= 30) count += test_random_poisson(random, 30);
    double product = test_random_real(random), limit = exp(-mean);
    for (; product > limit; product *= test_random_real(random)) count++;
    return count;
}
