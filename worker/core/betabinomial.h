/* SPDX-License-Identifier: Apache-2.0 */
/* How surprising k matches in n messages are when the usual share is p but varies from window to window.
 *
 * The share of a window is Beta(p me, (1 - p) me): me is large for an entity whose share hardly varies and is well known, small for a
 * restless or a new one. So k is beta-binomial, and its exact upper tail is the P value of the alert. */
#ifndef SQ_CORE_BETABINOMIAL_H
#define SQ_CORE_BETABINOMIAL_H

#include <stdint.h>

/* The effective sample size of the predictive: 1/me = rho / (1 - rho) + 1 / (messages + prior). 0 < rho < 1. */
double sq_betabinomial_me(double rho, double messages, double prior);

/* S = -log10 Pr[X >= k], X ~ BetaBinomial(n, p me, (1 - p) me), in [0, 99]. Exact for every n up to 4096; above it n and k are scaled
 * down, and S comes out at most 4 % low. 0 where k/n <= p. 0 < p < 1, me > 0, k <= n. */
double sq_betabinomial_strength(uint32_t n, uint32_t k, double p, double me);

/* The central 95 % range of X/n, for display. n = 0 gives the range of the share itself. */
void sq_betabinomial_range(uint32_t n, double p, double me, double *low, double *high);

#endif
