/* SPDX-License-Identifier: Apache-2.0 */
/* What a text goes through before it is cut into words: a list of steps, each from one buffer into the other. normaliser.c has
 * the table of them, by the names that they have in tokenizer.json. */
#ifndef SQ_ENGINE_TOKENIZER_NORMALISER_H
#define SQ_ENGINE_TOKENIZER_NORMALISER_H

#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/charsmap.h"

enum { SQ_NORMALISER_STEPS_MAX = 16 };

/* One step as the file has it; which members count depends on the kind. Texts are borrowed until sq_normaliser_init copies them. */
struct sq_step {
    const struct sq_step_kind *kind;
    bool clean, chinese, strip, lower; /* BertNormalizer */
    bool left, right;                  /* Strip */
    struct sq_str pattern;             /* Replace: a plain text to look for, unless run_min is set */
    unsigned run_min;                  /* Replace: look for runs of so many white characters or more */
    bool run_of_spaces;                /* Replace: which are plain spaces alone */
    struct sq_str content;             /* Replace, Prepend; Precompiled: the map as SentencePiece has it */

    struct sq_chars *chars;            /* BertNormalizer; this and the next are owned by the normaliser */
    struct sq_charsmap *charsmap;      /* Precompiled; views content */
};

/* Where a step writes to. What does not fit sets is_full and is dropped. */
struct sq_normal_out {
    char *data;
    size_t bytes, bytes_max;
    bool is_full;
};

struct sq_step_kind {
    const char *name; /* in tokenizer.json */
    void (*run)(const struct sq_step *step, struct sq_str text, struct sq_normal_out *out);
    bool keeps_ascii; /* pure ASCII stays as it is */
};

/* The kind of this name, or NULL. */
const struct sq_step_kind *sq_step_kind_find(const char *name);

struct sq_normaliser {
    struct sq_step steps[SQ_NORMALISER_STEPS_MAX];
    size_t steps_count;
    char *texts; /* owned: what pattern and content point into */
};

/* Copies the steps and their texts. SQ_E_MODEL_FILE: a charsmap that isn't one. */
int sq_normaliser_init(struct sq_normaliser *normaliser, const struct sq_step *steps, size_t steps_count, struct sq_err *err);
void sq_normaliser_deinit(struct sq_normaliser *normaliser);

/* The most bytes that a text may become, enough for four times its size, as every language in use stays below, and some more. */
static inline size_t sq_normaliser_bytes_max(size_t text_bytes) { return 4 * text_bytes + 65536; }

/* Runs all steps over a valid text; *normal is the text itself if nothing changes, else lies in one of the buffers, each of
 * sq_normaliser_bytes_max. False: it becomes more than that. */
bool sq_normaliser_run(const struct sq_normaliser *normaliser, struct sq_str text, char *buffers[2], size_t buffer_bytes,
                       struct sq_str *normal);

/* Appends to what a step writes. */
void sq_normal_put_character(struct sq_normal_out *out, uint32_t code_point);
static inline void sq_normal_put(struct sq_normal_out *out, struct sq_str text)
{
    if (text.bytes > out->bytes_max - out->bytes) {
        out->is_full = true;
        return;
    }
    if (text.bytes) memcpy(out->data + out->bytes, text.data, text.bytes);
    out->bytes += text.bytes;
}

#endif
