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

static bool convert_f32(float *values, const unsigned char *bytes, size_t count)
{
    uint32_t odd = 0;
    memcpy(values, bytes, count * sizeof *values);
    for (size_t i = 0; i < count; i++) odd |= is_odd_one(float_bits(values[i]));
    return odd == 0;
}

static bool convert_bf16(float *values, const unsigned char *bytes, size_t count)
{
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
static bool convert_f16(float *values, const unsigned char *bytes, size_t count)
{
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

static const struct sq_dtype dtypes[] = {
    {"F32", 32, convert_f32}, {"F16", 16, convert_f16}, {"BF16", 16, convert_bf16}, {"F64", 64, NULL},    {"I64", 64, NULL},
    {"U64", 64, NULL},        {"C64", 64, NULL},        {"I32", 32, NULL},          {"U32", 32, NULL},    {"I16", 16, NULL},
    {"U16", 16, NULL},        {"I8", 8, NULL},          {"U8", 8, NULL},            {"BOOL", 8, NULL},    {"F8_E4M3", 8, NULL},
    {"F8_E5M2", 8, NULL},     {"F8_E8M0", 8, NULL},     {"F6_E2M3", 6, NULL},       {"F6_E3M2", 6, NULL}, {"F4", 4, NULL},
};

const struct sq_dtype *sq_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, name) == 0) return &dtypes[i];
    }
    return NULL;
}
