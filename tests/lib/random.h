/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded random numbers for tests and simulators: splitmix64, and the distributions drawn from it. */
#ifndef SQ_TEST_RANDOM_H
#define SQ_TEST_RANDOM_H

#include <stdint.h>

struct test_random {
    uint64_t state;
};

uint64_t test_random_bits(struct test_random *random);
double test_random_real(struct test_random *random); /* [0, 1) */
double test_random_between(struct test_random *random, double low, double high);
uint32_t test_random_below(struct test_random *random, uint32_t bound);
double test_random_normal(struct test_random *random);
double test_random_exponential(struct test_random *random, double mean);
double test_random_gamma(struct test_random *random, double shape); /* scale 1 */
double test_random_beta(struct test_random *random, double a, double b);
unsigned test_random_poisson(struct test_random *random, double mean);

#endif
