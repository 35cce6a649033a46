/* SPDX-License-Identifier: Apache-2.0 */
/* The section normalizer of tokenizer.json: one normaliser, or a Sequence of them. */
#include <string.h>

#include "engine/tokenizer/draft.h"

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

enum { CONTENT_BYTES_MAX = 256 };

static int read_bert(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    (void)draft;
    int status = sq_draft_want_bool(section, "clean_text", &step->clean, err);
    if (status == 0) status = sq_draft_want_bool(section, "handle_chinese_chars", &step->chinese, err);
    if (status == 0) status = sq_draft_want_bool(section, "lowercase", &step->lower, err);
    return status ? status : sq_json_get_bool(section, "strip_accents", step->lower, &step->strip, SQ_E_MODEL_FILE, err);
}

static int read_strip(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    (void)draft;
    int status = sq_draft_want_bool(section, "strip_left", &step->left, err);
    return status ? status : sq_draft_want_bool(section, "strip_right", &step->right, err);
}

/* The regular expressions that are worked out by hand: runs of white space. */
static int read_pattern(struct sq_step *step, const char *regex, struct sq_err *err)
{
    static const struct {
        const char *regex;
        unsigned run_min;
        bool run_of_spaces;
    } patterns[] = {{" {2,}", 2, true}, {" +", 1, true}, {"\\s+", 1, false}, {"\\s{2,}", 2, false}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (strcmp(regex, patterns[i].regex) != 0) continue;
        step->run_min = patterns[i].run_min;
        step->run_of_spaces = patterns[i].run_of_spaces;
        return 0;
    }
    return FAIL("pattern: the regular expression \"%.64s\" is not supported, only runs of white space and plain strings are: use "
                "a model with such a tokenizer", regex);
}

static int check_content(const struct sq_step *step, const char *key, struct sq_err *err)
{
    return step->content.bytes <= CONTENT_BYTES_MAX ? 0 : FAIL("%s: more than %d bytes", key, CONTENT_BYTES_MAX);
}

static int read_replace(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    (void)draft;
    const json_t *pattern = json_object_get(section, "pattern");
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    int status = sq_draft_want_text(section, "content", &step->content, err);
    if (status == 0 && regex) status = read_pattern(step, regex, err);
    if (status == 0 && !regex) {
        status = sq_draft_want_text(pattern, "String", &step->pattern, err);
        if (status) sq_err_prefix(err, "pattern.");
    }
    return status ? status : check_content(step, "content", err);
}

static int read_prepend(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    (void)draft;
    int status = sq_draft_want_text(section, "prepend", &step->content, err);
    return status ? status : check_content(step, "prepend", err);
}

static int value_of(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Appends what base64 says; false if it isn't that. */
static bool decode_base64(struct sq_buf *out, struct sq_str text)
{
    unsigned bits = 0, count = 0;
    while (text.bytes && text.data[text.bytes - 1] == '=') text.bytes--;
    for (size_t i = 0; i < text.bytes; i++) {
        int value = value_of(text.data[i]);
        if (value < 0) return false;
        bits = bits << 6 | (unsigned)value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        sq_buf_append_char(out, (char)(bits >> count & 0xff));
    }
    return true;
}

static int read_precompiled(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    struct sq_str map;
    int status = sq_draft_want_text(section, "precompiled_charsmap", &map, err);
    if (status) return status;
    if (draft->extra.bytes) return FAIL("only one Precompiled is supported");
    if (!decode_base64(&draft->extra, map)) return FAIL("precompiled_charsmap: not base64");
    if (sq_buf_failed(&draft->extra)) return sq_err_set(err, SQ_E_NOMEM, "no memory for a character map");
    step->content = sq_buf_view(&draft->extra);
    return 0;
}

static int read_nothing(struct sq_tokenizer_draft *draft, struct sq_step *step, const json_t *section, struct sq_err *err)
{
    (void)draft, (void)step, (void)section, (void)err;
    return 0;
}

static int read_step(struct sq_tokenizer_draft *draft, const char *type, const json_t *section, struct sq_err *err)
{
    static const struct {
        const char *type;
        int (*read)(struct sq_tokenizer_draft *, struct sq_step *, const json_t *, struct sq_err *);
    } readers[] = {
        {"BertNormalizer", read_bert}, {"Strip", read_strip}, {"Replace", read_replace}, {"Prepend", read_prepend},
        {"Precompiled", read_precompiled},
    };
    struct sq_step step = {.kind = sq_step_kind_find(type)};
    if (!step.kind) {
        return sq_draft_refuse(type, "BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Nmt, Strip, Replace, Prepend, "
                               "Precompiled and Sequences of them", err);
    }
    int (*read)(struct sq_tokenizer_draft *, struct sq_step *, const json_t *, struct sq_err *) = read_nothing;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(type, readers[i].type) == 0) read = readers[i].read;
    int status = read(draft, &step, section, err);
    if (status == 0 && draft->steps_count == SQ_NORMALISER_STEPS_MAX) status = FAIL("more than %d steps", SQ_NORMALISER_STEPS_MAX);
    if (status == 0) draft->steps[draft->steps_count++] = step;
    return status;
}

int sq_draft_read_normalizer(struct sq_tokenizer_draft *draft, const json_t *section, struct sq_err *err)
{
    const char *type;
    if (!section || json_is_null(section)) return 0;
    int status = sq_draft_want_type(section, &type, err);
    if (status || strcmp(type, "Sequence") != 0) return status ? status : read_step(draft, type, section, err);
    const json_t *list = json_object_get(section, "normalizers");
    if (!json_is_array(list)) return FAIL("normalizers: expected a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        status = sq_draft_want_type(json_array_get(list, i), &type, err);
        if (status == 0) status = read_step(draft, type, json_array_get(list, i), err);
        if (status) return sq_err_prefix(err, "normalizers[%zu].", i);
    }
    return 0;
}
