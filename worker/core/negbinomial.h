/* SPDX-License-Identifier: Apache-2.0 */
/* How surprising x messages are where `mean` are usual, and the variance is mean + phi mean^2: the upper tail of the negative binomial with
 * r = 1/phi, which is the regularised incomplete beta function I_q(x, r) at q = mean / (mean + r). Evaluated by the continued fraction
 * of DLMF 8.17.22 (https://dlmf.nist.gov/8.17#v) in Lentz's way, in logs, so that nothing under- or overflows. */
#ifndef SQ_CORE_NEGBINOMIAL_H
#define SQ_CORE_NEGBINOMIAL_H

#include <stdint.h>

/* S = -log10 Pr[X >= x], in [0, 99]; 0 where x <= mean. mean > 0, phi > 0. */
double sq_negbinomial_strength(uint32_t x, double mean, double phi);

/* The central 95 % range of X, for display. */
void sq_negbinomial_range(double mean, double phi, double *low, double *high);

#endif
