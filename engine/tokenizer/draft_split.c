/* SPDX-License-Identifier: Apache-2.0 */
/* The section pre_tokenizer of tokenizer.json. */
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

static int read_bert(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    (void)section, (void)err;
    draft->split = SQ_SPLIT_BERT;
    return 0;
}

static int read_byte_level(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    draft->split = SQ_SPLIT_BYTE_LEVEL;
    int status = sq_draft_want_bool(section, "add_prefix_space", &draft->add_prefix_space, err);
    return status ? status : sq_json_get_bool(section, "use_regex", true, &draft->use_regex, SQ_E_MODEL_FILE, err);
}

/* Old files have add_prefix_space, newer ones prepend_scheme. */
static int read_prepend(struct sq_metaspace *metaspace, const json_t *section, struct sq_err *err)
{
    static const char *const schemes[] = {
        [SQ_PREPEND_NEVER] = "never", [SQ_PREPEND_FIRST] = "first", [SQ_PREPEND_ALWAYS] = "always"};
    bool adds = true;
    const char *scheme = NULL;
    int status = sq_json_get_bool(section, "add_prefix_space", true, &adds, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_json_get_text(section, "prepend_scheme", adds ? "always" : "never", &scheme, SQ_E_MODEL_FILE, err);
    if (status) return status;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        metaspace->prepend = (enum sq_metaspace_prepend)i;
        if (strcmp(scheme, schemes[i]) == 0) return 0;
    }
    return FAIL("prepend_scheme: \"%.64s\" is none of always, first and never", scheme);
}

/* Whether a text's beginning is still that of the original, which "first" is about, only these steps leave alone. */
static const struct sq_step *moves_beginning(const struct sq_tokenizer_draft *draft)
{
    static const char *const keeping[] = {"NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Precompiled"};
    for (size_t i = 0; i < draft->steps_count; i++) {
        bool keeps = false;
        for (size_t k = 0; k < sizeof keeping / sizeof *keeping; k++) keeps |= strcmp(draft->steps[i].kind->name, keeping[k]) == 0;
        if (!keeps) return &draft->steps[i];
    }
    return NULL;
}

static int check_first(const struct sq_tokenizer_draft *draft, struct sq_err *err)
{
    const struct sq_step *step = moves_beginning(draft);
    const char *what = draft->metaspace.split_white ? "WhitespaceSplit" : step ? step->kind->name : NULL;
    if (!what) return 0;
    return FAIL("prepend_scheme: \"first\" is not supported behind %s, only always and never are: use a model with such a tokenizer",
                what);
}

static int read_metaspace(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    struct sq_str replacement;
    draft->split = SQ_SPLIT_METASPACE;
    int status = sq_draft_want_text(section, "replacement", &replacement, err);
    if (status == 0 && !sq_str_equal(replacement, SQ_STR("\xe2\x96\x81"))) status = FAIL("replacement: only U+2581 is supported");
    if (status == 0) status = sq_json_get_bool(section, "split", true, &draft->metaspace.split, SQ_E_MODEL_FILE, err);
    if (status == 0) status = read_prepend(&draft->metaspace, section, err);
    return status || draft->metaspace.prepend != SQ_PREPEND_FIRST ? status : check_first(draft, err);
}

static bool is_type(const json_t *section, const char *type)
{
    const char *found = json_string_value(json_object_get(section, "type"));
    return found && strcmp(found, type) == 0;
}

static int read_sequence(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const json_t *list = json_object_get(section, "pretokenizers");
    size_t count = json_array_size(list);
    int status;
    if (count == 1) status = sq_draft_read_pre_tokenizer(draft, json_array_get(list, 0), err);
    else if (count == 2 && is_type(json_array_get(list, 0), "WhitespaceSplit") && is_type(json_array_get(list, 1), "Metaspace")) {
        draft->metaspace.split_white = true;
        status = read_metaspace(draft, json_array_get(list, 1), err);
    } else return FAIL("pretokenizers: expected WhitespaceSplit and Metaspace: use a model with such a tokenizer");
    return status ? sq_err_prefix(err, "pretokenizers: ") : 0;
}

int sq_draft_read_pre_tokenizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    static const struct {
        const char *type;
        int (*read)(struct sq_tokenizer_draft *, const json_t *, struct sq_err *);
    } kinds[] = {
        {"BertPreTokenizer", read_bert},
        {"ByteLevel", read_byte_level},
        {"Metaspace", read_metaspace},
        {"Sequence", read_sequence},
    };
    static const struct {
        enum sq_model model;
        const char *name;
    } partners[] = {[SQ_SPLIT_BERT] = {SQ_MODEL_WORDPIECE, "WordPiece"},
                    [SQ_SPLIT_BYTE_LEVEL] = {SQ_MODEL_BPE, "BPE"},
                    [SQ_SPLIT_METASPACE] = {SQ_MODEL_UNIGRAM, "Unigram"}};
    static const char supported[] = "BertPreTokenizer, ByteLevel, Metaspace and WhitespaceSplit with Metaspace";
    const char *type;
    if (!section || json_is_null(section)) return FAIL("type: missing, only %s are supported", supported);
    int status = sq_draft_want_type(section, &type, err);
    if (status) return status;
    size_t i = 0, count = sizeof kinds / sizeof *kinds;
    while (i < count && strcmp(type, kinds[i].type) != 0) i++;
    if (i == count) return sq_draft_refuse(type, supported, err);
    status = kinds[i].read(draft, section, err);
    if (status || partners[draft->split].model == draft->model) return status;
    return FAIL("type: \"%.64s\" is supported with a model of type %s alone: use a model with such a tokenizer", type,
                partners[draft->split].name);
}
