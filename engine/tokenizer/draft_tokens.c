/* SPDX-License-Identifier: Apache-2.0 */
/* The special tokens of tokenizer_config.json, which become added tokens in the order in which transformers adds them. */
#include <stdlib.h>

#include "engine/tokenizer/draft_slow.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

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

int sq_draft_add_new_token(struct sq_tokenizer_draft *draft, struct sq_added_token token, struct sq_err *err)
{
    return is_added(draft, token.content) ? 0 : sq_draft_add_token(draft, token, err);
}

static int read_extra(struct sq_tokenizer_draft *draft, const json_t *config, const char *key, struct sq_err *err)
{
    const json_t *list = json_object_get(config, key);
    if (!list || json_is_null(list)) return 0;
    if (!json_is_array(list)) return FAIL("%s: expected a list", key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct sq_added_token token;
        int status = token_of(json_array_get(list, i), &token, err);
        if (status == 0) status = sq_draft_add_new_token(draft, token, err);
        if (status) return sq_err_prefix(err, "%s[%zu]: ", key, i);
    }
    return 0;
}

/* A special token by its name; *name is what it is called. It becomes an added token unless it is one already. */
static int read_named(struct sq_tokenizer_draft *draft, const struct sq_slow_class *slow_class, enum sq_slow_name which,
                      const char *key, struct sq_str *name, struct sq_err *err)
{
    const json_t *member = json_object_get(draft->root, key);
    struct sq_added_token token = {.content = sq_str_view(slow_class->usual[which])};
    token.lstrip = which == SQ_SLOW_mask && slow_class->mask_strips;
    bool is_given = member && !json_is_null(member);
    int status = is_given && !json_is_string(member) ? token_of(member, &token, err) : 0;
    if (status == 0 && is_given && json_is_string(member)) {
        token.content = (struct sq_str){json_string_value(member), json_string_length(member)};
    }
    *name = token.content;
    if (status == 0 && token.content.bytes) status = sq_draft_add_new_token(draft, token, err);
    return status ? sq_err_prefix(err, "%s: ", key) : 0;
}

int sq_draft_read_tokens(struct sq_tokenizer_draft *draft, const struct sq_slow_class *slow_class, struct sq_slow_tokens *tokens,
                         struct sq_err *err)
{
    static const char *const keys[] = {
#define KEY(name) #name "_token",
        SQ_SLOW_NAMES(KEY)
#undef KEY
    };
    json_t *decoder = json_object_get(draft->root, "added_tokens_decoder");
    int status = decoder ? read_decoder(draft, decoder, err) : 0;
    for (size_t i = 0; status == 0 && i < SQ_SLOW_NAMES_COUNT; i++)
        status = read_named(draft, slow_class, (enum sq_slow_name)i, keys[i], &tokens->names[i], err);
    if (status == 0) status = read_extra(draft, draft->root, "additional_special_tokens", err);
    if (status == 0) status = read_extra(draft, draft->root, "extra_special_tokens", err);
    draft->first = (struct sq_draft_special){-1, tokens->names[SQ_SLOW_cls]};
    draft->last = (struct sq_draft_special){-1, tokens->names[SQ_SLOW_sep]};
    return status;
}
