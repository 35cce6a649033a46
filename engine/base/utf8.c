/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/utf8.h"

/* What a lead byte promises: the length, its payload bits, and the smallest code point that may be written so long. */
struct lead {
    unsigned char mask, value, payload;
    unsigned char bytes;
    uint32_t smallest;
};

static const struct lead leads[] = {
    {0x80, 0x00, 0x7f, 1, 0},
    {0xe0, 0xc0, 0x1f, 2, 0x80},
    {0xf0, 0xe0, 0x0f, 3, 0x800},
    {0xf8, 0xf0, 0x07, 4, 0x10000},
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if ((byte & leads[i].mask) == leads[i].value) return &leads[i];
    return NULL;
}

size_t sq_utf8_decode(const char *text, size_t bytes, uint32_t *code_point)
{
    if (bytes == 0) return 0;
    const struct lead *lead = lead_of((unsigned char)text[0]);
    if (!lead || lead->bytes > bytes) return 0;

    uint32_t value = (unsigned char)text[0] & lead->payload;
    for (size_t i = 1; i < lead->bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xc0) != 0x80) return 0;
        value = value << 6 | (byte & 0x3f);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < lead->smallest || value > 0x10ffff || surrogate) return 0;
    *code_point = value;
    return lead->bytes;
}

/* Skips ASCII eight bytes at a time. */
static size_t skip_ascii(struct sq_str str, size_t at)
{
    for (uint64_t word; str.bytes - at >= sizeof word; at += sizeof word) {
        memcpy(&word, str.data + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    return at;
}

size_t sq_utf8_valid_bytes(struct sq_str str)
{
    size_t at = 0;
    while ((at = skip_ascii(str, at)) < str.bytes) {
        uint32_t code_point;
        size_t step = sq_utf8_decode(str.data + at, str.bytes - at, &code_point);
        if (step == 0) break;
        at += step;
    }
    return at;
}

size_t sq_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t bytes = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)(leads[bytes - 1].value | code_point);
    return bytes;
}

struct sq_str sq_utf8_prefix(struct sq_str str, size_t code_points_max)
{
    size_t at = 0;
    for (size_t n = 0; n < code_points_max && at < str.bytes; n++) {
        at++;
        while (at < str.bytes && ((unsigned char)str.data[at] & 0xc0) == 0x80) at++;
    }
    return (struct sq_str){str.data, at};
}

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t ranges_count, uint32_t code_point)
{
    for (size_t i = 0; i < ranges_count; i++)
        if (code_point >= ranges[i].first && code_point <= ranges[i].last) return true;
    return false;
}

bool sq_utf8_is_white(uint32_t code_point)
{
    static const struct range ranges[] = {{0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
                                          {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
    return is_in(ranges, sizeof ranges / sizeof *ranges, code_point);
}

bool sq_utf8_is_invisible(uint32_t code_point)
{
    static const struct range ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x200b, 0x200f},
                                          {0x202a, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f}};
    return is_in(ranges, sizeof ranges / sizeof *ranges, code_point);
}
