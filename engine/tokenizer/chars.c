/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/chars.h"

#include <utf8proc.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/ranges.h"

struct shifted {
    uint32_t first, last;
    int32_t value;
};

#include "engine/tokenizer/chars_table.h"

#define VALUE(table, code_point) value_in(table, sizeof table / sizeof *table, code_point)

/* The value of the row that holds code_point, or 0. These tables are a few rows long. */
static int32_t value_in(const struct shifted *rows, size_t count, uint32_t code_point)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].first <= code_point && code_point <= rows[i].last) return rows[i].value;
    return 0;
}

bool sq_chars_is_space(uint32_t code_point) { return IN(spaces, code_point); }

bool sq_chars_is_combining(uint32_t code_point) { return IN(combining, code_point); }

bool sq_chars_is_wordlike(uint32_t code_point) { return IN(wordlike, code_point); }

static uint8_t class_of(uint32_t code_point)
{
    if (IN(spaces, code_point)) return SQ_CHAR_SPACE;
    return IN(punctuation, code_point) ? SQ_CHAR_ALONE : SQ_CHAR_WORD;
}

static uint32_t lower_of(uint32_t code_point)
{
    int32_t shift = VALUE(lowered, code_point);
    if (shift) return (uint32_t)((int32_t)code_point + shift);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code_point);
}

unsigned sq_chars_lower(uint32_t code_point, uint32_t lower[2])
{
    bool dotted = code_point == 0x130; /* the one letter whose small form takes two characters */
    lower[0] = dotted ? 'i' : lower_of(code_point);
    lower[1] = 0x307;
    return dotted ? 2 : 1;
}

/* A decomposed code point, accents already judged. */
static unsigned put(const struct sq_chars *chars, uint32_t code_point, struct sq_char *out)
{
    uint8_t class = chars->strip ? (uint8_t)VALUE(ordered, code_point) : 0;
    uint32_t mapped[2] = {code_point};
    unsigned count = chars->lower ? sq_chars_lower(code_point, mapped) : 1;
    out[0] = (struct sq_char){mapped[0], class_of(mapped[0]), class};
    if (count > 1) out[1] = (struct sq_char){mapped[1], SQ_CHAR_WORD, 0};
    return count;
}

static unsigned decompose(const struct sq_chars *chars, uint32_t code_point, struct sq_char *out)
{
    utf8proc_int32_t parts[4] = {(utf8proc_int32_t)code_point}; /* no canonical decomposition is longer */
    utf8proc_ssize_t parts_count = 1;
    if (!IN(whole, code_point)) {
        parts_count = utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, 4, UTF8PROC_DECOMPOSE, NULL);
        if (parts_count < 1 || parts_count > 4) parts_count = 1, parts[0] = (utf8proc_int32_t)code_point;
    }
    unsigned count = 0;
    for (utf8proc_ssize_t i = 0; i < parts_count; i++) {
        uint32_t part = (uint32_t)parts[i];
        if (!IN(marks, part)) count += put(chars, part, out + count);
        else if (utf8proc_get_property(parts[i])->combining_class == 0) out[count++] = (struct sq_char){part, SQ_CHAR_BARRIER, 0};
    }
    return count;
}

unsigned sq_chars_map(const struct sq_chars *chars, uint32_t code_point, struct sq_char out[SQ_CHARS_OUT_MAX])
{
    static const struct sq_char space = {' ', SQ_CHAR_SPACE, 0};
    if (chars->clean) {
        if (IN(removed, code_point)) return 0;
        if (IN(spaces, code_point)) code_point = ' ';
    }
    unsigned count = 0;
    bool apart = chars->chinese && IN(chinese, code_point);
    if (apart) out[count++] = space;
    bool is_fixed = code_point >= 0x4e00 && code_point < 0xa000; /* the ideographs of daily use: nothing ever changes them */
    if (is_fixed) out[count++] = (struct sq_char){code_point, SQ_CHAR_WORD, 0};
    else count += chars->strip ? decompose(chars, code_point, out + count) : put(chars, code_point, out + count);
    if (apart) out[count++] = space;
    return count;
}

void sq_chars_init(struct sq_chars *chars)
{
    for (uint32_t code_point = 0; code_point < SQ_CHARS_TABLE; code_point++) {
        struct sq_char out[SQ_CHARS_OUT_MAX];
        unsigned count = sq_chars_map(chars, code_point, out);
        struct sq_char *entry = &chars->table[code_point];
        *entry = (struct sq_char){0, SQ_CHAR_GONE, 0};
        if (count == 1 && !out[0].combining) *entry = out[0];
        else if (count > 0) entry->class = SQ_CHAR_SEVERAL;
    }
}

void sq_chars_order(struct sq_char *run, unsigned run_count, struct sq_char added)
{
    unsigned at = run_count;
    for (; at > 0 && run[at - 1].combining > added.combining; at--) run[at] = run[at - 1];
    run[at] = added;
}

static size_t put_run(const struct sq_char *run, unsigned run_count, char *out)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < run_count; i++) bytes += sq_utf8_encode(run[i].code_point, out + bytes);
    return bytes;
}

size_t sq_chars_normalise(const struct sq_chars *chars, struct sq_str text, struct sq_char *run, unsigned run_max, char *out)
{
    size_t bytes = 0;
    unsigned run_count = 0;
    const unsigned char *at = (const unsigned char *)text.data;
    for (const unsigned char *end = at + text.bytes; at < end;) {
        struct sq_char mapped[SQ_CHARS_OUT_MAX];
        unsigned count = sq_chars_map(chars, sq_chars_next(&at), mapped);
        for (unsigned i = 0; i < count; i++) {
            if (!mapped[i].combining || run_count == run_max) {
                bytes += put_run(run, run_count, out + bytes);
                run_count = 0;
            }
            if (mapped[i].combining) sq_chars_order(run, run_count++, mapped[i]);
            else if (mapped[i].class != SQ_CHAR_BARRIER) bytes += sq_utf8_encode(mapped[i].code_point, out + bytes);
        }
    }
    return bytes + put_run(run, run_count, out + bytes);
}
