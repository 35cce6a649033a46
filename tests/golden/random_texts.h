/* SPDX-License-Identifier: Apache-2.0 */
/* 20,000 strings that no one would write, the same in every run: ops/lib/parity/texts.py makes them too, from the same tables. A text is
 * up to 47 items: of 16 kinds 2 are a space, 1 a literal, 3 a word of up to 12 letters, 3 a run of up to 6 characters of one pool, and
 * 7 a single character of any pool. Surrogates become U+FFFD. */
#ifndef SQ_GOLDEN_RANDOM_TEXTS_H
#define SQ_GOLDEN_RANDOM_TEXTS_H

#include "engine/base/buf.h"
#include "engine/base/utf8.h"
#include "tests/lib/random.h"

enum { RANDOM_TEXTS = 20000, RANDOM_SEED = 20261123, RANDOM_ITEMS = 48 };

static const uint32_t random_pools[][2] = {
    {0x00, 0x7f},     {0x20, 0x7e},       {0x80, 0x24f},      {0x300, 0x36f},     {0x370, 0x6ff},     {0x8d0, 0xdff},  {0xe00, 0xfff},
    {0x1000, 0x1fff}, {0x2000, 0x206f},   {0x20a0, 0x2bff},   {0x302a, 0x302f},   {0x3000, 0x30ff},   {0x4e00, 0x9fff}, {0xac00, 0xd7a3},
    {0xf900, 0xffff}, {0x10000, 0x1ffff}, {0x1d100, 0x1d1ff}, {0x1e000, 0x1e02a}, {0x1f300, 0x1faff}, {0x20000, 0x10ffff},
};
static const char *const random_literals[] = {"[SEP]", "[CLS]", "[MASK]", "[UNK]", "[PAD]", "[sep]", "##ing", "[["};
static const char random_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'";

static void random_character(struct test_random *random, struct sq_buf *out, uint32_t pool)
{
    uint32_t first = random_pools[pool][0], last = random_pools[pool][1];
    uint32_t code_point = first + test_random_below(random, last - first + 1);
    char bytes[4];
    if (code_point >= 0xd800 && code_point <= 0xdfff) code_point = 0xfffd;
    sq_buf_append(out, bytes, sq_utf8_encode(code_point, bytes));
}

static void random_item(struct test_random *random, struct sq_buf *out)
{
    uint32_t kind = test_random_below(random, 16);
    if (kind < 2) {
        sq_buf_append_char(out, ' ');
    } else if (kind < 3) {
        sq_buf_append_text(out, random_literals[test_random_below(random, sizeof random_literals / sizeof *random_literals)]);
    } else if (kind < 6) {
        for (uint32_t left = 1 + test_random_below(random, 12); left > 0; left--)
            sq_buf_append_char(out, random_letters[test_random_below(random, sizeof random_letters - 1)]);
    } else {
        uint32_t pool = test_random_below(random, sizeof random_pools / sizeof *random_pools);
        for (uint32_t left = kind < 9 ? 1 + test_random_below(random, 6) : 1; left > 0; left--) random_character(random, out, pool);
    }
}

static inline void random_text(struct test_random *random, struct sq_buf *out)
{
    sq_buf_clear(out);
    for (uint32_t left = test_random_below(random, RANDOM_ITEMS); left > 0; left--) random_item(random, out);
}

#endif
