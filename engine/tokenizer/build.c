/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/tokenizer/draft.h"
#include "engine/tokenizer/tokenizer_parts.h"

static int build_wordpiece(struct sq_wordpiece *wordpiece, const struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    struct sq_trie_entry *entries = malloc((draft->entries_count + 1) * sizeof *entries);
    if (!entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", draft->entries_count);
    size_t whole_count = 0, continuing_count = 0;
    for (size_t i = 0; i < draft->entries_count; i++)
        if (draft->entries[i].text.bytes > 0) entries[whole_count++] = draft->entries[i];
    int status = sq_trie_init(&wordpiece->whole, entries, whole_count, err);

    size_t prefix_bytes = draft->prefix.bytes;
    for (size_t i = 0; status == 0 && i < draft->entries_count; i++) {
        struct sq_str text = draft->entries[i].text;
        if (text.bytes <= prefix_bytes || (prefix_bytes && memcmp(text.data, draft->prefix.data, prefix_bytes) != 0)) continue;
        struct sq_str rest = {text.data + prefix_bytes, text.bytes - prefix_bytes};
        entries[continuing_count++] = (struct sq_trie_entry){rest, draft->entries[i].value};
    }
    if (status == 0) status = sq_trie_init(&wordpiece->continuing, entries, continuing_count, err);
    free(entries);
    if (status) return status;

    wordpiece->chars_max = draft->chars_max;
    wordpiece->unknown_id = sq_trie_find(&wordpiece->whole, draft->unknown);
    if (wordpiece->unknown_id >= 0) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "unk_token: \"%.64s\" is not in the vocabulary", draft->unknown.data);
}

/* Ids as `tokenizers` gives them, whatever the file says: the vocabulary's, else the next behind its size. A content that comes
 * twice has the flags of its last mention. *kept_count are left in `kept`, which has room for all. */
static int assign_ids(struct sq_added_token *kept, size_t *kept_count, const struct sq_tokenizer *tokenizer,
                      const struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    struct sq_trie last_mentions;
    struct sq_trie_entry *entries = malloc((draft->added_count + 1) * sizeof *entries);
    if (!entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", draft->added_count);
    for (size_t i = 0; i < draft->added_count; i++) entries[i] = (struct sq_trie_entry){draft->added[i].content, (int32_t)i};
    int status = sq_trie_init(&last_mentions, entries, draft->added_count, err);
    free(entries);
    if (status) return status;

    bool has_empty = false;
    for (size_t i = 0; i < draft->entries_count; i++) has_empty |= draft->entries[i].text.bytes == 0;
    int32_t next_id = (int32_t)tokenizer->wordpiece.whole.entries_count + has_empty;
    for (size_t i = 0; i < draft->added_count; i++) kept[i].id = -1;
    for (size_t i = 0; i < draft->added_count; i++) {
        size_t last = (size_t)sq_trie_find(&last_mentions, draft->added[i].content);
        if (kept[last].id < 0) kept[last].id = sq_trie_find(&tokenizer->wordpiece.whole, draft->added[i].content);
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

/* Added tokens are found by what the normaliser makes of them; `space` holds that. */
static void normalise_contents(struct sq_added_token *tokens, size_t count, const struct sq_chars *chars, char *space)
{
    enum { RUN_MAX = SQ_TOKENIZER_ADDED_BYTES_MAX };
    struct sq_char run[RUN_MAX];
    for (size_t i = 0; i < count; i++) {
        if (!tokens[i].normalized) continue;
        tokens[i].content = (struct sq_str){space, sq_chars_normalise(chars, tokens[i].content, run, RUN_MAX, space)};
        space += tokens[i].content.bytes;
    }
}

static int build_added(struct sq_tokenizer *tokenizer, const struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    size_t content_bytes = 1;
    for (size_t i = 0; i < draft->added_count; i++) content_bytes += draft->added[i].content.bytes;
    struct sq_added_token *tokens = malloc((draft->added_count + 1) * sizeof *tokens);
    char *space = malloc(SQ_CHARS_GROWTH * content_bytes);
    size_t count = 0;
    int status = tokens && space ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", draft->added_count);
    if (status == 0) status = assign_ids(tokens, &count, tokenizer, draft, err);
    if (status == 0) normalise_contents(tokens, count, &tokenizer->chars, space);
    if (status == 0) status = sq_added_init(&tokenizer->added, tokens, count, false, err);
    if (status == 0) status = sq_added_init(&tokenizer->normalised, tokens, count, true, err);
    free(space);
    free(tokens);
    return status;
}

static int find_special(int32_t *id, const struct sq_draft_special *special, const char *field,
                        const struct sq_tokenizer *tokenizer, struct sq_err *err)
{
    *id = special->id >= 0 ? special->id : sq_trie_find(&tokenizer->wordpiece.whole, special->text);
    if (*id >= 0) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s: \"%.64s\" is not in the vocabulary", field, special->text.data);
}

static unsigned count_ids(const struct sq_tokenizer *tokenizer, const struct sq_tokenizer_draft *draft)
{
    int32_t largest = tokenizer->first_id > tokenizer->last_id ? tokenizer->first_id : tokenizer->last_id;
    for (size_t i = 0; i < draft->entries_count; i++)
        if (draft->entries[i].value > largest) largest = draft->entries[i].value;
    const struct sq_added *sets[] = {&tokenizer->added, &tokenizer->normalised};
    for (size_t set = 0; set < 2; set++)
        for (size_t i = 0; i < sets[set]->tokens_count; i++)
            if (sets[set]->tokens[i].id > largest) largest = sets[set]->tokens[i].id;
    return (unsigned)largest + 1;
}

int sq_tokenizer_build(struct sq_tokenizer **tokenizer, const struct sq_tokenizer_draft *draft, enum sq_normalise normalise,
                       struct sq_err *err)
{
    struct sq_tokenizer *made = calloc(1, sizeof *made);
    *tokenizer = NULL;
    if (!made) return sq_err_set(err, SQ_E_NOMEM, "no memory for a tokenizer");
    made->tweet = normalise == SQ_NORMALISE_TWEET;
    made->chars.clean = draft->clean;
    made->chars.chinese = draft->chinese;
    made->chars.strip = draft->strip;
    made->chars.lower = draft->lower;
    sq_chars_init(&made->chars);

    int status = build_wordpiece(&made->wordpiece, draft, err);
    if (status == 0) status = find_special(&made->first_id, &draft->first, "cls_token", made, err);
    if (status == 0) status = find_special(&made->last_id, &draft->last, "sep_token", made, err);
    if (status == 0) status = build_added(made, draft, err);
    if (status) {
        sq_tokenizer_close(made);
        return status;
    }
    if (made->normalised.tokens_count) sq_chars_init(&made->plain);
    made->ids_count = count_ids(made, draft);
    *tokenizer = made;
    return 0;
}

void sq_tokenizer_close(struct sq_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    sq_trie_deinit(&tokenizer->wordpiece.whole);
    sq_trie_deinit(&tokenizer->wordpiece.continuing);
    sq_added_deinit(&tokenizer->added);
    sq_added_deinit(&tokenizer->normalised);
    free(tokenizer);
}
