/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece's precompiled character map: `Precompiled` of Hugging Face's `tokenizers`, `precompiled_charsmap` of a .model
 * file. A little-endian count of bytes, so many bytes of a double-array trie (darts-clone's units of 32 bits), and texts that
 * end in NUL, to which the trie's values are offsets.
 *
 * As `tokenizers` applies it: a grapheme cluster of less than six bytes becomes, whole, the text of its shortest beginning that
 * is in the trie; else each of its characters becomes the text of its own, if it has one. */
#ifndef SQ_ENGINE_TOKENIZER_CHARSMAP_H
#define SQ_ENGINE_TOKENIZER_CHARSMAP_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum { SQ_CHARSMAP_TABLE = 0x3100 };

struct sq_charsmap {
    const unsigned char *units; /* [4 * units_count] borrowed, unaligned */
    uint32_t units_count;
    struct sq_str texts;
    uint8_t classes[SQ_CHARSMAP_TABLE]; /* of clusters, for the code points in daily use */
    bool stays[128];                    /* ASCII that the map leaves as it is */
};

struct sq_normal_out;

/* map is borrowed for as long as charsmap is used. SQ_E_MODEL_FILE: it is cut, or its texts are not UTF-8. */
int sq_charsmap_init(struct sq_charsmap *charsmap, struct sq_str map, struct sq_err *err);

/* Writes what a valid text becomes. */
void sq_charsmap_run(const struct sq_charsmap *charsmap, struct sq_str text, struct sq_normal_out *out);

#endif
