/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/metaspace.h"

#include "engine/tokenizer/chars.h"

enum { MARK = 0x2581, MARK_BYTES = 3 };
static const char mark[] = "\xe2\x96\x81";

static void put(struct sq_metaspace_walk *walk, size_t *bytes, const char *data, size_t count)
{
    if (count > walk->word_bytes_max - *bytes) {
        walk->is_full = true;
        return;
    }
    memcpy(walk->word + *bytes, data, count);
    *bytes += count;
}

static void skip_white(struct sq_metaspace_walk *walk)
{
    const unsigned char *at = (const unsigned char *)walk->rest.data, *end = at + walk->rest.bytes;
    while (at < end) {
        const unsigned char *next = at;
        if (!sq_chars_is_space(sq_chars_next(&next))) break;
        at = next;
        walk->inside = false;
        walk->is_first = false;
    }
    walk->rest = (struct sq_str){(const char *)at, (size_t)(end - at)};
}

bool sq_metaspace_next(const struct sq_metaspace *metaspace, struct sq_metaspace_walk *walk, struct sq_str *word)
{
    if (metaspace->split_white) skip_white(walk);
    const unsigned char *at = (const unsigned char *)walk->rest.data, *end = at + walk->rest.bytes;
    if (at == end || walk->is_full) return false;

    size_t bytes = 0;
    bool prepends = metaspace->prepend == SQ_PREPEND_ALWAYS || (metaspace->prepend == SQ_PREPEND_FIRST && walk->is_first);
    bool has_mark = *at == ' ' || (walk->rest.bytes >= MARK_BYTES && memcmp(at, mark, MARK_BYTES) == 0);
    if (prepends && !walk->inside && !has_mark) put(walk, &bytes, mark, MARK_BYTES);
    for (const unsigned char *next = at; at < end; at = next) {
        uint32_t code_point = sq_chars_next(&next);
        bool is_mark = code_point == ' ' || code_point == MARK;
        if (metaspace->split_white && sq_chars_is_space(code_point)) break;
        if (is_mark && metaspace->split && bytes > 0) break;
        if (is_mark) put(walk, &bytes, mark, MARK_BYTES);
        else put(walk, &bytes, (const char *)at, (size_t)(next - at));
    }
    walk->inside = true;
    walk->rest = (struct sq_str){(const char *)at, (size_t)(end - at)};
    *word = (struct sq_str){walk->word, bytes};
    return !walk->is_full;
}
