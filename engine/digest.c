/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "engine/model/shards.h"

enum { PATH_BYTES = 4096, CHUNK_BYTES = 256 * 1024 };

/* Beside the weights. */
static const char *const files[] = {
    "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "modules.json", "1_Pooling/config.json", "vocab.json", "merges.txt",
    "bpe.codes", "sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model", "added_tokens.json", "special_tokens_map.json",
};

static int add_contents(XXH3_state_t *state, FILE *file, const char *path, unsigned char *chunk, struct sq_err *err)
{
    uint64_t total_bytes = 0;
    size_t bytes;
    while ((bytes = fread(chunk, 1, CHUNK_BYTES, file)) > 0) {
        XXH3_128bits_update(state, chunk, bytes);
        total_bytes += bytes;
    }
    XXH3_128bits_update(state, &total_bytes, sizeof total_bytes);
    return ferror(file) ? sq_err_set(err, SQ_E_MODEL_FILE, "%s: %s", path, strerror(errno)) : 0;
}

static int add_file(XXH3_state_t *state, const char *model_path, const char *name, unsigned char *chunk, struct sq_err *err)
{
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", model_path, name) >= sizeof path)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    FILE *file = fopen(path, "rb");
    if (!file) return errno == ENOENT ? 0 : sq_err_set(err, SQ_E_MODEL_FILE, "%s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0);
    XXH3_128bits_update(state, name, strlen(name) + 1);
    int status = add_contents(state, file, path, chunk, err);
    fclose(file);
    return status;
}

static int add_weights(XXH3_state_t *state, const char *model_path, unsigned char *chunk, struct sq_err *err)
{
    struct sq_shards shards;
    int status = sq_shards_open(&shards, model_path, err);
    for (size_t i = 0; status == 0 && i < shards.count; i++) status = add_file(state, model_path, shards.names[i], chunk, err);
    sq_shards_close(&shards);
    return status;
}

int sq_model_digest(const char *model_path, char hex[33], uint64_t *first, struct sq_err *err)
{
    XXH3_state_t *state = XXH3_createState();
    unsigned char *chunk = malloc(CHUNK_BYTES);
    int status = state && chunk ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the model's digest");
    if (status == 0) XXH3_128bits_reset(state);
    for (size_t i = 0; status == 0 && i < sizeof files / sizeof *files; i++) status = add_file(state, model_path, files[i], chunk, err);
    if (status == 0) status = add_weights(state, model_path, chunk, err);
    if (status == 0) {
        XXH128_hash_t digest = XXH3_128bits_digest(state);
        snprintf(hex, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t)digest.high64, (uint64_t)digest.low64);
        *first = digest.high64;
    }
    free(chunk);
    XXH3_freeState(state);
    return status;
}
