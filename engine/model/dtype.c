/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/dtype.h"

#include <stdint.h>
#include <string.h>

/* Plain loops without branches, so that the compiler vectorises them: a model has millions of values and start-up waits for them. */

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 1 where the exponent is all ones: infinity or not a number. */
static uint32_t is_odd_one(uint32_t bits) { return (bits & 0x7f800000u) == 0x7f800000u; }

static bool keep_f32(void *to, const unsigned char *bytes, size_t count)
{
    uint32_t odd = 0;
    float *values = to;
    memcpy(values, bytes, count * sizeof *values);
    for (size_t i = 0; i < count; i++) odd |= is_odd_one(float_bits(values[i]));
    return odd == 0;
}

static bool convert_bf16(void *to, const unsigned char *bytes, size_t count)
{
    float *values = to;
    uint32_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        values[i] = bits_float(bits);
        odd |= is_odd_one(bits);
    }
    return odd == 0;
}

/* The exponent moves by multiplying with 2^112, which also makes subnormals normal and is exact. */
static bool convert_f16(void *to, const unsigned char *bytes, size_t count)
{
    float *values = to;
    uint32_t odd = 0;
    const float scale = bits_float((127u + 112u) << 23);
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, bytes + 2 * i, sizeof half);
        float magnitude = bits_float((uint32_t)(half & 0x7fffu) << 13) * scale;
        values[i] = bits_float(float_bits(magnitude) | (uint32_t)(half & 0x8000u) << 16);
        odd |= (half & 0x7c00u) == 0x7c00u;
    }
    return odd == 0;
}

static bool keep_halves(uint16_t *halves, const unsigned char *bytes, size_t count, uint32_t exponent)
{
    uint32_t odd = 0;
    memcpy(halves, bytes, count * sizeof *halves);
    for (size_t i = 0; i < count; i++) odd |= (halves[i] & exponent) == exponent;
    return odd == 0;
}

static bool keep_f16(void *to, const unsigned char *bytes, size_t count) { return keep_halves(to, bytes, count, 0x7c00u); }
static bool keep_bf16(void *to, const unsigned char *bytes, size_t count) { return keep_halves(to, bytes, count, 0x7f80u); }

static const struct sq_dtype dtypes[] = {
    {"F32", 32, keep_f32, keep_f32, SQ_TABLE_F32},
    {"F16", 16, convert_f16, keep_f16, SQ_TABLE_F16},
    {"BF16", 16, convert_bf16, keep_bf16, SQ_TABLE_BF16},
    {.name = "F64", .bits = 64},    {.name = "I64", .bits = 64},    {.name = "U64", .bits = 64},    {.name = "C64", .bits = 64},
    {.name = "I32", .bits = 32},    {.name = "U32", .bits = 32},    {.name = "I16", .bits = 16},    {.name = "U16", .bits = 16},
    {.name = "I8", .bits = 8},      {.name = "U8", .bits = 8},      {.name = "BOOL", .bits = 8},    {.name = "F8_E4M3", .bits = 8},
    {.name = "F8_E5M2", .bits = 8}, {.name = "F8_E8M0", .bits = 8}, {.name = "F6_E2M3", .bits = 6}, {.name = "F6_E3M2", .bits = 6},
    {.name = "F4", .bits = 4},
};

const struct sq_dtype *sq_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, name) == 0) return &dtypes[i];
    }
    return NULL;
}
