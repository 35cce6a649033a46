/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/surge.h"

#include <math.h>

static const double strengths[] = {0.5, 1, 2}, event_share = 0.75, ratio_max = 8, evidence_min = -1;

static double lg(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* ln Pr[K = k] of the beta-binomial, but for terms that do not depend on p. */
static double log_share(double n, double k, double p, double me)
{
    double a = p * me, b = (1 - p) * me;
    return lg(k + a) - lg(a) + lg(n - k + b) - lg(b);
}

/* ln Pr[N = n] of the negative binomial, but for n!. */
static double log_volume(double n, double mean, double r)
{
    return lg(n + r) - lg(r) + r * log(r / (r + mean)) + n * log(mean / (r + mean));
}

double sq_surge_evidence(uint32_t n, uint32_t k, double p, double me, double mean, double phi)
{
    double r = 1 / phi, usual_share = log_share(n, k, p, me), usual_volume = log_volume(n, mean, r), sum = 0, weights = 0;
    for (unsigned i = 0; i < sizeof strengths / sizeof *strengths; i++) {
        double s = strengths[i];
        double weight = exp(fmin(log_share(n, k, (p + event_share * s) / (1 + s), me) - usual_share, 600));
        sum += weight * fmin(exp(log_volume(n, mean * (1 + s), r * (1 + s)) - usual_volume), ratio_max);
        weights += weight;
    }
    return weights > 0 ? fmax(log10(sum / weights), evidence_min) : 0;
}
