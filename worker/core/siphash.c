/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/siphash.h"

static const uint64_t key0 = 0x0706050403020100u;
static const uint64_t key1 = 0x0f0e0d0c0b0a0908u;

static uint64_t rotate(uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); }

static void mix(struct sq_siphash *h, int rounds)
{
    for (; rounds > 0; rounds--) {
        h->v0 += h->v1;
        h->v2 += h->v3;
        h->v1 = rotate(h->v1, 13) ^ h->v0;
        h->v3 = rotate(h->v3, 16) ^ h->v2;
        h->v0 = rotate(h->v0, 32);
        h->v2 += h->v1;
        h->v0 += h->v3;
        h->v1 = rotate(h->v1, 17) ^ h->v2;
        h->v3 = rotate(h->v3, 21) ^ h->v0;
        h->v2 = rotate(h->v2, 32);
    }
}

static void take_word(struct sq_siphash *h, uint64_t word)
{
    h->v3 ^= word;
    mix(h, 2);
    h->v0 ^= word;
}

void sq_siphash_init(struct sq_siphash *hash)
{
    *hash = (struct sq_siphash){
        .v0 = key0 ^ 0x736f6d6570736575u,
        .v1 = key1 ^ 0x646f72616e646f6du,
        .v2 = key0 ^ 0x6c7967656e657261u,
        .v3 = key1 ^ 0x7465646279746573u,
    };
}

void sq_siphash_take(struct sq_siphash *hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++) {
        hash->word |= (uint64_t)at[i] << 8 * (hash->bytes % 8);
        if (++hash->bytes % 8) continue;
        take_word(hash, hash->word);
        hash->word = 0;
    }
}

static void take_little_endian(struct sq_siphash *hash, uint64_t number, unsigned bytes)
{
    unsigned char out[8];
    for (unsigned i = 0; i < bytes; i++) out[i] = (unsigned char)(number >> 8 * i);
    sq_siphash_take(hash, out, bytes);
}

void sq_siphash_take_part(struct sq_siphash *hash, struct sq_str part)
{
    take_little_endian(hash, part.bytes, 4);
    sq_siphash_take(hash, part.data, part.bytes);
}

void sq_siphash_take_number(struct sq_siphash *hash, uint64_t number)
{
    take_little_endian(hash, 8, 4);
    take_little_endian(hash, number, 8);
}

uint64_t sq_siphash_end(const struct sq_siphash *hash)
{
    struct sq_siphash h = *hash;
    take_word(&h, h.word | h.bytes << 56);
    h.v2 ^= 0xff;
    mix(&h, 4);
    return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}
