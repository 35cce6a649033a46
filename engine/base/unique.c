/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/unique.h"

#include <unistd.h>

#include "engine/base/clock.h"

uint64_t sq_unique_number(void)
{
    static uint64_t drawn;
    uint64_t x = (uint64_t)sq_clock_wall_ms() << 22 ^ (uint64_t)getpid() << 8 ^ ++drawn;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9); /* splitmix64's mixing, by Steele, Lea and Flood */
    return (x ^ x >> 27) | 1;
}
