/* SPDX-License-Identifier: Apache-2.0 */
/* What the number of messages says, beside the share of those that match: an event brings messages on top of the usual ones, so a share that
 * rises together with the volume is more likely one than a share that rises alone. */
#ifndef SQ_CORE_SURGE_H
#define SQ_CORE_SURGE_H

#include <stdint.h>

/* A window of n messages, k of them matching; usual: share p with the effective sample size me (see betabinomial.h), and `mean` messages.
 *
 * log10 of the likelihood of n when an event has added s times the usual messages, against that of n as usual, averaged over s = 1/2, 1 and 2 by
 * how well each explains k of n. The volume is negative binomial with a variance of mean + mean^2 phi; an event's messages match in three of
 * four cases. In [-1, 0.9]: volume alone never makes an alert, nor prevents a strong one. */
double sq_surge_evidence(uint32_t n, uint32_t k, double p, double me, double mean, double phi);

#endif
