/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters are those of Unicode's UAX 29 but for conjuncts of Indic consonants: these have more than five bytes, so they only
 * matter to a map that changes a single such consonant, and none does. */
#include "engine/tokenizer/charsmap.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/normaliser.h"
#include "engine/tokenizer/ranges.h"

#include "engine/tokenizer/charsmap_table.h"

enum { CLUSTER_BYTES = 6 }; /* from here on characters are looked up one by one */

/* ---- the trie ---- */

static uint32_t unit_at(const struct sq_charsmap *charsmap, uint32_t at)
{
    const unsigned char *p = charsmap->units + 4 * (size_t)at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }
static bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
static uint32_t label_of(uint32_t unit) { return unit & (1u << 31 | 0xff); }
static uint32_t value_of(uint32_t unit) { return unit & ~(1u << 31); }

/* The text of the shortest beginning of chunk that has one. */
static bool find(const struct sq_charsmap *charsmap, struct sq_str chunk, struct sq_str *text)
{
    uint32_t node = offset_of(unit_at(charsmap, 0));
    for (size_t i = 0; i < chunk.bytes && chunk.data[i]; i++) {
        unsigned char byte = (unsigned char)chunk.data[i];
        node ^= byte;
        if (node >= charsmap->units_count) return false;
        uint32_t unit = unit_at(charsmap, node);
        if (label_of(unit) != byte) return false;
        node ^= offset_of(unit);
        if (node >= charsmap->units_count) return false;
        if (!has_leaf(unit)) continue;
        uint32_t at = value_of(unit_at(charsmap, node));
        if (at > charsmap->texts.bytes) return false;
        const char *begin = charsmap->texts.data + at;
        const char *end = memchr(begin, 0, charsmap->texts.bytes - at);
        *text = (struct sq_str){begin, end ? (size_t)(end - begin) : charsmap->texts.bytes - at};
        return sq_utf8_valid_bytes(*text) == text->bytes; /* an offset may lie within a character */
    }
    return false;
}

/* ---- clusters ---- */

enum { CONTROL = 1, JOINS = 2, PREPENDS = 4, PICTURE = 8, LEAD = 16, VOWEL = 32, TAIL = 64 };

static uint8_t compute(uint32_t c)
{
    if (c >= 0xac00 && c <= 0xd7a3) return (c - 0xac00) % 28 == 0 ? VOWEL | LEAD : TAIL | LEAD;
    if ((c >= 0x1100 && c <= 0x115f) || (c >= 0xa960 && c <= 0xa97c)) return LEAD;
    if ((c >= 0x1160 && c <= 0x11a7) || (c >= 0xd7b0 && c <= 0xd7c6)) return VOWEL;
    if ((c >= 0x11a8 && c <= 0x11ff) || (c >= 0xd7cb && c <= 0xd7fb)) return TAIL;
    if (c >= 0x4e00 && c <= 0x9fff) return 0;
    if (IN(joining, c)) return JOINS;
    if (IN(controls, c)) return CONTROL;
    if (IN(prepending, c)) return PREPENDS;
    return IN(pictures, c) ? PICTURE : 0;
}

static uint8_t class_of(const struct sq_charsmap *charsmap, uint32_t code_point)
{
    return code_point < SQ_CHARSMAP_TABLE ? charsmap->classes[code_point] : compute(code_point);
}

/* Hangul: a syllable block of the alphabet counts as lead and vowel, or lead and tail. */
static bool is_syllable(uint8_t before, uint8_t after)
{
    if (before == LEAD) return after & (LEAD | VOWEL);
    if (before & VOWEL) return after == VOWEL || after == TAIL;
    return before & TAIL && after == TAIL;
}

/* Where the cluster that begins at `at` ends. */
static const unsigned char *cluster_end(const struct sq_charsmap *charsmap, const unsigned char *at, const unsigned char *end)
{
    uint32_t before = sq_chars_next(&at);
    if (before == '\r' && at < end && *at == '\n') return at + 1;
    uint8_t class = class_of(charsmap, before);
    bool has_picture = class == PICTURE;
    while (at < end && class != CONTROL) {
        const unsigned char *next = at;
        uint32_t after = sq_chars_next(&next);
        uint8_t class_after = class_of(charsmap, after);
        bool joined_pictures = has_picture && before == 0x200d && class_after == PICTURE;
        bool goes_on = class_after == JOINS || (class == PREPENDS && class_after != CONTROL) || is_syllable(class, class_after)
                       || joined_pictures;
        if (!goes_on) break;
        has_picture = class_after == PICTURE || (has_picture && class_after == JOINS);
        before = after;
        class = class_after;
        at = next;
    }
    return at;
}

/* ---- a text ---- */

static bool stays(const struct sq_charsmap *charsmap, unsigned char byte) { return byte < 0x80 && charsmap->stays[byte]; }

/* Copies ASCII that stays; the last of it may have a mark behind it and is left. */
static const unsigned char *copy_plain(const struct sq_charsmap *charsmap, const unsigned char *at, const unsigned char *end,
                                       struct sq_normal_out *out)
{
    const unsigned char *begin = at;
    while (at < end && stays(charsmap, *at)) at++;
    if (at < end && *at >= 0x80 && at > begin) at--;
    sq_normal_put(out, (struct sq_str){(const char *)begin, (size_t)(at - begin)});
    return at;
}

static void put_mapped(const struct sq_charsmap *charsmap, struct sq_str character, struct sq_normal_out *out)
{
    struct sq_str text;
    sq_normal_put(out, find(charsmap, character, &text) ? text : character);
}

static void put_cluster(const struct sq_charsmap *charsmap, struct sq_str cluster, struct sq_normal_out *out)
{
    struct sq_str text;
    if (cluster.bytes < CLUSTER_BYTES && find(charsmap, cluster, &text)) {
        sq_normal_put(out, text);
        return;
    }
    const unsigned char *at = (const unsigned char *)cluster.data, *end = at + cluster.bytes;
    while (at < end) {
        const char *begin = (const char *)at;
        sq_chars_next(&at);
        put_mapped(charsmap, (struct sq_str){begin, (size_t)((const char *)at - begin)}, out);
    }
}

void sq_charsmap_run(const struct sq_charsmap *charsmap, struct sq_str text, struct sq_normal_out *out)
{
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.bytes;
    while (at < end && !out->is_full) {
        at = copy_plain(charsmap, at, end, out);
        if (at == end) break;
        const char *begin = (const char *)at;
        at = cluster_end(charsmap, at, end);
        put_cluster(charsmap, (struct sq_str){begin, (size_t)((const char *)at - begin)}, out);
    }
}

int sq_charsmap_init(struct sq_charsmap *charsmap, struct sq_str map, struct sq_err *err)
{
    const unsigned char *p = (const unsigned char *)map.data;
    size_t trie_bytes = map.bytes < 4 ? 0 : (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (trie_bytes < 4 || trie_bytes % 4 || trie_bytes > map.bytes - 4) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "precompiled_charsmap: %zu bytes that are no character map", map.bytes);
    }
    charsmap->units = p + 4;
    charsmap->units_count = (uint32_t)(trie_bytes / 4);
    charsmap->texts = (struct sq_str){map.data + 4 + trie_bytes, map.bytes - 4 - trie_bytes};
    if (sq_utf8_valid_bytes(charsmap->texts) != charsmap->texts.bytes) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "precompiled_charsmap: its texts are not valid UTF-8");
    }
    for (uint32_t c = 0; c < SQ_CHARSMAP_TABLE; c++) charsmap->classes[c] = compute(c);
    for (unsigned c = 0; c < 128; c++) {
        char byte = (char)c;
        struct sq_str unused;
        charsmap->stays[c] = c != '\r' && !find(charsmap, (struct sq_str){&byte, 1}, &unused);
    }
    return 0;
}
