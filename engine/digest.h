/* SPDX-License-Identifier: Apache-2.0 */
/* Names a model by what it computes: a digest over the files of its folder that the answers depend on. */
#ifndef SQ_DIGEST_H
#define SQ_DIGEST_H

#include <stdint.h>

#include "engine/base/err.h"

/* XXH128 over name, length and contents of config.json, the tokenizer's files and model.safetensors, as 32 hex digits and a NUL; *first is
 * its first 64 bits. Files that are not there don't count. Blocks for the reading. */
int sq_model_digest(const char *model_path, char hex[33], uint64_t *first, struct sq_err *err);

#endif
