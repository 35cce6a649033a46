/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "engine/tokenizer/build.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

static int build_vocabulary(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_trie_entry *entries = sq_build_new_entries(draft, err);
    if (!entries) return SQ_E_NOMEM;
    size_t count = sq_build_copy_entries(entries, draft);
    int status = sq_trie_init(&build->vocabulary, entries, count, err);
    free(entries);
    bool has_empty = count < draft->entries_count;
    build->vocabulary_size = draft->model == SQ_MODEL_UNIGRAM ? draft->entries_count : build->vocabulary.entries_count + has_empty;
    return status;
}

static bool wants_normalised_text(const struct sq_tokenizer_draft *draft)
{
    for (size_t i = 0; i < draft->added_count; i++)
        if (draft->added[i].normalized) return true;
    return false;
}

/* BERT's own normaliser, if it is the last step and no added token is looked for behind it, is left to the sweep of words.c. */
static int build_normaliser(struct sq_build *build, struct sq_err *err)
{
    const struct sq_tokenizer_draft *draft = build->draft;
    struct sq_tokenizer *made = build->made;
    size_t count = draft->steps_count;
    if (draft->split == SQ_SPLIT_BERT) {
        const struct sq_step *last = count ? &draft->steps[count - 1] : NULL;
        bool is_swept = last && last->kind == sq_step_kind_find("BertNormalizer") && !wants_normalised_text(draft);
        if (is_swept) {
            made->chars.clean = last->clean;
            made->chars.chinese = last->chinese;
            made->chars.strip = last->strip;
            made->chars.lower = last->lower;
            count--;
        }
        sq_chars_init(&made->chars);
    }
    return sq_normaliser_init(&made->normaliser, draft->steps, count, err);
}

static int build_split(struct sq_build *build, struct sq_err *err)
{
    struct sq_tokenizer *made = build->made;
    made->split = build->draft->split;
    made->metaspace = build->draft->metaspace;
    made->byte_level.add_prefix_space = build->draft->add_prefix_space;
    made->byte_level.use_regex = build->draft->use_regex;
    if (made->split == SQ_SPLIT_BYTE_LEVEL) sq_byte_level_init(&made->byte_level);
    return build_normaliser(build, err);
}

static int find_special(int32_t *id, const struct sq_draft_special *special, const char *field, const struct sq_build *build,
                        struct sq_err *err)
{
    *id = special->id >= 0 ? special->id : sq_trie_find(&build->vocabulary, special->text);
    return *id >= 0 ? 0 : FAIL("%s: \"%.64s\" is not in the vocabulary", field, special->text.data);
}

static unsigned count_ids(const struct sq_build *build)
{
    const struct sq_tokenizer *made = build->made;
    int32_t largest = made->first_id > made->last_id ? made->first_id : made->last_id;
    for (size_t i = 0; i < build->draft->entries_count; i++)
        if (build->draft->entries[i].value > largest) largest = build->draft->entries[i].value;
    const struct sq_added *sets[] = {&made->added, &made->normalised};
    for (size_t set = 0; set < 2; set++)
        for (size_t i = 0; i < sets[set]->tokens_count; i++)
            if (sets[set]->tokens[i].id > largest) largest = sets[set]->tokens[i].id;
    return (unsigned)largest + 1;
}

static int build_all(struct sq_build *build, struct sq_err *err)
{
    int status = build_vocabulary(build, err);
    if (status == 0) status = sq_build_model(build, err);
    if (status == 0) status = build_split(build, err);
    if (status == 0) status = find_special(&build->made->first_id, &build->draft->first, "cls_token", build, err);
    if (status == 0) status = find_special(&build->made->last_id, &build->draft->last, "sep_token", build, err);
    if (status == 0) status = sq_build_added(build, err);
    if (status == 0) build->made->ids_count = count_ids(build);
    return status;
}

int sq_tokenizer_build(struct sq_tokenizer **tokenizer, const struct sq_tokenizer_draft *draft, enum sq_normalise normalise,
                       struct sq_err *err)
{
    struct sq_build build = {.draft = draft, .made = calloc(1, sizeof *build.made)};
    *tokenizer = NULL;
    if (!build.made) return sq_err_set(err, SQ_E_NOMEM, "no memory for a tokenizer");
    build.made->tweet = normalise == SQ_NORMALISE_TWEET;
    int status = build_all(&build, err);
    sq_trie_deinit(&build.vocabulary);
    if (status) sq_tokenizer_close(build.made);
    else *tokenizer = build.made;
    return status;
}

void sq_tokenizer_close(struct sq_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    sq_trie_deinit(&tokenizer->wordpiece.whole);
    sq_trie_deinit(&tokenizer->wordpiece.continuing);
    sq_bpe_deinit(&tokenizer->bpe);
    sq_unigram_deinit(&tokenizer->unigram);
    sq_normaliser_deinit(&tokenizer->normaliser);
    sq_added_deinit(&tokenizer->added);
    sq_added_deinit(&tokenizer->normalised);
    free(tokenizer);
}
