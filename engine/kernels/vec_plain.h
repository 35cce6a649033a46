/* SPDX-License-Identifier: Apache-2.0 */
/* `vec`: a few floats that are worked on together. The vector kernels (vector.inc, float_tile.inc) are written once over these functions,
 * and each instruction set has a header with its own; this is the one for every CPU, four floats that the compiler keeps in whatever
 * it has. Every function works lane by lane with no hidden order, and where a multiplication and an addition become one instruction it
 * is called vec_fma: with contraction off (-ffp-contract=off) nothing else does, so a value's bits don't depend on its place in a loop. */
#ifndef SQ_KERNELS_VEC_PLAIN_H
#define SQ_KERNELS_VEC_PLAIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FOR_VEC(i) for (size_t i = 0; i < VEC_FLOATS; i++)

enum { VEC_FLOATS = 4 };
typedef struct vec {
    float at[VEC_FLOATS];
} vec;

static inline vec vec_set(float x)
{
    vec v;
    FOR_VEC(i) v.at[i] = x;
    return v;
}

static inline vec vec_load(const float *from)
{
    vec v;
    memcpy(v.at, from, sizeof v.at);
    return v;
}

/* The first `count` from memory, the rest filled up. */
static inline vec vec_load_some(const float *from, size_t count, float rest)
{
    vec v = vec_set(rest);
    memcpy(v.at, from, count * sizeof *from);
    return v;
}

static inline vec vec_load_i32(const int32_t *from)
{
    vec v;
    FOR_VEC(i) v.at[i] = (float)from[i];
    return v;
}

static inline void vec_store(float *to, vec x) { memcpy(to, x.at, sizeof x.at); }
static inline void vec_store_some(float *to, vec x, size_t count) { memcpy(to, x.at, count * sizeof *to); }

#define BINARY(name, expression)              \
    static inline vec name(vec a, vec b)      \
    {                                         \
        FOR_VEC(i) a.at[i] = expression;      \
        return a;                             \
    }
BINARY(vec_add, a.at[i] + b.at[i])
BINARY(vec_sub, a.at[i] - b.at[i])
BINARY(vec_mul, a.at[i] *b.at[i])
BINARY(vec_div, a.at[i] / b.at[i])
BINARY(vec_min, a.at[i] < b.at[i] ? a.at[i] : b.at[i])
BINARY(vec_max, a.at[i] > b.at[i] ? a.at[i] : b.at[i])
#undef BINARY

/* a * b + c; rounded once where the CPU has an instruction for it. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    FOR_VEC(i) c.at[i] = a.at[i] * b.at[i] + c.at[i];
    return c;
}

/* To the nearest whole number, for |x| below 2^22. */
static inline vec vec_round(vec x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: what is added to it has no place for a fraction */
    FOR_VEC(i) x.at[i] = (x.at[i] + magic) - magic;
    return x;
}

/* x * 2^n for whole n in [-126, 127]. */
static inline vec vec_times_power(vec x, vec n)
{
    FOR_VEC(i)
    {
        uint32_t bits = (uint32_t)((int32_t)n.at[i] + 127) << 23;
        float power;
        memcpy(&power, &bits, sizeof power);
        x.at[i] *= power;
    }
    return x;
}

static inline float vec_sum(vec x) { return (x.at[0] + x.at[2]) + (x.at[1] + x.at[3]); }

static inline float vec_largest(vec x)
{
    float most = x.at[0];
    FOR_VEC(i) most = x.at[i] > most ? x.at[i] : most;
    return most;
}

static inline float vec_smallest(vec x)
{
    float least = x.at[0];
    FOR_VEC(i) least = x.at[i] < least ? x.at[i] : least;
    return least;
}

/* Rounds to the nearest whole numbers, which must be in [0, 255]; not a number becomes 0. */
static inline void vec_store_u8(uint8_t *to, vec x)
{
    x = vec_round(x);
    FOR_VEC(i) to[i] = x.at[i] > 0.0f ? (uint8_t)(x.at[i] < 255.0f ? x.at[i] : 255.0f) : 0;
}

/* Exact. Multiplying by 2^112 moves the exponent to its place and makes subnormals normal. */
static inline vec vec_load_f16(const uint16_t *from)
{
    vec v;
    FOR_VEC(i)
    {
        uint32_t magnitude = (from[i] & 0x7fffu) << 13, sign = (from[i] & 0x8000u) << 16, bits;
        float value;
        memcpy(&value, &magnitude, sizeof value);
        value *= 0x1p112f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
        memcpy(&v.at[i], &bits, sizeof bits);
    }
    return v;
}

static inline vec vec_load_bf16(const uint16_t *from)
{
    vec v;
    FOR_VEC(i)
    {
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(&v.at[i], &bits, sizeof bits);
    }
    return v;
}

/* a[0..VEC_FLOATS - 1] as the rows of a square, turned into its columns. */
static inline void vec_transpose(vec a[VEC_FLOATS])
{
    FOR_VEC(row)
    {
        for (size_t column = row + 1; column < VEC_FLOATS; column++) {
            float held = a[row].at[column];
            a[row].at[column] = a[column].at[row];
            a[column].at[row] = held;
        }
    }
}

#endif
