/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, the file of Hugging Face's `tokenizers`: one object with a section for each step. Each section has a reader
 * below; errors get the section's name, then the file's, in front. `truncation`, `padding` and `decoder` are none of ours. */
#include <stdlib.h>
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

/* A member that must be there and a string; it belongs to the object. */
static int want_text(const json_t *object, const char *key, struct sq_str *text, struct sq_err *err)
{
    const json_t *member = json_object_get(object, key);
    if (!member) return FAIL("%s: missing", key);
    if (!json_is_string(member)) return FAIL("%s: expected a string", key);
    *text = (struct sq_str){json_string_value(member), json_string_length(member)};
    return 0;
}

static int want_bool(const json_t *object, const char *key, bool *value, struct sq_err *err)
{
    const json_t *member = json_object_get(object, key);
    if (!member) return FAIL("%s: missing", key);
    if (!json_is_boolean(member)) return FAIL("%s: expected true or false", key);
    *value = json_is_true(member);
    return 0;
}

static int want_int(const json_t *object, const char *key, int64_t max, int64_t *value, struct sq_err *err)
{
    if (!json_object_get(object, key)) return FAIL("%s: missing", key);
    return sq_json_get_int(object, key, 0, max, -1, value, SQ_E_MODEL_FILE, err);
}

/* The section must be an object of this type. */
static int want_type(const json_t *section, const char *type, struct sq_err *err)
{
    if (!json_is_object(section)) return FAIL("type: expected an object of type \"%s\"", type);
    const json_t *found = json_object_get(section, "type");
    if (!json_is_string(found)) return FAIL("type: expected \"%s\"", type);
    if (strcmp(json_string_value(found), type) == 0) return 0;
    return FAIL("type: \"%.64s\" is not supported, only BERT's WordPiece tokenizers are (\"%s\" here): use a BERT or DistilBERT "
                "model", json_string_value(found), type);
}

static int read_normalizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    if (!section || json_is_null(section)) return 0;
    int status = want_type(section, "BertNormalizer", err);
    if (status == 0) status = want_bool(section, "clean_text", &draft->clean, err);
    if (status == 0) status = want_bool(section, "handle_chinese_chars", &draft->chinese, err);
    if (status == 0) status = want_bool(section, "lowercase", &draft->lower, err);
    if (status == 0) status = sq_json_get_bool(section, "strip_accents", draft->lower, &draft->strip, SQ_E_MODEL_FILE, err);
    return status;
}

static int read_pre_tokenizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    (void)draft;
    if (!section || json_is_null(section)) return FAIL("type: missing, expected \"BertPreTokenizer\"");
    return want_type(section, "BertPreTokenizer", err);
}

static int read_vocab(struct sq_tokenizer_draft *draft, json_t *vocab, struct sq_err *err)
{
    if (!json_is_object(vocab)) return FAIL("expected an object of entries and their ids");
    size_t count = json_object_size(vocab);
    if (count == 0 || count > SQ_TOKENIZER_ENTRIES_MAX) {
        return FAIL("%zu entries, expected 1 to %d", count, SQ_TOKENIZER_ENTRIES_MAX);
    }
    draft->entries = malloc(count * sizeof *draft->entries);
    if (!draft->entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", count);

    const char *key;
    json_t *id;
    json_object_foreach(vocab, key, id) {
        if (!json_is_integer(id)) return FAIL("the id of \"%.64s\" is not a whole number", key);
        int status = sq_draft_add_entry(draft, sq_str_view(key), json_integer_value(id), err);
        if (status) return status;
    }
    return 0;
}

static int read_model(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    if (!json_is_object(section)) return FAIL("type: missing, expected \"WordPiece\"");
    int status = json_object_get(section, "type") ? want_type(section, "WordPiece", err) : 0; /* old files have none */
    if (status == 0) status = want_text(section, "unk_token", &draft->unknown, err);
    if (status == 0) status = want_text(section, "continuing_subword_prefix", &draft->prefix, err);
    int64_t chars_max = 0;
    if (status == 0) status = want_int(section, "max_input_chars_per_word", SQ_TOKENIZER_WORD_CHARS_MAX, &chars_max, err);
    if (status) return status;
    draft->chars_max = (unsigned)chars_max;
    status = read_vocab(draft, json_object_get(section, "vocab"), err);
    return status ? sq_err_prefix(err, "vocab: ") : 0;
}

static int read_added(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    if (!section || json_is_null(section)) return 0;
    if (!json_is_array(section)) return FAIL(": expected a list");
    for (size_t i = 0; i < json_array_size(section); i++) {
        const json_t *object = json_array_get(section, i);
        struct sq_added_token token = {0};
        bool special = false;
        int status = json_is_object(object) ? 0 : FAIL("content: expected an object that has it");
        if (status == 0) status = sq_json_get_bool(object, "special", false, &special, SQ_E_MODEL_FILE, err);
        token.normalized = !special;
        if (status == 0) status = sq_draft_read_token(object, &token, err);
        if (status == 0) status = sq_draft_add_token(draft, token, err);
        if (status) return sq_err_prefix(err, "[%zu].", i);
    }
    return 0;
}

/* A BertProcessing pair: ["[SEP]", 102]. */
static int read_pair(const json_t *section, const char *key, struct sq_draft_special *special, struct sq_err *err)
{
    const json_t *pair = json_object_get(section, key);
    const json_t *id = json_array_get(pair, 1);
    if (json_array_size(pair) != 2 || !json_is_string(json_array_get(pair, 0)) || !json_is_integer(id)) {
        return FAIL("%s: expected a token and its id", key);
    }
    if (json_integer_value(id) < 0 || json_integer_value(id) > SQ_TOKENIZER_ID_MAX) return FAIL("%s: the id is out of range", key);
    special->id = (int32_t)json_integer_value(id);
    return 0;
}

static int read_bert_processing(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    int status = read_pair(section, "cls", &draft->first, err);
    return status ? status : read_pair(section, "sep", &draft->last, err);
}

/* A template's {"SpecialToken": {"id": "[CLS]"}}, whose ids stand under special_tokens. */
static int read_template_token(const json_t *section, size_t index, struct sq_draft_special *special, struct sq_err *err)
{
    const json_t *item = json_object_get(json_array_get(json_object_get(section, "single"), index), "SpecialToken");
    const char *name = json_string_value(json_object_get(item, "id"));
    if (!name) return FAIL("single[%zu]: expected a SpecialToken with an id", index);
    const json_t *ids = json_object_get(json_object_get(json_object_get(section, "special_tokens"), name), "ids");
    const json_t *id = json_array_get(ids, 0);
    if (json_array_size(ids) != 1 || !json_is_integer(id)) return FAIL("special_tokens: expected one id for \"%.64s\"", name);
    if (json_integer_value(id) < 0 || json_integer_value(id) > SQ_TOKENIZER_ID_MAX) {
        return FAIL("special_tokens: the id of \"%.64s\" is out of range", name);
    }
    special->id = (int32_t)json_integer_value(id);
    return 0;
}

static int read_template(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const json_t *single = json_object_get(section, "single");
    const json_t *middle = json_object_get(json_array_get(single, 1), "Sequence");
    if (json_array_size(single) != 3 || !json_is_object(middle)) {
        return FAIL("single: expected one special token, the text, and one special token");
    }
    int status = read_template_token(section, 0, &draft->first, err);
    return status ? status : read_template_token(section, 2, &draft->last, err);
}

static int read_post_processor(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const json_t *type = json_object_get(section, "type");
    if (!json_is_object(section) || !json_is_string(type)) {
        return FAIL("type: missing, expected \"TemplateProcessing\" or \"BertProcessing\"");
    }
    if (strcmp(json_string_value(type), "BertProcessing") == 0) return read_bert_processing(draft, section, err);
    int status = want_type(section, "TemplateProcessing", err);
    return status ? status : read_template(draft, section, err);
}

static int read_version(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    (void)draft;
    if (!section || (json_is_string(section) && strcmp(json_string_value(section), "1.0") == 0)) return 0;
    return FAIL(": expected \"1.0\"");
}

static int read_sections(struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    /* model first: the reason why a whole kind of tokenizer isn't supported says most. */
    static const struct {
        const char *key, *separator;
        int (*read)(struct sq_tokenizer_draft *, const json_t *, struct sq_err *);
    } sections[] = {
        {"version", "", read_version},
        {"model", ".", read_model},
        {"normalizer", ".", read_normalizer},
        {"pre_tokenizer", ".", read_pre_tokenizer},
        {"post_processor", ".", read_post_processor},
        {"added_tokens", "", read_added},
    };
    if (!json_is_object(draft->root)) return FAIL("the file is not a JSON object");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        int status = sections[i].read(draft, json_object_get(draft->root, sections[i].key), err);
        if (status) return sq_err_prefix(err, "%s%s", sections[i].key, sections[i].separator);
    }
    return 0;
}

int sq_draft_parse_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_str text, struct sq_err *err)
{
    int status = sq_json_parse(&draft->root, path, text, SQ_E_MODEL_FILE, err);
    if (status) return status;
    status = read_sections(draft, err);
    return status ? sq_err_prefix(err, "%s: ", path) : 0;
}

int sq_draft_read_json(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    int status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status) return status;
    return sq_draft_parse_json(draft, path, sq_buf_view(&draft->file), err);
}
