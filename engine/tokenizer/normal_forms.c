/* SPDX-License-Identifier: Apache-2.0 */
/* A text is taken apart code point by code point into a run: a starter and what may still combine with it. When the next
 * starter comes, the run is put into canonical order, composed if the form wants it, and written. */
#include "engine/tokenizer/normal_forms.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "engine/tokenizer/ranges.h"

#include "engine/tokenizer/normal_forms_table.h"

enum { RUN_MAX = 256, DECOMPOSED_MAX = 18 /* of U+FDFA, the longest */ };

struct run {
    utf8proc_int32_t *characters, *sorted; /* [run_max]; sorted is scratch */
    uint8_t *classes;                      /* [run_max] canonical combining classes */
    size_t count, run_max;
    bool compatible, composed;
    struct sq_normal_out *out;
    void *block;                           /* owned: the arrays of a run that the stack has no room for */
};

/* Twice the room. No writing system comes near RUN_MAX combining characters, so texts in any of them allocate nothing. */
static void grow(struct run *run)
{
    size_t run_max = 2 * run->run_max;
    utf8proc_int32_t *block = malloc(run_max * (2 * sizeof *block + 1));
    if (!block) {
        run->out->is_full = true;
        run->count = 0;
        return;
    }
    uint8_t *classes = (uint8_t *)(block + 2 * run_max);
    memcpy(block, run->characters, run->count * sizeof *block);
    memcpy(classes, run->classes, run->count);
    free(run->block);
    run->characters = run->block = block;
    run->sorted = block + run_max;
    run->classes = classes;
    run->run_max = run_max;
}

static uint8_t class_of(utf8proc_int32_t c)
{
    return IN(inert, (uint32_t)c) ? 0 : (uint8_t)utf8proc_get_property(c)->combining_class;
}

/* Stable, by class, the marks in [begin, end): a counting sort. */
static void order(struct run *run, size_t begin, size_t end)
{
    size_t places[257] = {0};
    for (size_t i = begin; i < end; i++) places[run->classes[i] + 1]++;
    for (size_t class = 1; class < 257; class++) places[class] += places[class - 1];
    for (size_t i = begin; i < end; i++) run->sorted[places[run->classes[i]]++] = run->characters[i];
    memcpy(run->characters + begin, run->sorted, (end - begin) * sizeof *run->sorted);
}

static void order_all(struct run *run)
{
    size_t begin = 0;
    bool is_ordered = true;
    for (size_t i = 0; i <= run->count; i++) {
        if (i == run->count || run->classes[i] == 0) {
            if (!is_ordered) order(run, begin, i);
            begin = i + 1;
            is_ordered = true;
        } else if (i > begin && run->classes[i - 1] > run->classes[i]) {
            is_ordered = false;
        }
    }
}

static void flush(struct run *run)
{
    order_all(run);
    size_t count = run->count;
    if (run->composed && count > 1) {
        count = (size_t)utf8proc_normalize_utf32(run->characters, (utf8proc_ssize_t)count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    }
    for (size_t i = 0; i < count; i++) sq_normal_put_character(run->out, (uint32_t)run->characters[i]);
    run->count = 0;
}

static void add(struct run *run, utf8proc_int32_t c)
{
    uint8_t class = class_of(c);
    bool may_compose = run->composed && IN(composing, (uint32_t)c);
    if (class == 0 && !may_compose) flush(run);
    if (run->count == run->run_max) grow(run);
    run->characters[run->count] = c;
    run->classes[run->count++] = class;
}

static void take(struct run *run, utf8proc_int32_t c)
{
    if (IN(inert, (uint32_t)c)) {
        flush(run);
        sq_normal_put_character(run->out, (uint32_t)c);
        return;
    }
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    utf8proc_option_t options = UTF8PROC_DECOMPOSE | (run->compatible ? UTF8PROC_COMPAT : 0);
    utf8proc_ssize_t count = utf8proc_decompose_char(c, parts, DECOMPOSED_MAX, options, NULL);
    if (count < 1 || count > DECOMPOSED_MAX) count = 1, parts[0] = c;
    for (utf8proc_ssize_t i = 0; i < count; i++) add(run, parts[i]);
}

static void normalise(struct sq_str text, struct sq_normal_out *out, bool compatible, bool composed)
{
    utf8proc_int32_t characters[RUN_MAX], sorted[RUN_MAX];
    uint8_t classes[RUN_MAX];
    struct run run = {.characters = characters, .sorted = sorted, .classes = classes, .run_max = RUN_MAX, .compatible = compatible,
                      .composed = composed, .out = out};
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.bytes;
    while (at < end && !out->is_full) take(&run, (utf8proc_int32_t)sq_chars_next(&at));
    flush(&run);
    free(run.block);
}

void sq_normal_form_c(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    normalise(text, out, false, true);
}

void sq_normal_form_d(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    normalise(text, out, false, false);
}

void sq_normal_form_kc(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    normalise(text, out, true, true);
}

void sq_normal_form_kd(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out)
{
    (void)step;
    normalise(text, out, true, false);
}
