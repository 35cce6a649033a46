/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/trie.h"

#include <stdlib.h>

/* The sorted entries below a node, all alike in their first `depth` bytes. */
struct span {
    uint32_t low, high; /* entries[low .. high - 1] */
    uint32_t depth;
};

static int compare(const void *left, const void *right)
{
    const struct sq_trie_entry *a = left, *b = right;
    int order = sq_str_compare(a->text, b->text);
    return order ? order : (a->value > b->value) - (a->value < b->value);
}

static size_t shared_bytes(struct sq_str a, struct sq_str b)
{
    size_t bytes = 0;
    while (bytes < a.bytes && bytes < b.bytes && a.data[bytes] == b.data[bytes]) bytes++;
    return bytes;
}

static size_t count_nodes(const struct sq_trie_entry *entries, size_t count)
{
    size_t nodes = 1;
    for (size_t i = 0; i < count; i++)
        nodes += entries[i].text.bytes - (i ? shared_bytes(entries[i - 1].text, entries[i].text) : 0);
    return nodes;
}

/* Appends the children of one node; returns how many nodes there are then. */
static uint32_t add_children(struct sq_trie *trie, struct span *spans, const struct sq_trie_entry *entries, struct span span,
                             uint32_t nodes)
{
    uint32_t at = span.low;
    while (at < span.high && entries[at].text.bytes == span.depth) at++; /* entries that end here */
    while (at < span.high) {
        char label = entries[at].text.data[span.depth];
        uint32_t low = at;
        while (at < span.high && entries[at].text.data[span.depth] == label) at++;
        trie->labels[nodes] = (unsigned char)label;
        trie->values[nodes] = entries[low].text.bytes == span.depth + 1 ? entries[low].value : -1;
        spans[nodes++] = (struct span){low, at, span.depth + 1};
    }
    return nodes;
}

/* Keeps of equal texts the last, the one with the largest value. */
static size_t sort_unique(struct sq_trie_entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, compare);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && sq_str_equal(entries[i].text, entries[i + 1].text)) continue;
        entries[kept++] = entries[i];
    }
    return kept;
}

int sq_trie_init(struct sq_trie *trie, struct sq_trie_entry *entries, size_t entries_count, struct sq_err *err)
{
    *trie = (struct sq_trie){0};
    entries_count = sort_unique(entries, entries_count);
    size_t nodes_count = count_nodes(entries, entries_count);
    if (nodes_count >= UINT32_MAX) return sq_err_set(err, SQ_E_NOMEM, "a vocabulary of %zu trie nodes is too large", nodes_count);

    struct span *spans = malloc(nodes_count * sizeof *spans);
    trie->first = malloc((nodes_count + 1) * sizeof *trie->first);
    trie->labels = malloc(nodes_count);
    trie->values = malloc(nodes_count * sizeof *trie->values);
    if (!spans || !trie->first || !trie->labels || !trie->values) {
        free(spans);
        sq_trie_deinit(trie);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a vocabulary of %zu entries", entries_count);
    }
    trie->nodes_count = (uint32_t)nodes_count;
    trie->entries_count = (uint32_t)entries_count;
    spans[0] = (struct span){0, (uint32_t)entries_count, 0};
    trie->labels[0] = 0;
    trie->values[0] = -1;
    uint32_t nodes = 1;
    for (uint32_t node = 0; node < trie->nodes_count; node++) {
        trie->first[node] = nodes;
        nodes = add_children(trie, spans, entries, spans[node], nodes);
    }
    trie->first[trie->nodes_count] = nodes;
    free(spans);
    return 0;
}

void sq_trie_deinit(struct sq_trie *trie)
{
    free(trie->first);
    free(trie->labels);
    free(trie->values);
    *trie = (struct sq_trie){0};
}

size_t sq_trie_longest(const struct sq_trie *trie, struct sq_str text, int32_t *value)
{
    size_t longest_bytes = 0;
    uint32_t node = 0;
    for (size_t at = 0; at < text.bytes; at++) {
        node = sq_trie_child(trie, node, (unsigned char)text.data[at]);
        if (!node) break;
        if (trie->values[node] < 0) continue;
        longest_bytes = at + 1;
        *value = trie->values[node];
    }
    return longest_bytes;
}

int32_t sq_trie_find(const struct sq_trie *trie, struct sq_str text)
{
    uint32_t node = 0;
    for (size_t at = 0; at < text.bytes; at++) {
        node = sq_trie_child(trie, node, (unsigned char)text.data[at]);
        if (!node) return -1;
    }
    return trie->values[node];
}
