/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_CLI_REPLAY_MEDIAN_H
#define SQ_CLI_REPLAY_MEDIAN_H

/* The middle one, the upper of two; 0 of none. Sorts the numbers. */
double sq_median(double *numbers, unsigned count);

#endif
