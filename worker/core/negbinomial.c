/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/negbinomial.h"

#include <math.h>

enum { STRENGTH_MAX = 99, FRACTION_STEPS_MAX = 2000, RANGE_STEPS_MAX = 100000 };

static double lg(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static double away_from_zero(double x) { return fabs(x) < 1e-300 ? 1e-300 : x; }

/* The fraction's n-th numerator. */
static double numerator(double a, double b, double x, int n)
{
    double m = n / 2;
    if (n % 2 == 0) return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

/* 1 / (1 + d1 / (1 + d2 / ...)); quick for x < (a + 1) / (a + b + 2). */
static double fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 + numerator(a, b, x, 1)), value = d;
    for (int n = 2; n < FRACTION_STEPS_MAX; n++) {
        double step = numerator(a, b, x, n);
        d = 1 / away_from_zero(1 + step * d);
        c = away_from_zero(1 + step / c);
        value *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return value;
}

/* ln I_x(a, b), and 1 - x given apart since it may be tiny. */
static double log_incomplete_beta(double a, double b, double x, double rest)
{
    double front = lg(a + b) - lg(a) - lg(b) + a * log(x) + b * log(rest);
    if (x < (a + 1) / (a + b + 2)) return front - log(a) + log(fraction(a, b, x));
    double other = exp(front - log(b)) * fraction(b, a, rest);
    return log1p(-fmin(other, 1 - 1e-16));
}

double sq_negbinomial_strength(uint32_t x, double mean, double phi)
{
    if ((double)x <= mean || x == 0) return 0;
    double r = 1 / phi;
    double strength = -log_incomplete_beta(x, r, mean / (mean + r), r / (mean + r)) / log(10);
    return strength < 0 ? 0 : strength > STRENGTH_MAX ? STRENGTH_MAX : strength;
}

void sq_negbinomial_range(double mean, double phi, double *low, double *high)
{
    double r = 1 / phi, q = mean / (mean + r);
    double term = exp(r * log(r / (mean + r))), sum = term, x = 0;
    for (; x < RANGE_STEPS_MAX && sum < 0.025; x++, sum += term) term *= (x + r) / (x + 1) * q;
    *low = x;
    for (; x < RANGE_STEPS_MAX && sum < 0.975; x++, sum += term) term *= (x + r) / (x + 1) * q;
    *high = x;
}
