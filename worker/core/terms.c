/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/terms.h"

#include <math.h>
#include <stdlib.h>

enum { WORD_BYTES_MIN = 3, WORD_BYTES_MAX = 32, WORDS_A_TEXT_MAX = 64, WORDS_MAX = 1024 };
static const double prior_texts = 10, deviations_min = 2;

struct word {
    struct sq_str view;
    uint32_t hash;
    uint32_t texts;
};

/* ---- Words: runs of letters in any script; "[url]" and its like are ours, not the text's ---- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }
static bool is_letter(char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || (unsigned char)c >= 0x80; }

/* FNV-1a. */
static uint32_t hash_of(struct sq_str word)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < word.bytes; i++) hash = (hash ^ (unsigned char)lower(word.data[i])) * 16777619u;
    return hash ? hash : 1;
}

static bool next_word(struct sq_str *text, struct sq_str *word)
{
    size_t at = 0, end;
    for (;;) {
        while (at < text->bytes && !is_letter(text->data[at])) at++;
        if (at == text->bytes) return false;
        for (end = at; end < text->bytes && (is_letter(text->data[end]) || text->data[end] == '\''); end++) {}
        bool is_ours = at > 0 && text->data[at - 1] == '[' && end < text->bytes && text->data[end] == ']';
        if (!is_ours && end - at >= WORD_BYTES_MIN && end - at <= WORD_BYTES_MAX) break;
        at = end;
    }
    *word = (struct sq_str){text->data + at, end - at};
    *text = (struct sq_str){text->data + end, text->bytes - end};
    return true;
}

/* The text's distinct words; how many. */
static unsigned words_of(struct sq_str text, struct word words[WORDS_A_TEXT_MAX])
{
    unsigned count = 0;
    struct sq_str view;
    while (count < WORDS_A_TEXT_MAX && next_word(&text, &view)) {
        uint32_t hash = hash_of(view);
        unsigned i = 0;
        while (i < count && words[i].hash != hash) i++;
        if (i == count) words[count++] = (struct word){view, hash, 1};
    }
    return count;
}

void sq_terms_take(struct sq_terms *terms, struct sq_str text)
{
    struct word words[WORDS_A_TEXT_MAX];
    unsigned count = words_of(text, words);
    if (count == 0) return;
    if (terms->texts >= SQ_TERMS_TEXTS_MAX) {
        terms->texts /= 2;
        for (unsigned i = 0; i < SQ_TERMS_CELLS; i++) terms->cells[i] /= 2;
    }
    terms->texts++;
    for (unsigned i = 0; i < count; i++) {
        uint16_t *cell = &terms->cells[words[i].hash % SQ_TERMS_CELLS];
        if (*cell < terms->texts) ++*cell; /* two words of one cell are one text */
    }
}

/* ---- Which stand out ---- */

static unsigned gather(const struct sq_str *texts, unsigned texts_count, struct word *all)
{
    unsigned count = 0;
    for (unsigned t = 0; t < texts_count; t++) {
        struct word words[WORDS_A_TEXT_MAX];
        unsigned words_count = words_of(texts[t], words);
        for (unsigned w = 0; w < words_count; w++) {
            unsigned i = 0;
            while (i < count && all[i].hash != words[w].hash) i++;
            if (i < count) all[i].texts++;
            else if (count < WORDS_MAX) all[count++] = words[w];
        }
    }
    return count;
}

/* In n texts y hold the word; before, c of m did. */
static double weight_of(double y, double n, double c, double m)
{
    double prior = 0.5 + (prior_texts - 1) * c / (m + 1);
    double here = log((y + prior) / (n + prior_texts - y - prior)), before = log((c + prior) / (m + prior_texts - c - prior));
    return (here - before) / sqrt(1 / (y + prior) + 1 / (c + prior));
}

static bool is_part_of(struct sq_str word, struct sq_str entity)
{
    for (size_t at = 0; at + word.bytes <= entity.bytes; at++) {
        size_t i = 0;
        while (i < word.bytes && lower(word.data[i]) == lower(entity.data[at + i])) i++;
        if (i == word.bytes) return true;
    }
    return false;
}

static int by_weight(const void *left, const void *right)
{
    const struct sq_alert_term *a = left, *b = right;
    if (a->weight < b->weight || a->weight > b->weight) return a->weight > b->weight ? -1 : 1;
    return sq_str_compare(a->term, b->term);
}

unsigned sq_terms_list(const struct sq_terms *terms, const struct sq_str *texts, unsigned texts_count, struct sq_str entity,
                       struct sq_alert_term out[SQ_ALERT_TERMS_MAX])
{
    struct word words[WORDS_MAX];
    struct sq_alert_term found[WORDS_MAX];
    unsigned words_count = gather(texts, texts_count, words), count = 0;
    for (unsigned i = 0; i < words_count; i++) {
        if (words[i].texts < 2 || is_part_of(words[i].view, entity)) continue;
        /* The window's own texts are among those of before. */
        uint32_t cell = terms->cells[words[i].hash % SQ_TERMS_CELLS], before = cell > words[i].texts ? cell - words[i].texts : 0;
        uint32_t all = terms->texts > texts_count ? terms->texts - texts_count : 0;
        double weight = weight_of(words[i].texts, texts_count, before < all ? before : all, all);
        weight = floor(weight * 1024 + 0.5) / 1024;
        if (weight >= deviations_min) found[count++] = (struct sq_alert_term){words[i].view, words[i].texts, weight};
    }
    if (count > 0) qsort(found, count, sizeof *found, by_weight);
    if (count > SQ_ALERT_TERMS_MAX) count = SQ_ALERT_TERMS_MAX;
    for (unsigned i = 0; i < count; i++) out[i] = found[i];
    return count;
}

/* ---- As saved state ---- */

void sq_terms_put(struct sq_buf *out, const struct sq_terms *terms)
{
    sq_bytes_put_number(out, terms->texts);
    for (unsigned i = 0; terms->texts > 0 && i < SQ_TERMS_CELLS; i++) sq_bytes_put_number(out, terms->cells[i]);
}

void sq_terms_take_saved(struct sq_bytes *bytes, struct sq_terms *terms)
{
    terms->texts = (uint32_t)sq_bytes_number_to(bytes, SQ_TERMS_TEXTS_MAX);
    for (unsigned i = 0; terms->texts > 0 && i < SQ_TERMS_CELLS; i++) terms->cells[i] = (uint16_t)sq_bytes_number_to(bytes, terms->texts);
}
