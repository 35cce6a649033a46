/* SPDX-License-Identifier: Apache-2.0 */
/* GPT-2's way of cutting a text into words, which RoBERTa kept: `ByteLevel` of Hugging Face's `tokenizers`.
 *
 * A word is a contraction ('s 't 're 've 'm 'll 'd), or a run of letters, of digits, or of neither, each with a space before it if
 * there is one; or white space, of which the last character is left to the word behind it. In the pattern's own words:
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ (Radford et al. 2019, encoder.py of gpt-2). */
#ifndef SQ_ENGINE_TOKENIZER_BYTE_LEVEL_H
#define SQ_ENGINE_TOKENIZER_BYTE_LEVEL_H

#include <stdint.h>

#include "engine/base/str.h"

enum { SQ_BYTE_LEVEL_TABLE = 0x3100 };

struct sq_byte_level {
    bool add_prefix_space;
    bool use_regex;                      /* else a text is one word */
    uint8_t classes[SQ_BYTE_LEVEL_TABLE]; /* of the code points in daily use */
};

/* The two flags are set by the caller before. */
void sq_byte_level_init(struct sq_byte_level *byte_level);

/* Takes the first word off a valid text that isn't empty. */
struct sq_str sq_byte_level_next(const struct sq_byte_level *byte_level, struct sq_str *text);

/* In vocab.json a byte is written as a character that can be printed. The bytes of such an entry, at most text.bytes, are
 * written to out; returns how many, or -1 if the entry has a character that stands for none. */
long sq_byte_level_decode(struct sq_str text, char *out);

/* The code point that stands for a byte. */
uint32_t sq_byte_level_character(unsigned char byte);

#endif
