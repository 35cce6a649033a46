/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/position_bias.h"

enum { BUCKETS_A_SIDE = 16, EXACT = 8 };

/* From 8 on, a bucket is 8 + floor(8 log(n / 8) / log(128 / 8)) = 8 + floor(log2(n^2 / 64)): whole numbers give it without rounding. */
unsigned sq_position_bias_bucket(long distance)
{
    unsigned side = distance > 0 ? BUCKETS_A_SIDE : 0;
    unsigned long n = distance > 0 ? (unsigned long)distance : (unsigned long)-distance;
    if (n < EXACT) return side + (unsigned)n;
    unsigned bucket = EXACT;
    for (unsigned long rest = n * n / (EXACT * EXACT); rest > 1 && bucket < BUCKETS_A_SIDE - 1; rest /= 2) bucket++;
    return side + bucket;
}

size_t sq_position_bias_count(size_t heads, size_t positions) { return heads * (2 * positions - 1); }

void sq_position_bias_fill(float *table, const float *buckets, size_t heads, size_t positions)
{
    size_t width = 2 * positions - 1;
    for (size_t column = 0; column < width; column++) {
        const float *row = buckets + sq_position_bias_bucket((long)column - (long)(positions - 1)) * heads;
        for (size_t head = 0; head < heads; head++) table[head * width + column] = row[head];
    }
}
