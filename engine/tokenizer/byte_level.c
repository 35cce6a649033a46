/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/byte_level.h"

#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/ranges.h"

#include "engine/tokenizer/byte_level_table.h"

enum class { OTHER, LETTER, NUMBER, WHITE };

static uint8_t compute(uint32_t code_point)
{
    if (IN(letters, code_point)) return LETTER;
    if (IN(numbers, code_point)) return NUMBER;
    return sq_chars_is_space(code_point) ? WHITE : OTHER;
}

void sq_byte_level_init(struct sq_byte_level *byte_level)
{
    for (uint32_t code_point = 0; code_point < SQ_BYTE_LEVEL_TABLE; code_point++)
        byte_level->classes[code_point] = compute(code_point);
}

/* The class of the character at *at, which moves behind it. */
static uint8_t next_class(const struct sq_byte_level *byte_level, const unsigned char **at)
{
    uint32_t code_point = sq_chars_next(at);
    return code_point < SQ_BYTE_LEVEL_TABLE ? byte_level->classes[code_point] : compute(code_point);
}

/* Where the run of this class ends. */
static const unsigned char *skip(const struct sq_byte_level *byte_level, uint8_t class, const unsigned char *at,
                                 const unsigned char *end)
{
    while (at < end) {
        const unsigned char *next = at;
        if (next_class(byte_level, &next) != class) break;
        at = next;
    }
    return at;
}

static size_t contraction_bytes(struct sq_str text)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t bytes = strlen(endings[i]);
        if (text.bytes > bytes && memcmp(text.data + 1, endings[i], bytes) == 0) return bytes + 1;
    }
    return 0;
}

/* White space up to `last`, the beginning of its last character, and that too if nothing follows or nothing else is left. */
static const unsigned char *skip_white(const struct sq_byte_level *byte_level, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *begin = at, *last = at;
    while (at < end) {
        const unsigned char *next = at;
        if (next_class(byte_level, &next) != WHITE) return last > begin ? last : at;
        last = at;
        at = next;
    }
    return end;
}

static const unsigned char *word_end(const struct sq_byte_level *byte_level, const unsigned char *begin, const unsigned char *end)
{
    const unsigned char *at = begin;
    if (*at == '\'') {
        size_t bytes = contraction_bytes((struct sq_str){(const char *)at, (size_t)(end - at)});
        if (bytes) return at + bytes;
    }
    if (*at == ' ') at++;
    if (at < end) {
        uint8_t class = next_class(byte_level, &at);
        if (class != WHITE) return skip(byte_level, class, at, end);
    }
    return skip_white(byte_level, begin, end);
}

struct sq_str sq_byte_level_next(const struct sq_byte_level *byte_level, struct sq_str *text)
{
    const unsigned char *begin = (const unsigned char *)text->data, *end = begin + text->bytes;
    const unsigned char *at = byte_level->use_regex ? word_end(byte_level, begin, end) : end;
    struct sq_str word = {text->data, (size_t)(at - begin)};
    text->data += word.bytes;
    text->bytes -= word.bytes;
    return word;
}

/* Printable Latin-1 stands for itself. The other bytes, 0 to 0x20, 0x7f to 0xa0 and 0xad, are in this order U+0100 to U+0143. */
static const struct {
    unsigned char first, last;
    uint16_t code_point;
} hidden[] = {{0x00, 0x20, 0x100}, {0x7f, 0xa0, 0x121}, {0xad, 0xad, 0x143}};

uint32_t sq_byte_level_character(unsigned char byte)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (hidden[i].first <= byte && byte <= hidden[i].last) return hidden[i].code_point + (uint32_t)(byte - hidden[i].first);
    return byte;
}

static int byte_of(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        uint32_t byte = code_point - hidden[i].code_point + hidden[i].first;
        if (code_point >= hidden[i].code_point && byte <= hidden[i].last) return (int)byte;
    }
    return code_point < 0x100 && sq_byte_level_character((unsigned char)code_point) == code_point ? (int)code_point : -1;
}

long sq_byte_level_decode(struct sq_str text, char *out)
{
    long bytes = 0;
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.bytes;
    while (at < end) {
        int byte = byte_of(sq_chars_next(&at));
        if (byte < 0) return -1;
        out[bytes++] = (char)byte;
    }
    return bytes;
}
