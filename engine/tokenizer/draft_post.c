/* SPDX-License-Identifier: Apache-2.0 */
/* The section post_processor of tokenizer.json: which token stands before a text, and which behind it. */
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

/* A pair of BertProcessing or RobertaProcessing: ["[SEP]", 102]. */
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

static int read_pairs(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
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

/* Any number of ByteLevel, which is about offsets, and one of the others. */
static int read_sequence(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const json_t *list = json_object_get(section, "processors"), *found = NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *type = json_string_value(json_object_get(json_array_get(list, i), "type"));
        if (type && strcmp(type, "ByteLevel") == 0) continue;
        if (found || (type && strcmp(type, "Sequence") == 0)) return FAIL("processors: expected one besides ByteLevel");
        found = json_array_get(list, i);
    }
    if (!found) return FAIL("processors: expected one that adds the special tokens");
    int status = sq_draft_read_post_processor(draft, found, err);
    return status ? sq_err_prefix(err, "processors: ") : 0;
}

int sq_draft_read_post_processor(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    static const struct {
        const char *type;
        int (*read)(struct sq_tokenizer_draft *, const json_t *, struct sq_err *);
    } kinds[] = {
        {"TemplateProcessing", read_template},
        {"BertProcessing", read_pairs},
        {"RobertaProcessing", read_pairs},
        {"Sequence", read_sequence},
    };
    static const char supported[] = "TemplateProcessing, BertProcessing, RobertaProcessing and a Sequence of ByteLevel and one of them";
    const char *type;
    if (!section || json_is_null(section)) return FAIL("type: missing, only %s are supported", supported);
    int status = sq_draft_want_type(section, &type, err);
    if (status) return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0) return kinds[i].read(draft, section, err);
    return sq_draft_refuse(type, supported, err);
}
