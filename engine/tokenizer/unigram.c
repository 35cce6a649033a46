/* SPDX-License-Identifier: Apache-2.0 */
/* Forward, best[i] is the best sum of a cut of the first i bytes and steps[i] how long its last piece is. Pieces are short, so
 * the sums stand in a ring. Then the steps are followed from the end and turned round.
 *
 * As in Hugging Face's `tokenizers`, whose ids these are: sums are doubles added from the left, the first of equal ones counts,
 * and the text of unknown neighbours is looked up once more as a whole. */
#include "engine/tokenizer/unigram.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#define UNKNOWN_PENALTY 10.0

static size_t ring_size(const struct sq_unigram *unigram)
{
    size_t size = 8;
    while (size <= unigram->piece_bytes_max) size *= 2;
    return size;
}

size_t sq_unigram_scratch_bytes(const struct sq_unigram *unigram, size_t word_bytes)
{
    return ring_size(unigram) * sizeof(double) + (word_bytes + 1) * sizeof(uint16_t);
}

static size_t character_bytes(unsigned char first) { return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

struct lattice {
    const struct sq_unigram *unigram;
    struct sq_str word;
    double *best;     /* [ring] */
    size_t ring_mask;
    uint16_t *steps;  /* [word.bytes + 1], 0 where no cut ends */
};

static void offer(struct lattice *lattice, size_t end, size_t bytes, double sum)
{
    double *best = &lattice->best[end & lattice->ring_mask];
    if (lattice->steps[end] && sum <= *best) return;
    *best = sum;
    lattice->steps[end] = (uint16_t)bytes;
}

/* All pieces that begin at `at`. */
static void extend(struct lattice *lattice, size_t at)
{
    const struct sq_unigram *unigram = lattice->unigram;
    const struct sq_trie *trie = &unigram->pieces;
    double sum = lattice->best[at & lattice->ring_mask];
    size_t character = character_bytes((unsigned char)lattice->word.data[at]);
    bool has_single = false;
    uint32_t node = 0;
    for (size_t end = at; end < lattice->word.bytes;) {
        node = sq_trie_child(trie, node, (unsigned char)lattice->word.data[end++]);
        if (!node) break;
        int32_t id = trie->values[node];
        if (id < 0) continue;
        offer(lattice, end, end - at, unigram->scores[id] + sum);
        has_single |= end - at == character;
    }
    if (!has_single) offer(lattice, at + character, character, unigram->unknown_score + sum);
}

/* Unknown neighbours may yet be a piece together; else they become those of their bytes, or the unknown one. */
static void add_unknown(const struct sq_unigram *unigram, struct sq_str text, struct sq_ids *ids)
{
    int32_t id = sq_trie_find(&unigram->pieces, text);
    if (id >= 0) sq_ids_add(ids, id);
    else if (unigram->byte_ids[0] < 0) sq_ids_add(ids, unigram->unknown_id);
    else
        for (size_t i = 0; i < text.bytes; i++) sq_ids_add(ids, unigram->byte_ids[(unsigned char)text.data[i]]);
}

/* steps[i] becomes the length of the piece that begins at i. */
static void turn_round(struct lattice *lattice)
{
    size_t end = lattice->word.bytes;
    uint16_t bytes = lattice->steps[end];
    while (end > 0) {
        size_t begin = end - bytes;
        uint16_t before = lattice->steps[begin];
        lattice->steps[begin] = bytes;
        bytes = before;
        end = begin;
    }
}

static void collect(const struct lattice *lattice, struct sq_ids *ids)
{
    const struct sq_unigram *unigram = lattice->unigram;
    struct sq_str unknown = {0};
    for (size_t at = 0; at < lattice->word.bytes; at += lattice->steps[at]) {
        struct sq_str piece = {lattice->word.data + at, lattice->steps[at]};
        int32_t id = sq_trie_find(&unigram->pieces, piece);
        if (id < 0 || id == unigram->unknown_id) {
            if (!unknown.bytes) unknown.data = piece.data;
            unknown.bytes += piece.bytes;
            continue;
        }
        if (unknown.bytes) add_unknown(unigram, unknown, ids);
        unknown.bytes = 0;
        sq_ids_add(ids, id);
    }
    if (unknown.bytes) add_unknown(unigram, unknown, ids);
}

void sq_unigram_split(const struct sq_unigram *unigram, struct sq_str word, void *scratch, struct sq_ids *ids)
{
    struct lattice lattice = {.unigram = unigram, .word = word, .best = scratch, .ring_mask = ring_size(unigram) - 1};
    lattice.steps = (uint16_t *)(void *)(lattice.best + lattice.ring_mask + 1);
    memset(lattice.steps, 0, (word.bytes + 1) * sizeof *lattice.steps);
    lattice.best[0] = 0;
    for (size_t at = 0; at < word.bytes; at += character_bytes((unsigned char)word.data[at])) extend(&lattice, at);
    turn_round(&lattice);
    collect(&lattice, ids);
}

static void find_bytes(struct sq_unigram *unigram, bool byte_fallback)
{
    bool all = byte_fallback;
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        unigram->byte_ids[byte] = sq_trie_find(&unigram->pieces, sq_str_view(text));
        all = all && unigram->byte_ids[byte] >= 0;
    }
    if (!all) unigram->byte_ids[0] = -1;
}

int sq_unigram_init(struct sq_unigram *unigram, struct sq_trie_entry *entries, size_t entries_count, const double *scores,
                    size_t scores_count, int32_t unknown_id, bool byte_fallback, struct sq_err *err)
{
    double least = DBL_MAX;
    *unigram = (struct sq_unigram){.unknown_id = unknown_id, .scores = malloc((scores_count + 1) * sizeof *scores)};
    if (!unigram->scores) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu scores", scores_count);
    for (size_t i = 0; i < scores_count; i++) {
        unigram->scores[i] = scores[i];
        if (scores[i] < least) least = scores[i];
    }
    unigram->unknown_score = least - UNKNOWN_PENALTY;
    for (size_t i = 0; i < entries_count; i++)
        if (entries[i].text.bytes > unigram->piece_bytes_max) unigram->piece_bytes_max = entries[i].text.bytes;
    int status = sq_trie_init(&unigram->pieces, entries, entries_count, err);
    if (status) {
        sq_unigram_deinit(unigram);
        return status;
    }
    find_bytes(unigram, byte_fallback);
    return 0;
}

void sq_unigram_deinit(struct sq_unigram *unigram)
{
    sq_trie_deinit(&unigram->pieces);
    free(unigram->scores);
    *unigram = (struct sq_unigram){0};
}
