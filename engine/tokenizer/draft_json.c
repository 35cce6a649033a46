/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, the file of Hugging Face's `tokenizers`: one object with a section for each step. Each section has a reader;
 * errors get the section's name, then the file's, in front. `truncation`, `padding` and `decoder` are none of ours. */
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

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
        {"model", ".", sq_draft_read_model},
        {"normalizer", ".", sq_draft_read_normalizer},
        {"pre_tokenizer", ".", sq_draft_read_pre_tokenizer},
        {"post_processor", ".", sq_draft_read_post_processor},
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
