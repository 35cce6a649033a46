/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/utf8.h"

void sq_draft_deinit(struct sq_tokenizer_draft *draft)
{
    free(draft->entries);
    free(draft->added);
    json_decref(draft->root);
    sq_buf_deinit(&draft->file);
    *draft = (struct sq_tokenizer_draft){0};
}

int sq_draft_path(char path[SQ_DRAFT_PATH_BYTES], const char *model_dir, const char *file, struct sq_err *err)
{
    int bytes = snprintf(path, SQ_DRAFT_PATH_BYTES, "%s/%s", model_dir, file);
    if (bytes > 0 && bytes < SQ_DRAFT_PATH_BYTES) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "the model folder's path is longer than %d bytes", SQ_DRAFT_PATH_BYTES);
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
