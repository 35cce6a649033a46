/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_scan.h"

#include "engine/base/time_text.h"
#include "engine/base/utf8.h"
#include "engine/texthash.h"

enum { LABELS_MAX = 8, DIGITS_MAX = 15 /* below 2^53, with any number of them after the point */ };

/* Powers of ten that a double holds exactly. */
static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

struct scan {
    const char *at, *end;
};

static bool literal(struct scan *scan, struct sq_str text)
{
    if ((size_t)(scan->end - scan->at) < text.bytes || memcmp(scan->at, text.data, text.bytes) != 0) return false;
    scan->at += text.bytes;
    return true;
}

/* A string without escapes. */
static bool string(struct scan *scan, struct sq_str *out)
{
    if (!literal(scan, SQ_STR("\""))) return false;
    const char *from = scan->at;
    unsigned char high = 0;
    for (; scan->at < scan->end && *scan->at != '"'; scan->at++) {
        unsigned char c = (unsigned char)*scan->at;
        if (c == '\\' || c < 0x20) return false;
        high |= c;
    }
    *out = (struct sq_str){from, (size_t)(scan->at - from)};
    return literal(scan, SQ_STR("\"")) && (high < 0x80 || sq_utf8_valid_bytes(*out) == out->bytes);
}

static unsigned digits(struct scan *scan, uint64_t *number)
{
    const char *from = scan->at;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - from <= DIGITS_MAX; scan->at++)
        *number = *number * 10 + (uint64_t)(*scan->at - '0');
    return (unsigned)(scan->at - from);
}

/* From 0 to 1, as 1 or 0.963104129. Whole numbers and powers of ten that a double holds make the division as exact as strtod. */
static bool ratio(struct scan *scan, float *out)
{
    uint64_t number = 0;
    unsigned decimals = 0;
    if (digits(scan, &number) != 1) return false;
    if (literal(scan, SQ_STR("."))) {
        decimals = digits(scan, &number);
        if (decimals == 0 || decimals >= DIGITS_MAX) return false;
    }
    double value = (double)number / tens[decimals];
    *out = (float)value;
    return value <= 1;
}

/* Milliseconds; from 1e11 up, for below it a number means seconds. */
static bool ts(struct scan *scan, int64_t *out)
{
    uint64_t number = 0;
    bool is_padded = scan->at < scan->end && *scan->at == '0'; /* which is no JSON */
    unsigned count = digits(scan, &number);
    *out = (int64_t)number;
    return !is_padded && count >= 12 && count <= DIGITS_MAX && number >= UINT64_C(100000000000) && number <= (uint64_t)SQ_TIME_MS_MAX;
}

static bool is_known(const struct sq_replay_line *into, struct sq_str label)
{
    for (unsigned i = 0; i < into->score.probabilities_count; i++)
        if (sq_str_equal(into->labels[i], label)) return true;
    return false;
}

static bool scores(struct scan *scan, struct sq_replay_line *into)
{
    struct sq_score *score = &into->score;
    score->probabilities_count = 0;
    while (!literal(scan, SQ_STR("}"))) {
        unsigned i = score->probabilities_count;
        struct sq_str label;
        if (i == LABELS_MAX || (i > 0 && !literal(scan, SQ_STR(",")))) return false;
        if (!string(scan, &label) || is_known(into, label)) return false;
        if (!literal(scan, SQ_STR(":")) || !ratio(scan, &score->probabilities[i])) return false;
        into->labels[i] = label;
        score->probabilities_count++;
    }
    return true;
}

static bool text_hash(struct scan *scan, uint64_t *out)
{
    if (scan->end - scan->at < 16) return false;
    uint64_t hash = 0;
    for (int i = 0; i < 16; i++) {
        char c = *scan->at++;
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
        if (digit == 16) return false;
        hash = hash << 4 | digit;
    }
    *out = hash;
    return literal(scan, SQ_STR("\""));
}

bool sq_replay_scan(struct sq_replay_line *into, struct sq_str line)
{
    struct scan scan = {line.data, line.data + line.bytes};
    struct sq_score *score = &into->score;
    struct sq_str author = {0};
    score->id = score->excerpt = (struct sq_str){0};
    score->text_hash = score->text_simhash = 0;
    if (!line.data || !literal(&scan, SQ_STR("{\"entity\":")) || !string(&scan, &score->entity)) return false;
    if (score->entity.bytes == 0 || score->entity.bytes > SQ_ENTITY_BYTES_MAX) return false;
    if (!literal(&scan, SQ_STR(",\"ts\":")) || !ts(&scan, &score->event_time_ms)) return false;
    if (!literal(&scan, SQ_STR(",\"label\":")) || !string(&scan, &score->label)) return false;
    if (!literal(&scan, SQ_STR(",\"score\":")) || !ratio(&scan, &score->score) || score->score <= 0) return false;
    if (!literal(&scan, SQ_STR(",\"scores\":{")) || !scores(&scan, into)) return false;
    if (literal(&scan, SQ_STR(",\"author\":")) && !string(&scan, &author)) return false;
    if (literal(&scan, SQ_STR(",\"text_hash\":\"")) && !text_hash(&scan, &score->text_hash)) return false;
    if (literal(&scan, SQ_STR(",\"text_simhash\":\"")) && !text_hash(&scan, &score->text_simhash)) return false;
    score->author_hash = sq_author_hash(author);
    return literal(&scan, SQ_STR("}")) && scan.at == scan.end;
}
