/* SPDX-License-Identifier: Apache-2.0 */
/* The text is read in chunks, since a copy is recognised by its beginning and a text may have a megabyte. A chunk is brought into
 * NFKC and handed on character by character; `take` keeps letters and marks, folds white space, and drops everything else. Two
 * things are seen only when they are complete: a link, whose `http` has been kept by the time its `://` comes, and the leading
 * `rt`. Both are taken back, so a little more than CODE_POINTS_MAX is collected.
 *
 * Scripts that write no spaces would never reach four words: there, two characters count as one. */
#include "engine/texthash.h"

#include <utf8proc.h>
#include <xxhash.h>

#include "engine/base/utf8.h"

enum {
    CODE_POINTS_MAX = 200,
    COLLECTED_MAX = 256,
    WORDS_MIN = 4,
    CHUNK_BYTES = 768,          /* a chunk ends at the first ASCII byte behind half of it, or here */
    SHINGLE_WORDS = 3,
    EXPANSION_MAX = 18,         /* code points that NFKC makes of one, at most */
};

struct collector {
    uint32_t kept[COLLECTED_MAX];
    unsigned kept_count;
    unsigned scheme;   /* how much of "://" has come since the last letter */
    bool in_mention, in_link;
    bool space;        /* white space since the last letter */
};

static bool is_space(uint32_t c)
{
    if (c >= 0x09 && c <= 0x0d) return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return c == 0x85 || (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP);
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80) return c >= 'a' && c <= 'z'; /* lower-cased before */
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME;
}

static bool is_digit(uint32_t c)
{
    if (c < 0x80) return c >= '0' && c <= '9';
    return utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_ND;
}

/* Takes back `http` or `https` at the end, if it is there. */
static void drop_scheme(struct collector *collector)
{
    unsigned end = collector->kept_count;
    if (end > 0 && collector->kept[end - 1] == 's') end--;
    if (end < 4) return;
    const uint32_t *tail = &collector->kept[end - 4];
    if (tail[0] != 'h' || tail[1] != 't' || tail[2] != 't' || tail[3] != 'p') return;
    collector->kept_count = end - 4;
    collector->in_link = true;
    if (collector->kept_count > 0 && collector->kept[collector->kept_count - 1] == ' ') {
        collector->kept_count--;
        collector->space = true;
    }
}

static void keep(struct collector *collector, uint32_t c)
{
    if (collector->space && collector->kept_count > 0) collector->kept[collector->kept_count++] = ' ';
    collector->space = false;
    if (collector->kept_count < COLLECTED_MAX) collector->kept[collector->kept_count++] = c;
}

static void take(struct collector *collector, uint32_t c)
{
    if (is_space(c)) {
        collector->space = true;
        collector->in_link = collector->in_mention = false;
        collector->scheme = 0;
        return;
    }
    if (collector->in_link) return;
    if (collector->in_mention && (is_letter(c) || is_digit(c) || c == '_')) return;
    collector->in_mention = c == '@';
    if (is_letter(c)) {
        collector->scheme = 0;
        keep(collector, c);
        return;
    }
    static const char separator[] = "://";
    collector->scheme = c == (uint32_t)separator[collector->scheme] ? collector->scheme + 1 : 0;
    if (collector->scheme == sizeof separator - 1) {
        collector->scheme = 0;
        drop_scheme(collector);
    }
}

/* Bytes of the next chunk: it ends before an ASCII byte, which composes with nothing in front of it, or else between two code
 * points. */
static size_t chunk_bytes(struct sq_str text)
{
    if (text.bytes <= CHUNK_BYTES) return text.bytes;
    for (size_t at = CHUNK_BYTES / 2; at < CHUNK_BYTES; at++)
        if ((unsigned char)text.data[at] < 0x80) return at;
    size_t at = CHUNK_BYTES;
    while (((unsigned char)text.data[at] & 0xc0) == 0x80) at--;
    return at;
}

/* False when there is enough, or the chunk can't be normalised. */
static bool take_chunk(struct collector *collector, struct sq_str chunk)
{
    utf8proc_int32_t code_points[CHUNK_BYTES * EXPANSION_MAX / 3 + CHUNK_BYTES];
    const utf8proc_ssize_t room = sizeof code_points / sizeof *code_points;
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)chunk.data, (utf8proc_ssize_t)chunk.bytes, code_points, room, options);
    if (count < 0 || count > room) return false;
    count = utf8proc_normalize_utf32(code_points, count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < count && collector->kept_count < COLLECTED_MAX - 1; i++)
        take(collector, (uint32_t)utf8proc_tolower(code_points[i]));
    return collector->kept_count < COLLECTED_MAX - 1;
}

static bool is_spaceless(uint32_t c)
{
    static const uint32_t ranges[][2] = {{0x0e00, 0x0eff}, {0x1780, 0x17ff}, {0x3040, 0x30ff}, {0x3400, 0x9fff}, {0x20000, 0x3ffff}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    return false;
}

static unsigned count_words(const uint32_t *kept, unsigned kept_count)
{
    unsigned spaceless = 0, words = 0;
    bool counted = false; /* the word we are in has been */
    for (unsigned i = 0; i < kept_count; i++) {
        if (kept[i] == ' ') counted = false;
        else if (is_spaceless(kept[i])) spaceless++;
        else if (!counted) words++, counted = true;
    }
    return words + spaceless / 2;
}

/* The text made comparable, as code points in the collector; how many. 0 for texts that are too short to compare. */
static unsigned make_comparable(struct sq_str text, struct collector *collector, const uint32_t **out)
{
    *collector = (struct collector){.kept_count = 0};
    if (sq_utf8_valid_bytes(text) != text.bytes) return 0;
    for (bool more = true; more && text.bytes > 0;) {
        size_t bytes = chunk_bytes(text);
        more = take_chunk(collector, (struct sq_str){text.data, bytes});
        text = (struct sq_str){text.data + bytes, text.bytes - bytes};
    }
    const uint32_t *kept = collector->kept;
    unsigned count = collector->kept_count;
    for (; count >= 3 && kept[0] == 'r' && kept[1] == 't' && kept[2] == ' '; kept += 3) count -= 3; /* retweets of retweets too */
    if (count > CODE_POINTS_MAX) count = CODE_POINTS_MAX;
    *out = kept;
    return count_words(kept, count) < WORDS_MIN ? 0 : count;
}

uint64_t sq_text_hash(struct sq_str text)
{
    struct collector collector;
    const uint32_t *kept;
    unsigned count = make_comparable(text, &collector, &kept);
    if (count == 0) return 0;
    char normal[CODE_POINTS_MAX * 4];
    size_t bytes = 0;
    for (unsigned i = 0; i < count; i++) bytes += sq_utf8_encode(kept[i], normal + bytes);
    return XXH64(normal, bytes, 0);
}

/* Where the next word begins, at or behind `at`; count: nowhere. A character of a script without spaces is a word. */
static unsigned next_word(const uint32_t *kept, unsigned count, unsigned at)
{
    while (at < count && kept[at] == ' ') at++;
    return at;
}

static unsigned word_end(const uint32_t *kept, unsigned count, unsigned at)
{
    if (at < count && is_spaceless(kept[at])) return at + 1;
    while (at < count && kept[at] != ' ' && !is_spaceless(kept[at])) at++;
    return at;
}

uint64_t sq_text_simhash(struct sq_str text)
{
    struct collector collector;
    const uint32_t *kept;
    unsigned count = make_comparable(text, &collector, &kept), shingles = 0;
    int votes[64] = {0};
    uint64_t words[SHINGLE_WORDS] = {0};
    unsigned seen = 0;
    for (unsigned at = next_word(kept, count, 0); count > 0 && at < count; seen++) {
        unsigned end = word_end(kept, count, at);
        words[seen % SHINGLE_WORDS] = XXH64(&kept[at], (end - at) * sizeof *kept, 0);
        at = next_word(kept, count, end);
        if (seen + 1 < SHINGLE_WORDS) continue;
        const uint64_t in_order[SHINGLE_WORDS] = {words[(seen + 1) % SHINGLE_WORDS], words[(seen + 2) % SHINGLE_WORDS], words[seen % SHINGLE_WORDS]};
        uint64_t shingle = XXH64(in_order, sizeof in_order, 0);
        for (unsigned bit = 0; bit < 64; bit++) votes[bit] += shingle >> bit & 1 ? 1 : -1;
        shingles++;
    }
    uint64_t hash = 0;
    for (unsigned bit = 0; bit < 64; bit++) hash |= (uint64_t)(votes[bit] > 0) << bit;
    return shingles > 0 ? hash : 0;
}

uint64_t sq_author_hash(struct sq_str author) { return author.bytes ? XXH64(author.data, author.bytes, 0) : 0; }
