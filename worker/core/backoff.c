/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/backoff.h"

/* splitmix64: https://prng.di.unimi.it/splitmix64.c, in the public domain. */
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t sq_backoff_next_ms(struct sq_backoff *backoff)
{
    uint64_t ms = backoff->first_ms;
    for (unsigned i = 0; i < backoff->tries && ms < backoff->max_ms; i++) ms *= 2;
    if (ms > backoff->max_ms) ms = backoff->max_ms;
    backoff->tries++;
    return (uint32_t)(ms - ms / 2 + draw(&backoff->seed) % (ms / 2 + 1));
}
