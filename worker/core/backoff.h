/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try: twice as long each time up to a bound, and a part of it by chance, so that workers that failed
 * together don't come back together. Pure. */
#ifndef SQ_CORE_BACKOFF_H
#define SQ_CORE_BACKOFF_H

#include <stdint.h>

struct sq_backoff {
    uint32_t first_ms, max_ms;
    unsigned tries; /* that failed in a row */
    uint64_t seed;  /* of the part by chance; moves on */
};

/* After a failure. From half of min(first_ms * 2^tries, max_ms) to all of it. */
uint32_t sq_backoff_next_ms(struct sq_backoff *backoff);
static inline void sq_backoff_succeed(struct sq_backoff *backoff) { backoff->tries = 0; }

#endif
