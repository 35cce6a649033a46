/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/clock.h"

#include <time.h>

static uint64_t now_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t sq_clock_wall_ms(void) { return (int64_t)(now_ns(CLOCK_REALTIME) / 1000000u); }
uint64_t sq_clock_monotonic_ns(void) { return now_ns(CLOCK_MONOTONIC); }
uint64_t sq_clock_thread_cpu_ns(void) { return now_ns(CLOCK_THREAD_CPUTIME_ID); }
