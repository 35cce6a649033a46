/* SPDX-License-Identifier: Apache-2.0 */
/* One pass does for the three: an unescaped character never belongs to a mention or to the `http://` of a link, a mention ends at
 * the colon of a link, and whatever a link holds disappears with it. */
#include "engine/tokenizer/tweet.h"

#include <utf8proc.h>

#include "engine/tokenizer/chars.h"

/* Letters and digits of any script, and the low line. */
static bool is_name(uint32_t code_point)
{
    if (code_point < 0x80) {
        uint32_t small = code_point | 0x20;
        return (small >= 'a' && small <= 'z') || (code_point >= '0' && code_point <= '9') || code_point == '_';
    }
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_ND:
        return true;
    default:
        return false;
    }
}

static bool begins(const char *at, const char *end, struct sq_str what)
{
    return (size_t)(end - at) >= what.bytes && memcmp(at, what.data, what.bytes) == 0;
}

/* Where the characters for which `belongs` holds (or, for links, does not) end. */
static const char *skip(const char *at, const char *end, bool (*belongs)(uint32_t), bool holds)
{
    while (at < end) {
        const unsigned char *next = (const unsigned char *)at;
        if (belongs(sq_chars_next(&next)) != holds) break;
        at = (const char *)next;
    }
    return at;
}

/* If something to be replaced begins at `at`, sets what stands for it and returns its end; else `at`. */
static const char *replaced(const char *at, const char *end, struct sq_str *by)
{
    static const struct {
        struct sq_str name, text;
    } entities[] = {
        {{"&amp;", 5}, {"&", 1}},   {{"&lt;", 4}, {"<", 1}},  {{"&gt;", 4}, {">", 1}},
        {{"&quot;", 6}, {"\"", 1}}, {{"&#39;", 5}, {"'", 1}},
    };
    if (*at == '&') {
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
            if (!begins(at, end, entities[i].name)) continue;
            *by = entities[i].text;
            return at + entities[i].name.bytes;
        }
    }
    if (*at == '@') {
        const char *name_end = skip(at + 1, end, is_name, true);
        *by = SQ_STR("@user");
        return name_end > at + 1 ? name_end : at;
    }
    if (*at == 'h' && (begins(at, end, SQ_STR("http://")) || begins(at, end, SQ_STR("https://")))) {
        *by = SQ_STR("http");
        return skip(at, end, sq_chars_is_space, false);
    }
    return at;
}

size_t sq_tweet_normalise(struct sq_str text, char *out)
{
    size_t bytes = 0;
    const char *end = text.data + text.bytes;
    for (const char *at = text.data; at < end;) {
        struct sq_str by;
        const char *next = *at == '&' || *at == '@' || *at == 'h' ? replaced(at, end, &by) : at;
        if (next == at) {
            out[bytes++] = *at++;
            continue;
        }
        memcpy(out + bytes, by.data, by.bytes);
        bytes += by.bytes;
        at = next;
    }
    return bytes;
}
