/* SPDX-License-Identifier: Apache-2.0 */
/* What a tokenizer is made of; for build.c and tokenizer.c alone. */
#ifndef SQ_ENGINE_TOKENIZER_PARTS_H
#define SQ_ENGINE_TOKENIZER_PARTS_H

#include "engine/tokenizer/added.h"
#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/byte_level.h"
#include "engine/tokenizer/chars.h"
#include "engine/tokenizer/draft.h"
#include "engine/tokenizer/metaspace.h"
#include "engine/tokenizer/normaliser.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/unigram.h"
#include "engine/tokenizer/words.h"

struct sq_tokenizer {
    bool tweet;
    struct sq_added added;           /* looked for in raw text */
    struct sq_normaliser normaliser; /* without BERT's, if words.c does that in its own sweep */
    struct sq_added normalised;      /* looked for in normalised text */

    enum sq_split split;
    struct sq_chars chars;           /* SQ_SPLIT_BERT: what a character of the normaliser's output becomes */
    struct sq_byte_level byte_level;
    struct sq_metaspace metaspace;

    enum sq_model model;
    struct sq_wordpiece wordpiece;   /* of these three the one that model says */
    struct sq_bpe bpe;
    struct sq_unigram unigram;

    int32_t first_id, last_id;       /* [CLS], [SEP] */
    unsigned ids_count;
};

#endif
