/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/normaliser.h"

#include <stdlib.h>

#include "engine/base/utf8.h"
#include "engine/tokenizer/normal_forms.h"
#include "engine/tokenizer/ranges.h"

static void run_bert(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    enum { RUN_MAX = 512 };
    struct sq_char run[RUN_MAX];
    if (SQ_CHARS_GROWTH * text.bytes > out->bytes_max) out->is_full = true;
    else out->bytes = sq_chars_normalise(step->chars, text, run, RUN_MAX, out->data);
}

static void run_charsmap(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    sq_charsmap_run(step->charsmap, text, out);
}

/* Calls for each code point. */
#define EACH_CHARACTER(text, code_point)                                                                                          \
    for (const unsigned char *at_ = (const unsigned char *)(text).data, *end_ = at_ + (text).bytes;                               \
         at_ < end_ && ((code_point) = sq_chars_next(&at_), true);)

static void run_lowercase(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    uint32_t code_point;
    EACH_CHARACTER(text, code_point) {
        uint32_t lower[2];
        unsigned count = sq_chars_lower(code_point, lower);
        for (unsigned i = 0; i < count; i++) sq_normal_put_character(out, lower[i]);
    }
}

static void run_strip_accents(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    uint32_t code_point;
    EACH_CHARACTER(text, code_point) {
        if (!sq_chars_is_combining(code_point)) sq_normal_put_character(out, code_point);
    }
}

/* SentencePiece's own rules without a map. */
static const struct range nmt_gone[] = {{0x01, 0x08}, {0x0b, 0x0b}, {0x0e, 0x1f}, {0x7f, 0x7f}, {0x8f, 0x8f}, {0x9f, 0x9f}};
static const struct range nmt_spaces[] = {{0x09, 0x0a},     {0x0c, 0x0d},     {0x1680, 0x1680}, {0x200b, 0x200f},
                                          {0x2028, 0x2029}, {0x2581, 0x2581}, {0xfeff, 0xfeff}, {0xfffd, 0xfffd}};

static void run_nmt(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    uint32_t c;
    EACH_CHARACTER(text, c) {
        bool is_gone = IN(nmt_gone, c);
        bool is_space = IN(nmt_spaces, c);
        if (!is_gone) sq_normal_put_character(out, is_space ? ' ' : c);
    }
}

static void run_strip(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    const unsigned char *begin = (const unsigned char *)text.data, *end = begin + text.bytes;
    while (step->left && begin < end) {
        const unsigned char *next = begin;
        if (!sq_chars_is_space(sq_chars_next(&next))) break;
        begin = next;
    }
    const unsigned char *kept = begin;
    for (const unsigned char *at = begin; step->right && at < end;)
        if (!sq_chars_is_space(sq_chars_next(&at))) kept = at;
    sq_normal_put(out, (struct sq_str){(const char *)begin, (size_t)((step->right ? kept : end) - begin)});
}

static void run_prepend(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    if (text.bytes) sq_normal_put(out, step->content);
    sq_normal_put(out, text);
}

/* Bytes of the match that begins at `at`, or 0. */
static size_t match_run(const struct sq_step *step, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *begin = at;
    unsigned count = 0;
    while (at < end) {
        const unsigned char *next = at;
        uint32_t code_point = sq_chars_next(&next);
        if (step->run_of_spaces ? code_point != ' ' : !sq_chars_is_space(code_point)) break;
        at = next;
        count++;
    }
    return count >= step->run_min ? (size_t)(at - begin) : 0;
}

static size_t match(const struct sq_step *step, const unsigned char *at, const unsigned char *end)
{
    if (step->run_min) return match_run(step, at, end);
    size_t bytes = step->pattern.bytes;
    return bytes && (size_t)(end - at) >= bytes && memcmp(at, step->pattern.data, bytes) == 0 ? bytes : 0;
}

static void run_replace(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.bytes;
    while (at < end && !out->is_full) {
        const unsigned char *begin = at;
        size_t bytes = 0;
        while (at < end && (bytes = match(step, at, end)) == 0) sq_chars_next(&at);
        sq_normal_put(out, (struct sq_str){(const char *)begin, (size_t)(at - begin)});
        if (bytes) sq_normal_put(out, step->content);
        at += bytes;
    }
}

static const struct sq_step_kind kinds[] = {
    {"BertNormalizer", run_bert, false},
    {"NFC", sq_normal_form_c, true},
    {"NFD", sq_normal_form_d, true},
    {"NFKC", sq_normal_form_kc, true},
    {"NFKD", sq_normal_form_kd, true},
    {"Lowercase", run_lowercase, false},
    {"StripAccents", run_strip_accents, true},
    {"Nmt", run_nmt, false},
    {"Strip", run_strip, false},
    {"Replace", run_replace, false},
    {"Prepend", run_prepend, false},
    {"Precompiled", run_charsmap, false},
};

const struct sq_step_kind *sq_step_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

void sq_normal_put_character(struct sq_normal_out *out, uint32_t code_point)
{
    char bytes[4];
    sq_normal_put(out, (struct sq_str){bytes, sq_utf8_encode(code_point, bytes)});
}

bool sq_normaliser_run(const struct sq_normaliser *normaliser, struct sq_str text, char *buffers[2], size_t buffer_bytes,
                       struct sq_str *normal)
{
    for (size_t i = 0; i < normaliser->steps_count; i++) {
        const struct sq_step *step = &normaliser->steps[i];
        if (step->kind->keeps_ascii && sq_chars_is_ascii(text)) continue;
        struct sq_normal_out out = {.data = text.data == buffers[0] ? buffers[1] : buffers[0], .bytes_max = buffer_bytes};
        step->kind->run(step, text, &out);
        if (out.is_full) return false;
        text = (struct sq_str){out.data, out.bytes};
    }
    *normal = text;
    return true;
}

/* ---- set-up ---- */

static struct sq_str keep(char **at, struct sq_str text)
{
    char *copy = *at;
    if (text.bytes) memcpy(copy, text.data, text.bytes);
    *at += text.bytes;
    return (struct sq_str){copy, text.bytes};
}

static int init_chars(struct sq_step *step)
{
    step->chars = malloc(sizeof *step->chars);
    if (!step->chars) return SQ_E_NOMEM;
    step->chars->clean = step->clean;
    step->chars->chinese = step->chinese;
    step->chars->strip = step->strip;
    step->chars->lower = step->lower;
    sq_chars_init(step->chars);
    return 0;
}

static int init_step(struct sq_step *step, char **at, struct sq_err *err)
{
    int status = 0;
    step->pattern = keep(at, step->pattern);
    step->content = keep(at, step->content);
    if (step->kind->run == run_bert) status = init_chars(step);
    if (step->kind->run == run_charsmap) {
        step->charsmap = malloc(sizeof *step->charsmap);
        status = step->charsmap ? sq_charsmap_init(step->charsmap, step->content, err) : SQ_E_NOMEM;
    }
    return status == SQ_E_NOMEM ? sq_err_set(err, SQ_E_NOMEM, "no memory for a normaliser") : status;
}

int sq_normaliser_init(struct sq_normaliser *normaliser, const struct sq_step *steps, size_t steps_count, struct sq_err *err)
{
    size_t bytes = 1;
    for (size_t i = 0; i < steps_count; i++) bytes += steps[i].pattern.bytes + steps[i].content.bytes;
    *normaliser = (struct sq_normaliser){.texts = malloc(bytes)};
    if (!normaliser->texts) return sq_err_set(err, SQ_E_NOMEM, "no memory for a normaliser");
    char *at = normaliser->texts;
    for (size_t i = 0; i < steps_count; i++) {
        struct sq_step *step = &normaliser->steps[normaliser->steps_count++];
        *step = steps[i];
        step->chars = NULL;
        step->charsmap = NULL;
        int status = init_step(step, &at, err);
        if (status) {
            sq_normaliser_deinit(normaliser);
            return status;
        }
    }
    return 0;
}

void sq_normaliser_deinit(struct sq_normaliser *normaliser)
{
    for (size_t i = 0; i < normaliser->steps_count; i++) {
        free(normaliser->steps[i].chars);
        free(normaliser->steps[i].charsmap);
    }
    free(normaliser->texts);
    *normaliser = (struct sq_normaliser){0};
}
