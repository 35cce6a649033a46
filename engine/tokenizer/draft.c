/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/utf8.h"

void sq_draft_deinit(struct sq_tokenizer_draft *draft)
{
    free(draft->entries);
    free(draft->merges);
    free(draft->scores);
    free(draft->added);
    json_decref(draft->root);
    json_decref(draft->vocabulary);
    sq_buf_deinit(&draft->file);
    sq_buf_deinit(&draft->extra);
    *draft = (struct sq_tokenizer_draft){0};
}

int sq_draft_path(char path[SQ_DRAFT_PATH_BYTES], const char *model_dir, const char *file, struct sq_err *err)
{
    int bytes = snprintf(path, SQ_DRAFT_PATH_BYTES, "%s/%s", model_dir, file);
    if (bytes > 0 && bytes < SQ_DRAFT_PATH_BYTES) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "the model folder's path is longer than %d bytes", SQ_DRAFT_PATH_BYTES);
}

int sq_draft_reserve_entries(struct sq_tokenizer_draft *draft, size_t count, struct sq_err *err)
{
    if (count == 0 || count > SQ_TOKENIZER_ENTRIES_MAX) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "%zu entries, expected 1 to %d", count, SQ_TOKENIZER_ENTRIES_MAX);
    }
    draft->entries = malloc(count * sizeof *draft->entries);
    return draft->entries ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu entries", count);
}

int sq_draft_add_entry(struct sq_tokenizer_draft *draft, struct sq_str text, int64_t id, struct sq_err *err)
{
    if (id < 0 || id > SQ_TOKENIZER_ID_MAX) {
        int shown_bytes = text.bytes < 64 ? (int)text.bytes : 64;
        return sq_err_set(err, SQ_E_MODEL_FILE, "id %" PRId64 " of \"%.*s\" is not in [0, %d]", id, shown_bytes, text.data,
                          SQ_TOKENIZER_ID_MAX);
    }
    if (text.bytes > SQ_TOKENIZER_ENTRY_BYTES_MAX) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "the entry of id %" PRId64 " has %zu bytes, more than %d", id, text.bytes,
                          SQ_TOKENIZER_ENTRY_BYTES_MAX);
    }
    if (sq_utf8_valid_bytes(text) != text.bytes) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "the entry of id %" PRId64 " is not UTF-8", id);
    }
    draft->entries[draft->entries_count++] = (struct sq_trie_entry){text, (int32_t)id};
    return 0;
}

int sq_draft_read_vocabulary(struct sq_tokenizer_draft *draft, json_t *vocab, struct sq_err *err)
{
    const char *key;
    json_t *id;
    if (!json_is_object(vocab)) return sq_err_set(err, SQ_E_MODEL_FILE, "expected an object of entries and their ids");
    int status = sq_draft_reserve_entries(draft, json_object_size(vocab), err);
    if (status) return status;
    json_object_foreach(vocab, key, id) {
        if (!json_is_integer(id)) return sq_err_set(err, SQ_E_MODEL_FILE, "the id of \"%.64s\" is not a whole number", key);
        status = sq_draft_add_entry(draft, sq_str_view(key), json_integer_value(id), err);
        if (status) return status;
    }
    return 0;
}

int sq_draft_reserve_merges(struct sq_tokenizer_draft *draft, size_t count, struct sq_err *err)
{
    if (count > SQ_TOKENIZER_MERGES_MAX) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "%zu merges, more than %d", count, SQ_TOKENIZER_MERGES_MAX);
    }
    draft->merges = malloc((count + 1) * sizeof *draft->merges);
    return draft->merges ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for %zu merges", count);
}

int sq_draft_add_merge(struct sq_tokenizer_draft *draft, struct sq_str line, struct sq_err *err)
{
    const char *space = line.bytes ? memchr(line.data, ' ', line.bytes) : NULL;
    size_t left_bytes = space ? (size_t)(space - line.data) : 0;
    struct sq_str right = {line.data + left_bytes + 1, space ? line.bytes - left_bytes - 1 : 0};
    if (left_bytes == 0 || right.bytes == 0 || memchr(right.data, ' ', right.bytes)) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "expected two entries with a space between");
    }
    draft->merges[draft->merges_count++] = (struct sq_draft_merge){{line.data, left_bytes}, right};
    return 0;
}

int sq_draft_add_token(struct sq_tokenizer_draft *draft, struct sq_added_token token, struct sq_err *err)
{
    if (token.content.bytes == 0) return 0; /* as Hugging Face does */
    if (token.content.bytes > SQ_TOKENIZER_ADDED_BYTES_MAX) {
        return sq_err_set(err, SQ_E_MODEL_FILE, "content: %zu bytes, more than %d", token.content.bytes,
                          SQ_TOKENIZER_ADDED_BYTES_MAX);
    }
    if (draft->added_count == draft->added_max) {
        size_t room = draft->added_max ? 2 * draft->added_max : 16;
        if (room > SQ_TOKENIZER_ADDED_MAX) {
            return sq_err_set(err, SQ_E_MODEL_FILE, "more than %d added tokens", SQ_TOKENIZER_ADDED_MAX);
        }
        struct sq_added_token *added = realloc(draft->added, room * sizeof *added);
        if (!added) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu added tokens", room);
        draft->added = added;
        draft->added_max = room;
    }
    draft->added[draft->added_count++] = token;
    return 0;
}

int sq_draft_read_token(const json_t *object, struct sq_added_token *token, struct sq_err *err)
{
    const json_t *content = json_object_get(object, "content");
    if (!json_is_string(content)) return sq_err_set(err, SQ_E_MODEL_FILE, "content: expected a string");
    token->content = (struct sq_str){json_string_value(content), json_string_length(content)};
    struct {
        const char *key;
        bool *value;
    } flags[] = {{"single_word", &token->single_word},
                 {"lstrip", &token->lstrip},
                 {"rstrip", &token->rstrip},
                 {"normalized", &token->normalized}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        int status = sq_json_get_bool(object, flags[i].key, *flags[i].value, flags[i].value, SQ_E_MODEL_FILE, err);
        if (status) return status;
    }
    return 0;
}

int sq_draft_want_text(const json_t *object, const char *key, struct sq_str *text, struct sq_err *err)
{
    const json_t *member = json_object_get(object, key);
    if (!member) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: missing", key);
    if (!json_is_string(member)) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: expected a string", key);
    *text = (struct sq_str){json_string_value(member), json_string_length(member)};
    return 0;
}

int sq_draft_want_bool(const json_t *object, const char *key, bool *value, struct sq_err *err)
{
    const json_t *member = json_object_get(object, key);
    if (!member) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: missing", key);
    if (!json_is_boolean(member)) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: expected true or false", key);
    *value = json_is_true(member);
    return 0;
}

int sq_draft_want_int(const json_t *object, const char *key, int64_t max, int64_t *value, struct sq_err *err)
{
    if (!json_object_get(object, key)) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: missing", key);
    return sq_json_get_int(object, key, 0, max, -1, value, SQ_E_MODEL_FILE, err);
}

int sq_draft_want_type(const json_t *section, const char **type, struct sq_err *err)
{
    *type = json_string_value(json_object_get(section, "type"));
    return *type ? 0 : sq_err_set(err, SQ_E_MODEL_FILE, "type: expected a string");
}

int sq_draft_refuse(const char *type, const char *supported, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_MODEL_FILE, "type: \"%.64s\" is not supported, only %s: use a model with a tokenizer out of these",
                      type, supported);
}
