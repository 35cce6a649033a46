/* SPDX-License-Identifier: Apache-2.0 */
/* Which files hold a folder's weights: model.safetensors, or the shards that model.safetensors.index.json names (its "weight_map" gives
 * a file for each tensor; https://huggingface.co/docs/safetensors). */
#ifndef SQ_MODEL_SHARDS_H
#define SQ_MODEL_SHARDS_H

#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum { SQ_SHARDS_MAX = 1024, SQ_SHARD_NAME_BYTES_MAX = 255, SQ_SHARD_INDEX_BYTES_MAX = 8 * 1024 * 1024 };

struct sq_shards {
    char **names; /* owned: in the folder, each once, in byte order; the same order for every way to write the index */
    size_t count;
    bool is_split; /* they come from an index */
};

/* Looks into the folder. What it has instead of safetensors is said in the error, with what to do. SQ_E_MODEL_FILE. */
int sq_shards_open(struct sq_shards *shards, const char *model_path, struct sq_err *err);

/* `text` is an index file's contents, `name` stands in errors. A file name with a folder in it is refused. */
int sq_shards_parse(struct sq_shards *shards, const char *name, struct sq_str text, struct sq_err *err);
void sq_shards_close(struct sq_shards *shards);

#endif
