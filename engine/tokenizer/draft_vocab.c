/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.txt, an entry a line whose number is its id, for folders without tokenizer.json. The settings stand in
 * tokenizer_config.json, or have BERT's defaults. Special tokens become added tokens in the order in which transformers adds
 * them, which decides the ids of those that are not in the vocabulary. never_split is not used, as the fast tokenizers don't. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

enum { CONFIG_BYTES_MAX = 1 << 20 };

/* Without white space at its end. */
static struct sq_str trim_end(struct sq_str line)
{
    while (line.bytes > 0) {
        const unsigned char *last = (const unsigned char *)line.data + line.bytes - 1;
        while ((*last & 0xc0) == 0x80) last--;
        size_t bytes = (size_t)(last - (const unsigned char *)line.data);
        if (!sq_chars_is_space(sq_chars_next(&last))) break;
        line.bytes = bytes;
    }
    return line;
}

static int read_lines(struct sq_tokenizer_draft *draft, const char *path, struct sq_err *err)
{
    struct sq_str rest = sq_buf_view(&draft->file);
    size_t lines_max = 1;
    for (size_t i = 0; i < rest.bytes; i++) lines_max += rest.data[i] == '\n';
    if (lines_max > SQ_TOKENIZER_ENTRIES_MAX) return FAIL("%s: more than %d lines", path, SQ_TOKENIZER_ENTRIES_MAX);
    draft->entries = malloc(lines_max * sizeof *draft->entries);
    if (!draft->entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", lines_max);

    for (int64_t id = 0; rest.bytes > 0; id++) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        struct sq_str line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.bytes};
        if (sq_utf8_valid_bytes(line) != line.bytes) return FAIL("%s:%" PRId64 ": not valid UTF-8", path, id + 1);
        int status = sq_draft_add_entry(draft, trim_end(line), id, err);
        if (status) return sq_err_prefix(err, "%s:%" PRId64 ": ", path, id + 1);
        size_t step = line.bytes + (newline ? 1 : 0);
        rest = (struct sq_str){rest.data + step, rest.bytes - step};
    }
    return 0;
}

/* An object of one of the small files, or none where the file is absent. */
static int read_object(const char *model_dir, const char *file, json_t **object, struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    int status = sq_draft_path(path, model_dir, file, err);
    if (status || access(path, F_OK) != 0) return status;
    struct sq_buf text;
    sq_buf_init(&text);
    status = sq_json_read_file(&text, path, CONFIG_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_parse(object, path, sq_buf_view(&text), SQ_E_MODEL_FILE, err);
    sq_buf_deinit(&text);
    if (status == 0 && !json_is_object(*object)) status = FAIL("%s: expected an object", path);
    return status;
}

static int read_class(const json_t *config, struct sq_err *err)
{
    static const char *const classes[] = {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer"};
    const char *name = NULL;
    int status = sq_json_get_text(config, "tokenizer_class", classes[0], &name, SQ_E_MODEL_FILE, err);
    if (status) return status;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        size_t bytes = strlen(classes[i]);
        if (strncmp(name, classes[i], bytes) == 0 && (name[bytes] == 0 || strcmp(name + bytes, "Fast") == 0)) return 0;
    }
    return FAIL("tokenizer_class: \"%.64s\" is not supported, only BERT's WordPiece tokenizers are: use a BERT or DistilBERT "
                "model, or add the tokenizer.json that the fast tokenizer saves", name);
}

static int read_flags(struct sq_tokenizer_draft *draft, const json_t *config, struct sq_err *err)
{
    draft->clean = true;
    draft->chars_max = 100;
    draft->prefix = SQ_STR("##");
    int status = sq_json_get_bool(config, "do_lower_case", true, &draft->lower, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(config, "strip_accents", draft->lower, &draft->strip, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_bool(config, "tokenize_chinese_chars", true, &draft->chinese, SQ_E_MODEL_FILE, err);
    return status;
}

/* A token as a plain string, which is special, or as an object of its content and flags. */
static int token_of(const json_t *member, struct sq_added_token *token, struct sq_err *err)
{
    *token = (struct sq_added_token){0};
    if (json_is_object(member)) return sq_draft_read_token(member, token, err);
    if (!json_is_string(member)) return FAIL("expected a string or an object");
    token->content = (struct sq_str){json_string_value(member), json_string_length(member)};
    return 0;
}

static bool is_added(const struct sq_tokenizer_draft *draft, struct sq_str content)
{
    for (size_t i = 0; i < draft->added_count; i++)
        if (sq_str_equal(draft->added[i].content, content)) return true;
    return false;
}

static int compare_ids(const void *left, const void *right)
{
    const struct sq_added_token *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

/* {"101": {"content": "[CLS]", ...}, ...}, added in the order of the ids. */
static int read_decoder(struct sq_tokenizer_draft *draft, json_t *decoder, struct sq_err *err)
{
    if (!json_is_object(decoder)) return FAIL("added_tokens_decoder: expected an object");
    const char *key;
    json_t *member;
    json_object_foreach(decoder, key, member) {
        struct sq_added_token token = {.normalized = true};
        bool special = false;
        int status = json_is_object(member) ? 0 : FAIL("expected an object");
        if (status == 0) status = sq_json_get_bool(member, "special", false, &special, SQ_E_MODEL_FILE, err);
        token.normalized = !special;
        if (status == 0) status = sq_draft_read_token(member, &token, err);
        char *end = NULL;
        long id = strtol(key, &end, 10);
        if (status == 0 && (*key == 0 || *end || id < 0 || id > SQ_TOKENIZER_ID_MAX)) status = FAIL("the id is out of range");
        token.id = (int32_t)id;
        if (status == 0) status = sq_draft_add_token(draft, token, err);
        if (status) return sq_err_prefix(err, "added_tokens_decoder.%.32s: ", key);
    }
    if (draft->added_count) qsort(draft->added, draft->added_count, sizeof *draft->added, compare_ids);
    return 0;
}

/* A special token by its name; *content is what it is called. It becomes an added token unless it is one already. */
static int read_named(struct sq_tokenizer_draft *draft, const json_t *config, const char *key, const char *usual,
                      struct sq_str *content, struct sq_err *err)
{
    const json_t *member = json_object_get(config, key);
    struct sq_added_token token = {.content = sq_str_view(usual)};
    int status = member && !json_is_null(member) ? token_of(member, &token, err) : 0;
    *content = token.content;
    if (status == 0 && !is_added(draft, token.content)) status = sq_draft_add_token(draft, token, err);
    return status ? sq_err_prefix(err, "%s: ", key) : 0;
}

static int read_extra(struct sq_tokenizer_draft *draft, const json_t *config, const char *key, struct sq_err *err)
{
    const json_t *list = json_object_get(config, key);
    if (!list || json_is_null(list)) return 0;
    if (!json_is_array(list)) return FAIL("%s: expected a list", key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct sq_added_token token;
        int status = token_of(json_array_get(list, i), &token, err);
        if (status == 0 && !is_added(draft, token.content)) status = sq_draft_add_token(draft, token, err);
        if (status) return sq_err_prefix(err, "%s[%zu]: ", key, i);
    }
    return 0;
}

static int read_tokens(struct sq_tokenizer_draft *draft, json_t *config, struct sq_err *err)
{
    json_t *decoder = json_object_get(config, "added_tokens_decoder");
    int status = decoder ? read_decoder(draft, decoder, err) : 0;
    struct sq_str unused;
    struct {
        const char *key, *usual;
        struct sq_str *content;
    } names[] = {
        {"unk_token", "[UNK]", &draft->unknown},
        {"sep_token", "[SEP]", &draft->last.text},
        {"pad_token", "[PAD]", &unused},
        {"cls_token", "[CLS]", &draft->first.text},
        {"mask_token", "[MASK]", &unused},
    };
    for (size_t i = 0; status == 0 && i < sizeof names / sizeof *names; i++)
        status = read_named(draft, config, names[i].key, names[i].usual, names[i].content, err);
    if (status == 0) status = read_extra(draft, config, "additional_special_tokens", err);
    if (status == 0) status = read_extra(draft, config, "extra_special_tokens", err);
    draft->first.id = draft->last.id = -1;
    return status;
}

/* draft->root becomes tokenizer_config.json, with special_tokens_map.json over it where the former has no list of its own. */
static int read_config(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err)
{
    json_t *map = NULL, *legacy = NULL;
    int status = read_object(model_dir, "tokenizer_config.json", &draft->root, err);
    if (status == 0 && !draft->root) draft->root = json_object();
    if (status == 0 && !draft->root) status = sq_err_set(err, SQ_E_NOMEM, "no memory for a tokenizer");
    if (status || json_object_get(draft->root, "added_tokens_decoder")) return status;

    status = read_object(model_dir, "special_tokens_map.json", &map, err);
    if (status == 0 && map) json_object_update(draft->root, map);
    if (status == 0) status = read_object(model_dir, "added_tokens.json", &legacy, err);
    if (status == 0 && json_object_size(legacy) > 0) {
        status = FAIL("%s/added_tokens.json: not supported beside vocab.txt: add the tokenizer.json that the fast tokenizer saves",
                      model_dir);
    }
    json_decref(map);
    json_decref(legacy);
    return status;
}

int sq_draft_read_vocab(struct sq_tokenizer_draft *draft, const char *model_dir, struct sq_err *err)
{
    char path[SQ_DRAFT_PATH_BYTES];
    int status = sq_draft_path(path, model_dir, "vocab.txt", err);
    if (status == 0) status = sq_json_read_file(&draft->file, path, SQ_TOKENIZER_FILE_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = read_lines(draft, path, err);
    if (status == 0) status = read_config(draft, model_dir, err);
    if (status) return status;

    status = read_class(draft->root, err);
    if (status == 0) status = read_flags(draft, draft->root, err);
    if (status == 0) status = read_tokens(draft, draft->root, err);
    return status ? sq_err_prefix(err, "%s/tokenizer_config.json: ", model_dir) : 0;
}
