/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/build.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

struct sq_trie_entry *sq_build_new_entries(const struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    struct sq_trie_entry *entries = malloc((draft->entries_count + 1) * sizeof *entries);
    if (!entries) sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", draft->entries_count);
    return entries;
}

size_t sq_build_copy_entries(struct sq_trie_entry *entries, const struct sq_tokenizer_draft *draft)
{
    size_t count = 0;
    for (size_t i = 0; i < draft->entries_count; i++)
        if (draft->entries[i].text.bytes > 0) entries[count++] = draft->entries[i];
    return count;
}

static int build_wordpiece(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_wordpiece *wordpiece = &build->made->wordpiece;
    wordpiece->chars_max = draft->chars_max;
    wordpiece->unknown_id = sq_trie_find(&build->vocabulary, draft->unknown);
    if (wordpiece->unknown_id < 0) return FAIL("unk_token: \"%.64s\" is not in the vocabulary", draft->unknown.data);

    struct sq_trie_entry *entries = sq_build_new_entries(draft, err);
    if (!entries) return SQ_E_NOMEM;
    int status = sq_trie_init(&wordpiece->whole, entries, sq_build_copy_entries(entries, draft), err);
    size_t prefix_bytes = draft->prefix.bytes, count = 0;
    for (size_t i = 0; status == 0 && i < draft->entries_count; i++) {
        struct sq_str text = draft->entries[i].text;
        if (text.bytes <= prefix_bytes || (prefix_bytes && memcmp(text.data, draft->prefix.data, prefix_bytes) != 0)) continue;
        struct sq_str rest = {text.data + prefix_bytes, text.bytes - prefix_bytes};
        entries[count++] = (struct sq_trie_entry){rest, draft->entries[i].value};
    }
    if (status == 0) status = sq_trie_init(&wordpiece->continuing, entries, count, err);
    free(entries);
    return status;
}

/* The ids of a pair and of what it becomes, all of which must be entries. */
static int resolve(struct sq_bpe_merge *merge, const struct sq_trie *vocabulary, const struct sq_draft_merge *pair,
                   struct sq_err *err)
{
    char both[2 * SQ_TOKENIZER_ENTRY_BYTES_MAX];
    struct sq_str left = pair->left, right = pair->right;
    if (left.bytes > SQ_TOKENIZER_ENTRY_BYTES_MAX || right.bytes > SQ_TOKENIZER_ENTRY_BYTES_MAX) {
        return FAIL("an entry of more than %d bytes", SQ_TOKENIZER_ENTRY_BYTES_MAX);
    }
    if (left.bytes) memcpy(both, left.data, left.bytes);
    if (right.bytes) memcpy(both + left.bytes, right.data, right.bytes);
    struct sq_str merged = {both, left.bytes + right.bytes};
    merge->left = left.bytes ? sq_trie_find(vocabulary, left) : -1;
    merge->right = right.bytes ? sq_trie_find(vocabulary, right) : -1;
    merge->merged = sq_trie_find(vocabulary, merged);
    if (merge->left >= 0 && merge->right >= 0 && merge->merged >= 0) return 0;
    return FAIL("\"%.*s\" or one of its two parts is not in the vocabulary", merged.bytes < 64 ? (int)merged.bytes : 64, both);
}

static int build_merges(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_bpe_merge *merges = malloc((draft->merges_count + 1) * sizeof *merges);
    if (!merges) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu merges", draft->merges_count);
    int status = 0;
    for (size_t i = 0; status == 0 && i < draft->merges_count; i++) {
        status = resolve(&merges[i], &build->vocabulary, &draft->merges[i], err);
        if (status) sq_err_prefix(err, "merges[%zu]: ", i);
    }
    if (status == 0) status = sq_bpe_init(&build->made->bpe, merges, draft->merges_count, err);
    free(merges);
    return status;
}

static int32_t byte_id(const struct sq_trie *vocabulary, unsigned char byte)
{
    char text[4];
    return sq_trie_find(vocabulary, (struct sq_str){text, sq_utf8_encode(sq_byte_level_character(byte), text)});
}

/* The entries as bytes. Those that are not written as bytes can't come out of merging bytes. */
static int build_whole(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    size_t bytes = 1, count = 0;
    for (size_t i = 0; i < draft->entries_count; i++) bytes += draft->entries[i].text.bytes;
    struct sq_trie_entry *entries = sq_build_new_entries(draft, err);
    char *texts = malloc(bytes), *at = texts;
    if (!entries || !texts) {
        free(entries);
        free(texts);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", draft->entries_count);
    }
    for (size_t i = 0; i < draft->entries_count; i++) {
        long decoded = sq_byte_level_decode(draft->entries[i].text, at);
        if (decoded <= 0) continue;
        entries[count++] = (struct sq_trie_entry){{at, (size_t)decoded}, draft->entries[i].value};
        at += decoded;
    }
    int status = sq_bpe_find_whole(&build->made->bpe, entries, count, draft->ignore_merges, err);
    free(texts);
    free(entries);
    return status;
}

static int build_bpe(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_bpe *bpe = &build->made->bpe;
    int status = build_merges(build, err);
    if (status) return status;
    for (unsigned byte = 0; byte < 256; byte++) bpe->bytes[byte] = byte_id(&build->vocabulary, (unsigned char)byte);
    bpe->fuse_unknown = draft->fuse_unknown;
    if (draft->unknown.data) {
        bpe->unknown_id = sq_trie_find(&build->vocabulary, draft->unknown);
        if (bpe->unknown_id < 0) return FAIL("unk_token: \"%.64s\" is not in the vocabulary", draft->unknown.data);
    }
    return build_whole(build, err);
}

static int build_unigram(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_trie_entry *entries = sq_build_new_entries(draft, err);
    if (!entries) return SQ_E_NOMEM;
    int status = sq_unigram_init(&build->made->unigram, entries, sq_build_copy_entries(entries, draft), draft->scores,
                                 draft->entries_count, (int32_t)draft->unknown_id, draft->byte_fallback, err);
    free(entries);
    return status;
}

int sq_build_model(struct sq_build *build, struct sq_err *err)
{
    static int (*const builders[])(struct sq_build *, struct sq_err *) = {
        [SQ_MODEL_WORDPIECE] = build_wordpiece, [SQ_MODEL_BPE] = build_bpe, [SQ_MODEL_UNIGRAM] = build_unigram};
    build->made->model = build->draft->model;
    return builders[build->draft->model](build, err);
}

