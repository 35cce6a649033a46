/* SPDX-License-Identifier: Apache-2.0 */
/* How a sentence's vector comes from its tokens' vectors, as the files of sentence-transformers say it: modules.json lists what follows the
 * encoder, and the folder of its Pooling module (1_Pooling) has a config.json. A folder without them pools by mean. */
#ifndef SQ_MODEL_POOLING_H
#define SQ_MODEL_POOLING_H

#include "engine/base/err.h"
#include "engine/base/str.h"

enum sq_pooling {
    SQ_POOLING_FIRST, /* the first token's; what classifiers read too */
    SQ_POOLING_MEAN,  /* over all tokens, special ones included */
};

enum { SQ_MODULE_PATH_BYTES = 128, SQ_MODULES_BYTES_MAX = 256 * 1024 };

/* Reads the folder. What can't be run (a Dense module, pooling by maximum) is refused by name. SQ_E_MODEL_FILE. */
int sq_pooling_read(enum sq_pooling *pooling, const char *model_path, struct sq_err *err);

/* Tokens that the folder's texts are cut to (max_seq_length of sentence_bert_config.json); 0: it doesn't say. SQ_E_MODEL_FILE. */
int sq_sentence_tokens_max_read(unsigned *tokens_max, const char *model_path, struct sq_err *err);

/* The two files' contents; `name` stands in errors. pooling_path: the Pooling module's folder, empty where there is none. */
int sq_modules_parse(char pooling_path[SQ_MODULE_PATH_BYTES], const char *name, struct sq_str text, struct sq_err *err);
int sq_pooling_parse(enum sq_pooling *pooling, const char *name, struct sq_str text, struct sq_err *err);

#endif
