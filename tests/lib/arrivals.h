/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of a made stream, on their way into it: what stream.c and planted.c share. */
#ifndef SQ_TEST_ARRIVALS_H
#define SQ_TEST_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "tests/lib/random.h"

enum { ARRIVALS_STEP_MS = 300000, ARRIVALS_STEPS_A_DAY = 288, ARRIVALS_DAY_MS = ARRIVALS_STEP_MS * ARRIVALS_STEPS_A_DAY };
#define ARRIVALS_START_MS INT64_C(1767225600000) /* 2026-01-01 */

struct arrival {
    int64_t ts_ms;
    unsigned entity, label; /* label: what the maker of the stream makes of it */
    uint64_t text_hash, author_hash;
};

struct arrivals {
    struct arrival *items; /* owned; free() it */
    size_t count, capacity;
};

/* One with a text and an author of its own. */
struct arrival arrivals_make(struct test_random *random, unsigned entity, int64_t ts_ms, unsigned label);

void arrivals_add(struct arrivals *arrivals, struct arrival arrival);

/* Moves those before to_ms over to `now`. */
void arrivals_take_due(struct arrivals *later, int64_t to_ms, struct arrivals *now);

void arrivals_sort(struct arrivals *arrivals); /* by time */

/* What the time of day multiplies the usual volume by: 1 +- 0.6. */
double arrivals_wave(int64_t ts_ms);

#endif
