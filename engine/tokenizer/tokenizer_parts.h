/* SPDX-License-Identifier: Apache-2.0 */
/* What a tokenizer is made of; for build.c and tokenizer.c alone. */
#ifndef SQ_ENGINE_TOKENIZER_PARTS_H
#define SQ_ENGINE_TOKENIZER_PARTS_H

#include "engine/tokenizer/added.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/words.h"

struct sq_tokenizer {
    struct sq_wordpiece wordpiece;
    struct sq_added added;      /* looked for in raw text */
    struct sq_added normalised; /* looked for in normalised text */
    int32_t first_id, last_id;  /* [CLS], [SEP] */
    unsigned ids_count;
    bool tweet;
    struct sq_chars chars;
    struct sq_chars plain; /* maps every character to itself: for text that is normalised already; set where `normalised` has any */
};

#endif
