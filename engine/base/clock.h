/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks. Decisions about records never read them: event time travels in the records. */
#ifndef SQ_BASE_CLOCK_H
#define SQ_BASE_CLOCK_H

#include <stdint.h>

int64_t sq_clock_wall_ms(void);      /* since 1970-01-01 UTC */
uint64_t sq_clock_monotonic_ns(void); /* for durations; never goes back */
uint64_t sq_clock_thread_cpu_ns(void); /* what the calling thread has used of a core */

#endif
