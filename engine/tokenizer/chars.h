/* SPDX-License-Identifier: Apache-2.0 */
/* Characters as BERT's normaliser and pre-tokeniser see them: what a code point becomes, and what that does to words.
 *
 * The steps of Hugging Face's BertNormalizer (clean_text, handle_chinese_chars, strip_accents with NFD, lowercase) act on one
 * code point at a time but for canonical ordering, so all four are one mapping from a code point to at most SQ_CHARS_OUT_MAX
 * characters. The first SQ_CHARS_TABLE code points, which hold the alphabets in daily use, are mapped once at start. */
#ifndef SQ_ENGINE_TOKENIZER_CHARS_H
#define SQ_ENGINE_TOKENIZER_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"

enum sq_char_class {
    SQ_CHAR_GONE,    /* becomes nothing */
    SQ_CHAR_BARRIER, /* becomes nothing, but combining characters are not reordered across it */
    SQ_CHAR_SPACE,   /* ends a word */
    SQ_CHAR_ALONE,   /* a word by itself */
    SQ_CHAR_WORD,    /* part of a word */
    SQ_CHAR_SEVERAL, /* in the table only: ask sq_chars_map */
};

struct sq_char {
    uint32_t code_point;
    uint8_t class;     /* enum sq_char_class */
    uint8_t combining; /* canonical combining class where it still matters, else 0 */
};

enum { SQ_CHARS_TABLE = 0x3100, SQ_CHARS_OUT_MAX = 6 };

struct sq_chars {
    bool clean;   /* clean_text */
    bool chinese; /* handle_chinese_chars */
    bool strip;   /* strip_accents */
    bool lower;   /* lowercase */
    struct sq_char table[SQ_CHARS_TABLE];
};

/* The four flags are set by the caller before. */
void sq_chars_init(struct sq_chars *chars);

/* What code_point becomes; returns how many characters stand in out, none of them GONE. Any scalar value. */
unsigned sq_chars_map(const struct sq_chars *chars, uint32_t code_point, struct sq_char out[SQ_CHARS_OUT_MAX]);

/* The whole normalised form of a valid text, as strip_accents and the others leave it; for added tokens and texts searched for
 * them. run is scratch for run_max characters: a longer run of combining characters stays in the order it came in. Writes at most
 * SQ_CHARS_GROWTH * text.bytes bytes to `out` and returns how many. */
enum { SQ_CHARS_GROWTH = 3 };
size_t sq_chars_normalise(const struct sq_chars *chars, struct sq_str text, struct sq_char *run, unsigned run_max, char *out);

/* Puts a combining character into its place of a run, stably. The run has room for it. */
void sq_chars_order(struct sq_char *run, unsigned run_count, struct sq_char added);

bool sq_chars_is_space(uint32_t code_point);
/* \w of a Unicode-aware regular expression: letters, marks, digits, connectors, joiners. */
bool sq_chars_is_wordlike(uint32_t code_point);

/* What StripAccents takes out. */
bool sq_chars_is_combining(uint32_t code_point);
/* The small letter, in the package's Unicode version; returns how many characters it takes. */
unsigned sq_chars_lower(uint32_t code_point, uint32_t lower[2]);

static inline bool sq_chars_is_ascii(struct sq_str text)
{
    unsigned char all = 0;
    for (size_t i = 0; i < text.bytes; i++) all |= (unsigned char)text.data[i];
    return all < 0x80;
}

/* The code point at *at of a text known to be valid; moves *at behind it. */
static inline uint32_t sq_chars_next(const unsigned char **at)
{
    const unsigned char *p = *at;
    if (p[0] < 0x80) {
        *at = p + 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *at = p + 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (p[0] < 0xf0) {
        *at = p + 3;
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    }
    *at = p + 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

#endif
