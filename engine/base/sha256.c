/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/sha256.h"

#include <stdint.h>
#include <stdio.h>

enum { BLOCK_BYTES = 64, ROUNDS = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[BLOCK_BYTES]; /* what does not fill a block yet */
};

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t round_constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, unsigned bits) { return word >> bits | word << (32 - bits); }

static void schedule(const unsigned char block[BLOCK_BYTES], uint32_t words[ROUNDS])
{
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + words[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

static void compress(struct sha256 *sha, const unsigned char block[BLOCK_BYTES])
{
    uint32_t words[ROUNDS], v[8];
    schedule(block, words);
    memcpy(v, sha->state, sizeof v);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]), majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t one = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice + round_constants[i] + words[i];
        uint32_t two = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;
        memmove(&v[1], &v[0], 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) sha->state[i] += v[i];
}

static void begin(struct sha256 *sha)
{
    *sha = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static void add(struct sha256 *sha, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    for (size_t i = 0; i < bytes; i++) {
        sha->block[sha->bytes++ % BLOCK_BYTES] = from[i];
        if (sha->bytes % BLOCK_BYTES == 0) compress(sha, sha->block);
    }
}

static void end(struct sha256 *sha, unsigned char digest[SQ_SHA256_BYTES])
{
    unsigned char length[8];
    uint64_t bits = sha->bytes * 8;
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    add(sha, "\x80", 1);
    while (sha->bytes % BLOCK_BYTES != BLOCK_BYTES - sizeof length) add(sha, "", 1);
    add(sha, length, sizeof length);
    for (int i = 0; i < SQ_SHA256_BYTES; i++) digest[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sq_sha256(struct sq_str data, unsigned char digest[SQ_SHA256_BYTES])
{
    struct sha256 sha;
    begin(&sha);
    add(&sha, data.data, data.bytes);
    end(&sha, digest);
}

/* One of the two passes: the key with every byte turned, then the data. */
static void pass(const unsigned char key[BLOCK_BYTES], unsigned char turn, struct sq_str data, unsigned char digest[SQ_SHA256_BYTES])
{
    unsigned char turned[BLOCK_BYTES];
    struct sha256 sha;
    for (int i = 0; i < BLOCK_BYTES; i++) turned[i] = key[i] ^ turn;
    begin(&sha);
    add(&sha, turned, BLOCK_BYTES);
    add(&sha, data.data, data.bytes);
    end(&sha, digest);
}

void sq_hmac_sha256_hex(struct sq_str key, struct sq_str data, char hex[SQ_SHA256_HEX_BYTES])
{
    unsigned char block[BLOCK_BYTES] = {0}, digest[SQ_SHA256_BYTES];
    if (key.bytes > BLOCK_BYTES) sq_sha256(key, block);
    else if (key.bytes) memcpy(block, key.data, key.bytes);
    pass(block, 0x36, data, digest);
    pass(block, 0x5c, (struct sq_str){(const char *)digest, sizeof digest}, digest);
    for (int i = 0; i < SQ_SHA256_BYTES; i++) snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
}
