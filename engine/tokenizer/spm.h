/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece's .model files: a protobuf message (ModelProto of sentencepiece_model.proto), of which the pieces, the kind of
 * model and the character map are read. Nothing is copied: views of the file. */
#ifndef SQ_ENGINE_TOKENIZER_SPM_H
#define SQ_ENGINE_TOKENIZER_SPM_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum sq_spm_type { SQ_SPM_NORMAL = 1, SQ_SPM_UNKNOWN, SQ_SPM_CONTROL, SQ_SPM_USER_DEFINED, SQ_SPM_UNUSED, SQ_SPM_BYTE };
enum sq_spm_model { SQ_SPM_UNIGRAM = 1, SQ_SPM_BPE, SQ_SPM_WORD, SQ_SPM_CHAR };

struct sq_spm_piece {
    struct sq_str text;
    float score; /* finite */
    uint64_t type;
};

struct sq_spm {
    struct sq_spm_piece *pieces; /* owned */
    size_t pieces_count;
    uint64_t model;              /* enum sq_spm_model */
    struct sq_str charsmap;      /* empty where there is none */
};

/* SQ_E_MODEL_FILE: not such a message, or more pieces than pieces_max. Nothing is left behind then. */
int sq_spm_parse(struct sq_spm *spm, struct sq_str file, size_t pieces_max, struct sq_err *err);
void sq_spm_deinit(struct sq_spm *spm);

#endif
