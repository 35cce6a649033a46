/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's texts: real ones that people rated from -4 (most negative) to 4, shipped in ops/data/vader. */
#ifndef SQ_CLI_DEMO_TEXTS_H
#define SQ_CLI_DEMO_TEXTS_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

struct sq_demo_text {
    struct sq_str text; /* HTML entities undone */
    struct sq_str id;   /* of the line it came from, unique within its kind */
    float rating;
    enum { SQ_DEMO_TWEET, SQ_DEMO_PRODUCT, SQ_DEMO_EDITORIAL, SQ_DEMO_KINDS } kind;
};

struct sq_demo_texts {
    struct sq_buf files[SQ_DEMO_KINDS]; /* what the strings point into */
    struct sq_demo_text *items; /* owned */
    size_t count, capacity;
};

/* From ../../ops/data/vader or ../share/squall/data/vader next to the executable. SQ_E_IO names the file. */
int sq_demo_texts_load(struct sq_demo_texts *texts, struct sq_err *err);
void sq_demo_texts_deinit(struct sq_demo_texts *texts);

extern const char *const sq_demo_kind_words[SQ_DEMO_KINDS];

#endif
