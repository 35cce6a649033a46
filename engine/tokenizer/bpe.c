/* SPDX-License-Identifier: Apache-2.0 */
/* The symbols of a word are a linked list over an array, one place a byte. The heap holds (rank, place) in one number, so its
 * least is the merge to do next. An entry whose pair has changed since is stale and dropped when it comes up. Each merge puts
 * at most two entries into the heap, so it never holds more than three a byte. */
#include "engine/tokenizer/bpe.h"

#include <stdlib.h>

enum { HEAP_A_BYTE = 3 };
#define NONE UINT32_MAX

struct symbol {
    int32_t id;
    uint32_t previous, next; /* places, or NONE */
    uint32_t rank;           /* of the pair with next, or NONE */
};

/* ---- the merges ---- */

struct keyed {
    struct sq_bpe_merge merge;
    uint32_t rank;
};

static int compare(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    if (a->merge.left != b->merge.left) return a->merge.left < b->merge.left ? -1 : 1;
    if (a->merge.right != b->merge.right) return a->merge.right < b->merge.right ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

static void fill(struct sq_bpe *bpe, const struct keyed *sorted, size_t count)
{
    uint32_t kept = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        const struct keyed *at = &sorted[i];
        bool again = i + 1 < count && at[1].merge.left == at->merge.left && at[1].merge.right == at->merge.right;
        bpe->merged[at->rank] = at->merge.merged;
        if (again) continue;
        while (left <= (uint32_t)at->merge.left) bpe->first[left++] = kept;
        bpe->rights[kept++] = (struct sq_bpe_right){at->merge.right, at->rank};
    }
    while (left <= bpe->lefts_count) bpe->first[left++] = kept;
}

int sq_bpe_init(struct sq_bpe *bpe, const struct sq_bpe_merge *merges, size_t merges_count, struct sq_err *err)
{
    *bpe = (struct sq_bpe){.merges_count = (uint32_t)merges_count, .unknown_id = -1};
    for (size_t i = 0; i < merges_count; i++)
        if ((uint32_t)merges[i].left >= bpe->lefts_count) bpe->lefts_count = (uint32_t)merges[i].left + 1;
    struct keyed *sorted = malloc((merges_count + 1) * sizeof *sorted);
    bpe->first = malloc(((size_t)bpe->lefts_count + 1) * sizeof *bpe->first);
    bpe->rights = malloc((merges_count + 1) * sizeof *bpe->rights);
    bpe->merged = malloc((merges_count + 1) * sizeof *bpe->merged);
    if (!sorted || !bpe->first || !bpe->rights || !bpe->merged) {
        free(sorted);
        sq_bpe_deinit(bpe);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu merges", merges_count);
    }
    for (size_t i = 0; i < merges_count; i++) sorted[i] = (struct keyed){merges[i], (uint32_t)i};
    qsort(sorted, merges_count, sizeof *sorted, compare);
    fill(bpe, sorted, merges_count);
    free(sorted);
    return 0;
}

void sq_bpe_deinit(struct sq_bpe *bpe)
{
    sq_trie_deinit(&bpe->whole);
    free(bpe->first);
    free(bpe->rights);
    free(bpe->merged);
    *bpe = (struct sq_bpe){0};
}

static uint32_t rank_of(const struct sq_bpe *bpe, int32_t left, int32_t right)
{
    if ((uint32_t)left >= bpe->lefts_count) return NONE;
    uint32_t low = bpe->first[left], high = bpe->first[left + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (bpe->rights[middle].right < right) low = middle + 1;
        else high = middle;
    }
    return low < bpe->first[left + 1] && bpe->rights[low].right == right ? bpe->rights[low].rank : NONE;
}

/* ---- one word ---- */

struct word {
    const struct sq_bpe *bpe;
    struct symbol *symbols; /* [bytes] */
    uint64_t *heap;         /* [HEAP_A_BYTE * bytes] rank << 32 | place, the least in front */
    size_t heap_count;
};

static void push(struct word *word, uint32_t place)
{
    uint32_t rank = word->symbols[place].rank;
    if (rank == NONE) return;
    uint64_t key = (uint64_t)rank << 32 | place;
    size_t at = word->heap_count++;
    for (; at > 0 && word->heap[(at - 1) / 2] > key; at = (at - 1) / 2) word->heap[at] = word->heap[(at - 1) / 2];
    word->heap[at] = key;
}

static uint64_t pop(struct word *word)
{
    uint64_t least = word->heap[0], key = word->heap[--word->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < word->heap_count; at = child) {
        if (child + 1 < word->heap_count && word->heap[child + 1] < word->heap[child]) child++;
        if (word->heap[child] >= key) break;
        word->heap[at] = word->heap[child];
    }
    word->heap[at] = key;
    return least;
}

/* The pair that begins at this place may be a merge. */
static void look(struct word *word, uint32_t place)
{
    struct symbol *symbol = &word->symbols[place];
    symbol->rank = symbol->next == NONE ? NONE : rank_of(word->bpe, symbol->id, word->symbols[symbol->next].id);
    push(word, place);
}

static void merge(struct word *word, uint32_t place)
{
    struct symbol *left = &word->symbols[place], *right = &word->symbols[left->next];
    left->id = word->bpe->merged[left->rank];
    left->next = right->next;
    right->rank = NONE; /* its pair is gone, whatever the heap says */
    if (left->next != NONE) word->symbols[left->next].previous = place;
    if (left->previous != NONE) look(word, left->previous);
    look(word, place);
}

/* A symbol for each byte, or for what stands for those that have none; returns how many. */
static uint32_t begin(struct word *word, struct sq_str text)
{
    const struct sq_bpe *bpe = word->bpe;
    uint32_t count = 0;
    bool was_unknown = false;
    for (size_t i = 0; i < text.bytes; i++) {
        int32_t id = bpe->bytes[(unsigned char)text.data[i]];
        bool unknown = id < 0;
        if (unknown && (bpe->unknown_id < 0 || (was_unknown && bpe->fuse_unknown))) continue;
        was_unknown = unknown;
        word->symbols[count] = (struct symbol){unknown ? bpe->unknown_id : id, count ? count - 1 : NONE, count + 1, NONE};
        count++;
    }
    if (count) word->symbols[count - 1].next = NONE;
    return count;
}

static void merge_all(struct word *word, uint32_t count)
{
    for (uint32_t place = 0; place < count; place++) look(word, place);
    while (word->heap_count) {
        uint64_t least = pop(word);
        uint32_t place = (uint32_t)least;
        if (word->symbols[place].rank == (uint32_t)(least >> 32)) merge(word, place);
    }
}

size_t sq_bpe_scratch_bytes(size_t word_bytes)
{
    return word_bytes * (sizeof(struct symbol) + HEAP_A_BYTE * sizeof(uint64_t));
}

static void split(const struct sq_bpe *bpe, struct sq_str text, void *scratch, struct sq_ids *ids)
{
    uint64_t *heap = scratch;
    struct word word = {.bpe = bpe, .heap = heap, .symbols = (struct symbol *)(void *)(heap + HEAP_A_BYTE * text.bytes)};
    uint32_t count = begin(&word, text);
    merge_all(&word, count);
    for (uint32_t place = count ? 0 : NONE; place != NONE; place = word.symbols[place].next)
        sq_ids_add(ids, word.symbols[place].id);
}

void sq_bpe_split(const struct sq_bpe *bpe, struct sq_str word, void *scratch, struct sq_ids *ids)
{
    int32_t id = sq_trie_find(&bpe->whole, word);
    if (id >= 0) sq_ids_add(ids, id);
    else split(bpe, word, scratch, ids);
}

int sq_bpe_find_whole(struct sq_bpe *bpe, struct sq_trie_entry *entries, size_t entries_count, bool all, struct sq_err *err)
{
    size_t bytes_max = 0, kept = 0;
    for (size_t i = 0; i < entries_count; i++)
        if (entries[i].text.bytes > bytes_max) bytes_max = entries[i].text.bytes;
    void *scratch = malloc(sq_bpe_scratch_bytes(bytes_max) + 1);
    if (!scratch) return sq_err_set(err, SQ_E_NOMEM, "no memory for an entry of %zu bytes", bytes_max);
    for (size_t i = 0; i < entries_count; i++) {
        int32_t id = -1;
        struct sq_ids ids = {.ids = &id, .ids_max = 1};
        if (!all) split(bpe, entries[i].text, scratch, &ids);
        if (all || (ids.count == 1 && id == entries[i].value)) entries[kept++] = entries[i];
    }
    free(scratch);
    return sq_trie_init(&bpe->whole, entries, kept, err);
}
