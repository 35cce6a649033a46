/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/murmur2.h"

/* MurmurHash2 by Austin Appleby (public domain), 32 bits, with the seed of Kafka's Utils.murmur2. */
static const uint32_t seed = 0x9747b28cu;
static const uint32_t mixer = 0x5bd1e995u;

static uint32_t little_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t sq_murmur2(struct sq_str key)
{
    const unsigned char *at = (const unsigned char *)key.data;
    size_t left = key.bytes;
    uint32_t hash = seed ^ (uint32_t)key.bytes;
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t word = little_endian(at) * mixer;
        word ^= word >> 24;
        hash = hash * mixer ^ word * mixer;
    }
    if (left > 2) hash ^= (uint32_t)at[2] << 16;
    if (left > 1) hash ^= (uint32_t)at[1] << 8;
    if (left > 0) hash = (hash ^ at[0]) * mixer;
    hash = (hash ^ hash >> 13) * mixer;
    return hash ^ hash >> 15;
}

int32_t sq_partition_of(struct sq_str key, int32_t partitions)
{
    return (int32_t)(sq_murmur2(key) & 0x7fffffffu) % partitions;
}
