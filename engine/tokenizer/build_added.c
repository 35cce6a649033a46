/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/tokenizer/build.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

/* Ids as `tokenizers` gives them, whatever the file says: the vocabulary's, else the next behind its size. A content that comes
 * twice has the flags of its last mention. *kept_count are left in `kept`, which has room for all. */
static int assign_ids(struct sq_added_token *kept, size_t *kept_count, const struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_trie last_mentions;
    struct sq_trie_entry *entries = malloc((draft->added_count + 1) * sizeof *entries);
    if (!entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", draft->added_count);
    for (size_t i = 0; i < draft->added_count; i++) entries[i] = (struct sq_trie_entry){draft->added[i].content, (int32_t)i};
    int status = sq_trie_init(&last_mentions, entries, draft->added_count, err);
    free(entries);
    if (status) return status;

    int32_t next_id = (int32_t)build->vocabulary_size;
    for (size_t i = 0; i < draft->added_count; i++) kept[i].id = -1;
    for (size_t i = 0; i < draft->added_count; i++) {
        size_t last = (size_t)sq_trie_find(&last_mentions, draft->added[i].content);
        if (kept[last].id < 0) kept[last].id = sq_trie_find(&build->vocabulary, draft->added[i].content);
        if (kept[last].id < 0) kept[last].id = next_id++;
    }
    *kept_count = 0;
    for (size_t i = 0; i < draft->added_count; i++) {
        if ((size_t)sq_trie_find(&last_mentions, draft->added[i].content) != i) continue;
        int32_t id = kept[i].id;
        kept[*kept_count] = draft->added[i];
        kept[(*kept_count)++].id = id;
    }
    sq_trie_deinit(&last_mentions);
    return 0;
}

/* Added tokens are found by what the normaliser makes of them; *normalised holds that, the caller's to free. */
static int normalise_contents(struct sq_added_token *tokens, size_t count, const struct sq_normaliser *normaliser,
                              char **normalised, struct sq_err *err)
{
    enum { BYTES = SQ_TOKENIZER_ADDED_BYTES_MAX };
    size_t buffer_bytes = sq_normaliser_bytes_max(BYTES);
    char *buffers[2] = {malloc(buffer_bytes), malloc(buffer_bytes)}, *at = malloc((count + 1) * BYTES);
    int status = buffers[0] && buffers[1] && at ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", count);
    *normalised = at;
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct sq_str normal;
        if (!tokens[i].normalized) continue;
        bool fits = sq_normaliser_run(normaliser, tokens[i].content, buffers, buffer_bytes, &normal) && normal.bytes <= BYTES;
        if (!fits) status = FAIL("added_tokens: \"%.64s\" grows too long when it is normalised", tokens[i].content.data);
        else if (normal.bytes) memcpy(at, normal.data, normal.bytes);
        tokens[i].content = (struct sq_str){at, normal.bytes};
        at += normal.bytes;
    }
    free(buffers[0]);
    free(buffers[1]);
    return status;
}

int sq_build_added(struct sq_build *build, struct sq_err *err)
{
    struct sq_tokenizer *made = build->made;
    size_t count = 0;
    struct sq_added_token *tokens = malloc((build->draft->added_count + 1) * sizeof *tokens);
    char *normalised = NULL;
    int status = tokens ? assign_ids(tokens, &count, build, err)
                        : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", build->draft->added_count);
    if (status == 0) status = normalise_contents(tokens, count, &made->normaliser, &normalised, err);
    if (status == 0) status = sq_added_init(&made->added, tokens, count, false, err);
    if (status == 0) status = sq_added_init(&made->normalised, tokens, count, true, err);
    free(normalised);
    free(tokens);
    return status;
}

