/* SPDX-License-Identifier: Apache-2.0 */
/* The tail is the first term Pr[X = k], from log-gammas, times the sum of the others relative to it, each from its neighbour by a
 * ratio. Scaled by its first term the sum neither under- nor overflows, whatever n. */
#include "worker/core/betabinomial.h"

#include <math.h>

enum { EXACT_MAX = 4096, STRENGTH_MAX = 99 };

static double lg(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

double sq_betabinomial_me(double rho, double messages, double prior)
{
    return 1.0 / (rho / (1.0 - rho) + 1.0 / (messages + prior));
}

/* ln Pr[X = k] */
static double log_pmf(double n, double k, double a, double b)
{
    return lg(n + 1) - lg(k + 1) - lg(n - k + 1) + lg(k + a) + lg(n - k + b) - lg(n + a + b) + lg(a + b) - lg(a) - lg(b);
}

/* Pr[X = x + 1] / Pr[X = x] */
static double pmf_ratio(double n, double x, double a, double b) { return (n - x) / (x + 1) * ((x + a) / (n - x - 1 + b)); }

double sq_betabinomial_strength(uint32_t n_all, uint32_t k_all, double p, double me)
{
    if (k_all == 0 || (double)k_all <= p * (double)n_all) return 0;
    double n = n_all, k = k_all;
    if (n > EXACT_MAX) {
        k = ceil(EXACT_MAX * k / n);
        n = EXACT_MAX;
    }
    double a = p * me, b = (1 - p) * me;
    double term = 1, sum = 1;
    for (double x = k; x < n; x++) {
        term *= pmf_ratio(n, x, a, b);
        sum += term;
        /* Past the mean the terms only fall, except that with b < 1 they rise again near n. */
        if (term < 1e-12 * sum && b >= 1 && x > n * p) break;
    }
    double strength = -(log_pmf(n, k, a, b) + log(sum)) / log(10);
    return strength < 0 ? 0 : strength > STRENGTH_MAX ? STRENGTH_MAX : strength;
}

void sq_betabinomial_range(uint32_t n_all, double p, double me, double *low, double *high)
{
    double n = n_all == 0 || n_all > EXACT_MAX ? EXACT_MAX : n_all;
    double a = p * me, b = (1 - p) * me;
    double term = exp(log_pmf(n, 0, a, b)), sum = term;
    double x = 0;
    for (; x < n && sum < 0.025; x++, sum += term) term *= pmf_ratio(n, x, a, b);
    *low = x / n;
    for (; x < n && sum < 0.975; x++, sum += term) term *= pmf_ratio(n, x, a, b);
    *high = x / n;
}
