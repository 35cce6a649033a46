/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_compact.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/time_text.h"
#include "engine/base/utf8.h"

enum { HEAD_SET, HEAD_ENTITY, HEAD_LABEL, HEAD_SCORES };
enum { FLAG_AUTHOR = 1, FLAG_TEXT = 2, FLAG_PROBABILITIES = 4, FLAG_SIMHASH = 8 };
enum { MAGIC_BYTES = 7, VERSION = 1, LABEL_BYTES_MAX = 256, NAMES_MAX = 1 << 24, FRAME_BYTES_MAX = 1024, PEEK_BYTES = 32 * 1024 };
static const char magic[] = "SQSCORE";

/* ---- Names and their numbers ---- */

struct name {
    UT_hash_handle hh;
    uint32_t number;
    struct sq_str text; /* its bytes follow */
};

struct sq_compact_names {
    struct name *table;  /* uthash, by text */
    struct name **items; /* by number; owned */
    uint32_t count, capacity;
};

static struct name *find_name(struct sq_compact_names *names, struct sq_str text)
{
    struct name *name;
    HASH_FIND(hh, names->table, text.data, text.bytes, name);
    return name;
}

static bool grow(struct sq_compact_names *names)
{
    if (names->count < names->capacity) return true;
    uint32_t capacity = names->capacity ? 2 * names->capacity : 64;
    struct name **items = capacity <= NAMES_MAX ? realloc(names->items, capacity * sizeof *items) : NULL;
    if (!items) return false;
    names->items = items;
    names->capacity = capacity;
    return true;
}

/* NULL without memory. */
static struct name *add_name(struct sq_compact_names *names, struct sq_str text)
{
    struct name *name = grow(names) ? calloc(1, sizeof *name + text.bytes) : NULL;
    if (!name) return NULL;
    if (text.bytes) memcpy(name + 1, text.data, text.bytes);
    name->text = (struct sq_str){(const char *)(name + 1), text.bytes};
    name->number = names->count;
    HASH_ADD_KEYPTR(hh, names->table, name->text.data, name->text.bytes, name);
    if (!SQ_HASH_ADDED(name)) {
        free(name);
        return NULL;
    }
    names->items[names->count++] = name;
    return name;
}

static void close_names(struct sq_compact_names *names)
{
    if (!names) return;
    HASH_CLEAR(hh, names->table);
    for (uint32_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    free(names);
}

int sq_compact_open(struct sq_compact *compact, struct sq_err *err)
{
    *compact = (struct sq_compact){.entities = calloc(1, sizeof *compact->entities), .labels = calloc(1, sizeof *compact->labels)};
    if (compact->entities && compact->labels) return 0;
    sq_compact_close(compact);
    return sq_err_set(err, SQ_E_NOMEM, "no memory for the names in a file of scores");
}

void sq_compact_close(struct sq_compact *compact)
{
    close_names(compact->entities);
    close_names(compact->labels);
    *compact = (struct sq_compact){0};
}

/* ---- Writing ---- */

static void put_varint(struct sq_buf *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) sq_buf_append_char(out, (char)(number | 0x80));
    sq_buf_append_char(out, (char)number);
}

static void put_fixed(struct sq_buf *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) sq_buf_append_char(out, (char)(number >> 8 * i));
}

static void put_float(struct sq_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_fixed(out, bits, 4);
}

/* The number of a name, which is written where it is new; -1 without memory. */
static int64_t number_of(struct sq_compact_names *names, struct sq_buf *out, unsigned head, struct sq_str text)
{
    if (text.bytes == 0) text = SQ_STR("");
    struct name *name = find_name(names, text);
    if (name) return name->number;
    name = add_name(names, text);
    if (!name) return -1;
    put_varint(out, head);
    put_varint(out, text.bytes);
    sq_buf_append_str(out, text);
    return name->number;
}

static bool is_set(const struct sq_compact *compact, const struct sq_str *labels, unsigned count)
{
    if (count != compact->set_count) return false;
    for (unsigned i = 0; i < count; i++)
        if (!sq_str_equal(labels[i], compact->labels->items[compact->set[i]]->text)) return false;
    return true;
}

static bool put_set(struct sq_compact *compact, struct sq_buf *out, const struct sq_str *labels, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t number = number_of(compact->labels, out, HEAD_LABEL, labels[i]);
        if (number < 0) return false;
        compact->set[i] = (unsigned)number;
    }
    compact->set_count = count;
    put_varint(out, HEAD_SET);
    put_varint(out, count);
    for (unsigned i = 0; i < count; i++) put_varint(out, compact->set[i]);
    return true;
}

void sq_compact_write_head(struct sq_buf *out)
{
    sq_buf_append(out, magic, MAGIC_BYTES);
    sq_buf_append_char(out, VERSION);
}

int sq_compact_write(struct sq_compact *compact, struct sq_buf *out, const struct sq_score *score, const struct sq_str *labels, struct sq_err *err)
{
    unsigned count = score->probabilities_count;
    for (unsigned i = 0; i <= count; i++)
        if ((i < count ? labels[i] : score->label).bytes > LABEL_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "label: over %d bytes", LABEL_BYTES_MAX);
    bool done = count == 0 || is_set(compact, labels, count) || put_set(compact, out, labels, count);
    int64_t label = done ? number_of(compact->labels, out, HEAD_LABEL, score->label) : -1;
    int64_t entity = label >= 0 ? number_of(compact->entities, out, HEAD_ENTITY, score->entity) : -1;
    if (entity < 0) return sq_err_set(err, SQ_E_NOMEM, "no memory for the names in a file of scores");

    int64_t step = score->event_time_ms - compact->ts_ms;
    compact->ts_ms = score->event_time_ms;
    put_varint(out, HEAD_SCORES + (uint64_t)entity);
    put_varint(out, (uint64_t)step << 1 ^ (step < 0 ? UINT64_MAX : 0));
    sq_buf_append_char(out, (char)((score->author_hash ? FLAG_AUTHOR : 0) | (score->text_hash ? FLAG_TEXT : 0) | (count ? FLAG_PROBABILITIES : 0) |
                                   (score->text_simhash ? FLAG_SIMHASH : 0)));
    put_varint(out, (uint64_t)label);
    put_float(out, score->score);
    for (unsigned i = 0; i < count; i++) put_float(out, score->probabilities[i]);
    if (score->author_hash) put_fixed(out, score->author_hash, 8);
    if (score->text_hash) put_fixed(out, score->text_hash, 8);
    if (score->text_simhash) put_fixed(out, score->text_simhash, 8);
    return sq_buf_failed(out) ? sq_err_set(err, SQ_E_NOMEM, "no memory for a score") : 0;
}

/* ---- Reading ---- */

/* What is left of what was peeked; `failed` sticks, and whatever is taken after it is 0. */
struct cursor {
    const unsigned char *at, *end;
    bool failed;
};

static uint64_t take_varint(struct cursor *cursor)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (cursor->at == cursor->end) break;
        unsigned char byte = *cursor->at++;
        if (shift == 63 && byte > 1) break;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return number;
    }
    cursor->failed = true;
    return 0;
}

static uint64_t take_fixed(struct cursor *cursor, unsigned bytes)
{
    if (cursor->failed || (size_t)(cursor->end - cursor->at) < bytes) {
        cursor->failed = true;
        return 0;
    }
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++) number |= (uint64_t)*cursor->at++ << 8 * i;
    return number;
}

static float take_ratio(struct cursor *cursor)
{
    uint32_t bits = (uint32_t)take_fixed(cursor, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    if (!(value >= 0 && value <= 1)) cursor->failed = true;
    return value;
}

static int take_name(struct cursor *cursor, struct sq_compact_names *names, size_t bytes_min, size_t bytes_max, struct sq_err *err)
{
    uint64_t bytes = take_varint(cursor);
    if (bytes < bytes_min || bytes > bytes_max || bytes > (size_t)(cursor->end - cursor->at)) cursor->failed = true;
    if (cursor->failed) return 0;
    struct sq_str text = {(const char *)cursor->at, (size_t)bytes};
    cursor->at += bytes;
    if (sq_utf8_valid_bytes(text) != text.bytes || find_name(names, text)) {
        cursor->failed = true;
        return 0;
    }
    return add_name(names, text) ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the names in a file of scores");
}

static void take_set(struct cursor *cursor, struct sq_compact *compact)
{
    uint64_t count = take_varint(cursor);
    if (count > SQ_SCORE_LABELS_MAX) cursor->failed = true;
    compact->set_count = cursor->failed ? 0 : (unsigned)count;
    for (unsigned i = 0; i < compact->set_count; i++) {
        uint64_t number = take_varint(cursor);
        if (number >= compact->labels->count) cursor->failed = true;
        compact->set[i] = (unsigned)number;
    }
    if (cursor->failed) compact->set_count = 0;
}

static void take_score(struct cursor *cursor, struct sq_compact *compact, uint64_t entity, struct sq_score *score)
{
    uint64_t zigzag = take_varint(cursor);
    uint64_t ts_ms = (uint64_t)compact->ts_ms + (zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0));
    unsigned flags = (unsigned)take_fixed(cursor, 1);
    uint64_t label = take_varint(cursor);
    if (entity >= compact->entities->count || label >= compact->labels->count || ts_ms > (uint64_t)SQ_TIME_MS_MAX || flags > 15) cursor->failed = true;
    if (cursor->failed) return;
    score->entity = compact->entities->items[entity]->text;
    score->label = compact->labels->items[label]->text;
    score->event_time_ms = compact->ts_ms = (int64_t)ts_ms;
    score->score = take_ratio(cursor);
    score->probabilities_count = flags & FLAG_PROBABILITIES ? compact->set_count : 0;
    for (unsigned i = 0; i < score->probabilities_count; i++) score->probabilities[i] = take_ratio(cursor);
    score->author_hash = flags & FLAG_AUTHOR ? take_fixed(cursor, 8) : 0;
    score->text_hash = flags & FLAG_TEXT ? take_fixed(cursor, 8) : 0;
    score->text_simhash = flags & FLAG_SIMHASH ? take_fixed(cursor, 8) : 0;
}

/* One frame: 1 when it was a score. */
static int take_frame(struct cursor *cursor, struct sq_compact *compact, struct sq_score *score, struct sq_err *err)
{
    uint64_t head = take_varint(cursor);
    if (head == HEAD_ENTITY) return take_name(cursor, compact->entities, 1, SQ_ENTITY_BYTES_MAX, err);
    if (head == HEAD_LABEL) return take_name(cursor, compact->labels, 0, LABEL_BYTES_MAX, err);
    if (head == HEAD_SET) take_set(cursor, compact);
    else take_score(cursor, compact, head - HEAD_SCORES, score);
    return head >= HEAD_SCORES;
}

int sq_compact_detect(struct sq_compact *compact, struct sq_lines *lines, struct sq_err *err)
{
    struct sq_str view;
    int status = sq_lines_peek(lines, MAGIC_BYTES + 1, &view, err);
    if (status) return status;
    if (view.bytes <= MAGIC_BYTES || memcmp(view.data, magic, MAGIC_BYTES) != 0) return 0;
    if (view.data[MAGIC_BYTES] != VERSION)
        return sq_err_set(err, SQ_E_IO, "%s: version %d of the compact form; this squall reads %d", lines->name, (unsigned char)view.data[MAGIC_BYTES], VERSION);
    sq_lines_skip(lines, MAGIC_BYTES + 1);
    compact->at_bytes = MAGIC_BYTES + 1;
    return 1;
}

int sq_compact_read(struct sq_compact *compact, struct sq_lines *lines, struct sq_score *score, struct sq_str *labels, struct sq_err *err)
{
    for (;;) {
        struct sq_str view;
        size_t waiting = lines->buf.bytes - lines->given_bytes;
        int status = sq_lines_peek(lines, waiting < FRAME_BYTES_MAX ? PEEK_BYTES : 0, &view, err);
        if (status || view.bytes == 0) return status;
        struct cursor cursor = {(const unsigned char *)view.data, (const unsigned char *)view.data + view.bytes, false};
        int kind = take_frame(&cursor, compact, score, err);
        if (kind < 0) return kind;
        if (cursor.failed) return sq_err_set(err, SQ_E_IO, "%s: at byte %" PRIu64 " the file is damaged or cut", lines->name, compact->at_bytes);
        size_t taken = view.bytes - (size_t)(cursor.end - cursor.at);
        sq_lines_skip(lines, taken);
        compact->at_bytes += taken;
        if (kind == 0) continue;
        score->id = score->excerpt = (struct sq_str){0};
        for (unsigned i = 0; i < score->probabilities_count; i++) labels[i] = compact->labels->items[compact->set[i]]->text;
        return 1;
    }
}
