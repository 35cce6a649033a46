/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson, Bernstein 2012) with the fixed key 00 01 .. 0f: the hash behind fingerprints, alert ids and the rules digest.
 *
 * These ids leave the system, so they must never change and others must be able to compute them: SipHash is in most languages'
 * libraries, has published test vectors for exactly this key, and spreads even one-bit differences over all 64 bits. The key is
 * public, so it is no defence against somebody who looks for collisions; nothing here needs one. */
#ifndef SQ_CORE_SIPHASH_H
#define SQ_CORE_SIPHASH_H

#include <stdint.h>

#include "engine/base/str.h"

struct sq_siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t word;  /* bytes not yet mixed in, little endian */
    uint64_t bytes; /* taken so far */
};

void sq_siphash_init(struct sq_siphash *hash);
void sq_siphash_take(struct sq_siphash *hash, const void *data, size_t bytes);

/* A part of a key: its length as 4 bytes little endian, then its bytes, so that ("ab","c") and ("a","bc") differ. */
void sq_siphash_take_part(struct sq_siphash *hash, struct sq_str part);
/* A number as a part: 8 bytes little endian. */
void sq_siphash_take_number(struct sq_siphash *hash, uint64_t number);

uint64_t sq_siphash_end(const struct sq_siphash *hash);

#endif
