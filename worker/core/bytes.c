/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/bytes.h"

#include <math.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 10 };

void sq_bytes_put_number(struct sq_buf *out, uint64_t number)
{
    char bytes[NUMBER_BYTES_MAX];
    size_t count = 0;
    do {
        bytes[count++] = (char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        number >>= 7;
    } while (number > 0);
    sq_buf_append(out, bytes, count);
}

void sq_bytes_put_signed(struct sq_buf *out, int64_t number)
{
    sq_bytes_put_number(out, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

void sq_bytes_put_fixed(struct sq_buf *out, uint64_t number)
{
    char bytes[sizeof number];
    for (size_t i = 0; i < sizeof number; i++) bytes[i] = (char)(number >> 8 * i & 0xff);
    sq_buf_append(out, bytes, sizeof bytes);
}

void sq_bytes_put_real(struct sq_buf *out, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    sq_bytes_put_fixed(out, bits);
}

void sq_bytes_put_str(struct sq_buf *out, struct sq_str str)
{
    sq_bytes_put_number(out, str.bytes);
    sq_buf_append_str(out, str);
}

static void put_float(struct sq_buf *out, float real)
{
    uint32_t bits;
    memcpy(&bits, &real, sizeof bits);
    for (unsigned shift = 0; shift < 32; shift += 8) sq_buf_append_char(out, (char)(bits >> shift & 0xff));
}

void sq_bytes_put_floats(struct sq_buf *out, const float *floats, unsigned count)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < count; i++) mask |= (uint32_t)(floats[i] < 0 || floats[i] > 0) << i;
    sq_bytes_put_number(out, mask);
    for (unsigned i = 0; i < count; i++)
        if (mask >> i & 1) put_float(out, floats[i]);
}

/* ---- Reading ---- */

/* NULL when there are not so many left. */
static const char *take(struct sq_bytes *bytes, size_t count)
{
    if (bytes->failed || (size_t)(bytes->end - bytes->at) < count) {
        bytes->failed = true;
        return NULL;
    }
    bytes->at += count;
    return bytes->at - count;
}

uint64_t sq_bytes_number(struct sq_bytes *bytes)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 7 * NUMBER_BYTES_MAX; shift += 7) {
        const char *byte = take(bytes, 1);
        if (!byte) return 0;
        uint64_t bits = (unsigned char)*byte & 0x7f;
        if (shift == 63 && bits > 1) break;
        number |= bits << shift;
        if (!(*byte & 0x80)) return number;
    }
    bytes->failed = true;
    return 0;
}

uint64_t sq_bytes_number_to(struct sq_bytes *bytes, uint64_t max)
{
    uint64_t number = sq_bytes_number(bytes);
    if (number <= max) return number;
    bytes->failed = true;
    return 0;
}

int64_t sq_bytes_signed(struct sq_bytes *bytes)
{
    uint64_t number = sq_bytes_number(bytes);
    return (int64_t)(number >> 1 ^ (number & 1 ? UINT64_MAX : 0));
}

int64_t sq_bytes_time(struct sq_bytes *bytes, int64_t base)
{
    static const int64_t bound = INT64_C(1) << 50;
    int64_t time = (int64_t)((uint64_t)base + (uint64_t)sq_bytes_signed(bytes));
    if (time > -bound && time < bound) return time;
    bytes->failed = true;
    return 0;
}

static uint64_t little_endian(const char *from, unsigned count)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < count; i++) number |= (uint64_t)(unsigned char)from[i] << 8 * i;
    return number;
}

uint64_t sq_bytes_fixed(struct sq_bytes *bytes)
{
    const char *from = take(bytes, 8);
    return from ? little_endian(from, 8) : 0;
}

double sq_bytes_real(struct sq_bytes *bytes)
{
    uint64_t bits = sq_bytes_fixed(bytes);
    double real;
    memcpy(&real, &bits, sizeof real);
    if (isfinite(real)) return real;
    bytes->failed = true;
    return 0;
}

struct sq_str sq_bytes_str(struct sq_bytes *bytes, size_t bytes_max)
{
    size_t count = (size_t)sq_bytes_number_to(bytes, bytes_max);
    const char *from = take(bytes, count);
    return from ? (struct sq_str){from, count} : (struct sq_str){0};
}

void sq_bytes_floats(struct sq_bytes *bytes, float *floats, unsigned count)
{
    uint32_t mask = (uint32_t)sq_bytes_number_to(bytes, ((uint64_t)1 << count) - 1);
    for (unsigned i = 0; i < count; i++) {
        const char *from = mask >> i & 1 ? take(bytes, 4) : NULL;
        uint32_t bits = from ? (uint32_t)little_endian(from, 4) : 0;
        memcpy(&floats[i], &bits, sizeof bits);
        if (!(fabsf(floats[i]) <= 1e18f)) bytes->failed = true;
        if (bytes->failed) floats[i] = 0;
    }
}

bool sq_bytes_is_done(const struct sq_bytes *bytes) { return !bytes->failed && bytes->at == bytes->end; }
