/* SPDX-License-Identifier: Apache-2.0 */
/* The section model of tokenizer.json: the vocabulary, and how a word is covered with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

static int read_vocabulary(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    int status = sq_draft_read_vocabulary(draft, json_object_get(section, "vocab"), err);
    return status ? sq_err_prefix(err, "vocab: ") : 0;
}

static int read_wordpiece(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    int64_t chars_max = 0;
    draft->model = SQ_MODEL_WORDPIECE;
    int status = sq_draft_want_text(section, "unk_token", &draft->unknown, err);
    if (status == 0) status = sq_draft_want_text(section, "continuing_subword_prefix", &draft->prefix, err);
    if (status == 0) status = sq_draft_want_int(section, "max_input_chars_per_word", SQ_TOKENIZER_WORD_CHARS_MAX, &chars_max, err);
    draft->chars_max = (unsigned)chars_max;
    return status ? status : read_vocabulary(draft, section, err);
}

/* Options of BPE that no byte-level tokenizer uses: absent, null, false, 0 or "". */
static int refuse_options(const json_t *section, struct sq_err *err)
{
    static const char *const keys[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *member = json_object_get(section, keys[i]);
        bool is_zero = json_is_number(member) && json_number_value(member) == 0;
        bool is_empty = json_is_string(member) && json_string_length(member) == 0;
        if (!member || json_is_null(member) || json_is_false(member) || is_zero || is_empty) continue;
        return FAIL("%s: not supported, only byte-level BPE without it is: use a model with such a tokenizer", keys[i]);
    }
    return 0;
}

static struct sq_str text_of(const json_t *string)
{
    return (struct sq_str){json_string_value(string), json_string_length(string)};
}

/* Each is "left right" or ["left", "right"]. */
static int read_merge(struct sq_tokenizer_draft *draft, const json_t *item, struct sq_err *err)
{
    const json_t *left = json_array_get(item, 0), *right = json_array_get(item, 1);
    if (json_is_string(item)) return sq_draft_add_merge(draft, text_of(item), err);
    if (json_array_size(item) != 2 || !json_is_string(left) || !json_is_string(right)) return FAIL("expected two entries");
    draft->merges[draft->merges_count++] = (struct sq_draft_merge){text_of(left), text_of(right)};
    return 0;
}

static int read_merges(struct sq_tokenizer_draft *draft, const json_t *list, struct sq_err *err)
{
    if (!json_is_array(list)) return FAIL("merges: expected a list");
    int status = sq_draft_reserve_merges(draft, json_array_size(list), err);
    for (size_t i = 0; status == 0 && i < json_array_size(list); i++) {
        status = read_merge(draft, json_array_get(list, i), err);
        if (status) return sq_err_prefix(err, "merges[%zu]: ", i);
    }
    return status;
}

static int read_bpe(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const char *unknown = NULL;
    draft->model = SQ_MODEL_BPE;
    int status = refuse_options(section, err);
    if (status == 0) status = sq_json_get_text(section, "unk_token", NULL, &unknown, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(section, "fuse_unk", false, &draft->fuse_unknown, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(section, "ignore_merges", false, &draft->ignore_merges, SQ_E_MODEL_FILE, err);
    draft->unknown = sq_str_view(unknown);
    if (status == 0) status = read_vocabulary(draft, section, err);
    return status ? status : read_merges(draft, json_object_get(section, "merges"), err);
}

/* [["piece", score], ...], whose ids are its positions. */
static int read_pieces(struct sq_tokenizer_draft *draft, const json_t *list, struct sq_err *err)
{
    if (!json_is_array(list)) return FAIL("expected a list of pieces and their scores");
    size_t count = json_array_size(list);
    int status = sq_draft_reserve_entries(draft, count, err);
    if (status) return status;
    draft->scores = malloc(count * sizeof *draft->scores);
    if (!draft->scores) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu scores", count);
    for (size_t i = 0; status == 0 && i < count; i++) {
        const json_t *item = json_array_get(list, i), *piece = json_array_get(item, 0), *score = json_array_get(item, 1);
        if (!json_is_string(piece) || !json_is_number(score)) return FAIL("piece %zu: expected a string and a number", i);
        draft->scores[i] = json_number_value(score);
        status = sq_draft_add_entry(draft, text_of(piece), (int64_t)i, err);
    }
    return status;
}

static int read_unigram(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    draft->model = SQ_MODEL_UNIGRAM;
    int status = read_pieces(draft, json_object_get(section, "vocab"), err);
    if (status) return sq_err_prefix(err, "vocab: ");
    status = sq_draft_want_int(section, "unk_id", (int64_t)draft->entries_count - 1, &draft->unknown_id, err);
    if (status == 0 && draft->unknown_id < 0) status = FAIL("unk_id: expected a whole number, since texts may have any character");
    return status ? status : sq_json_get_bool(section, "byte_fallback", false, &draft->byte_fallback, SQ_E_MODEL_FILE, err);
}

int sq_draft_read_model(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    static const struct {
        const char *type;
        int (*read)(struct sq_tokenizer_draft *, const json_t *, struct sq_err *);
    } kinds[] = {{"WordPiece", read_wordpiece}, {"BPE", read_bpe}, {"Unigram", read_unigram}};
    const char *type = kinds[0].type; /* old files have none */
    if (!json_is_object(section)) return FAIL("type: missing, expected WordPiece, BPE or Unigram");
    bool has_type = json_object_get(section, "type");
    if (!has_type && json_object_get(section, "merges")) type = "BPE";
    if (!has_type && json_object_get(section, "unk_id")) type = "Unigram";
    int status = has_type ? sq_draft_want_type(section, &type, err) : 0;
    if (status) return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0) return kinds[i].read(draft, section, err);
    return sq_draft_refuse(type, "WordPiece, byte-level BPE and Unigram", err);
}
