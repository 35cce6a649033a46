/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#ifndef SQ_BASE_UTF8_H
#define SQ_BASE_UTF8_H

#include <stdint.h>

#include "engine/base/str.h"

/* Decodes the code point at text[0..bytes) into *code_point. Returns its length in bytes, or 0 if it is ill-formed or cut. */
size_t sq_utf8_decode(const char *text, size_t bytes, uint32_t *code_point);

/* Bytes of the longest well-formed prefix; equal to str.bytes when all of it is valid. */
size_t sq_utf8_valid_bytes(struct sq_str str);

/* Writes 1 to 4 bytes; returns how many. The code point must be a Unicode scalar value. */
size_t sq_utf8_encode(uint32_t code_point, char out[4]);

/* White space as Unicode has it (property White_Space). */
bool sq_utf8_is_white(uint32_t code_point);

/* What leaves no mark: control characters, zero-width ones and those that turn the direction of text. */
bool sq_utf8_is_invisible(uint32_t code_point);

/* The longest prefix of at most code_points_max code points; str must be valid. */
struct sq_str sq_utf8_prefix(struct sq_str str, size_t code_points_max);

#endif
