/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/shards.h"

enum { PATH_BYTES = 4096, NAME_BYTES = SQ_SAFETENSORS_NAME_BYTES_MAX + 8 };

static int open_file(struct sq_checkpoint *checkpoint, const char *model_path, const char *name, struct sq_err *err)
{
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", model_path, name) >= sizeof path)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    int status = sq_safetensors_open(&checkpoint->files[checkpoint->files_count], path, err);
    if (status == 0) checkpoint->files_count++;
    return status;
}

static int open_files(struct sq_checkpoint *checkpoint, const char *model_path, const struct sq_shards *shards, struct sq_err *err)
{
    int status = 0;
    checkpoint->files = calloc(shards->count, sizeof *checkpoint->files);
    if (!checkpoint->files) return sq_err_set(err, SQ_E_NOMEM, "no memory for the list of files");
    for (size_t i = 0; status == 0 && i < shards->count; i++) status = open_file(checkpoint, model_path, shards->names[i], err);
    if (status < 0) return status;
    checkpoint->path = strdup(shards->is_split ? model_path : checkpoint->files[0].path);
    return checkpoint->path ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for a path");
}

int sq_checkpoint_open(struct sq_checkpoint *checkpoint, const char *model_path, struct sq_err *err)
{
    struct sq_shards shards;
    *checkpoint = (struct sq_checkpoint){0};
    int status = sq_shards_open(&shards, model_path, err);
    if (status < 0) return status;
    status = open_files(checkpoint, model_path, &shards, err);
    sq_shards_close(&shards);
    if (status < 0) sq_checkpoint_close(checkpoint);
    return status;
}

void sq_checkpoint_close(struct sq_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->files_count; i++) sq_safetensors_close(&checkpoint->files[i]);
    free(checkpoint->files);
    free(checkpoint->path);
    *checkpoint = (struct sq_checkpoint){0};
}

static const struct sq_tensor *find_exact(const struct sq_checkpoint *checkpoint, const char *name)
{
    const struct sq_tensor *tensor = NULL;
    for (size_t i = 0; !tensor && i < checkpoint->files_count; i++) tensor = sq_safetensors_find(&checkpoint->files[i], name);
    return tensor;
}

const struct sq_tensor *sq_checkpoint_find(const struct sq_checkpoint *checkpoint, const char *name)
{
    const struct sq_tensor *tensor = find_exact(checkpoint, name);
    const char *norm = strstr(name, "LayerNorm.");
    if (tensor || !norm) return tensor;
    char old[NAME_BYTES];
    const char *last = strcmp(norm, "LayerNorm.weight") == 0 ? "gamma" : "beta";
    snprintf(old, sizeof old, "%.*sLayerNorm.%s", (int)(norm - name), name, last);
    return find_exact(checkpoint, old);
}

static const struct sq_safetensors *file_of(const struct sq_checkpoint *checkpoint, const struct sq_tensor *tensor)
{
    const struct sq_safetensors *file = checkpoint->files;
    while (tensor < file->tensors || tensor >= file->tensors + file->tensors_count) file++;
    return file;
}

int sq_checkpoint_read(const struct sq_checkpoint *checkpoint, const struct sq_tensor *tensor, float *values, struct sq_err *err)
{
    return sq_safetensors_read(file_of(checkpoint, tensor), tensor, values, err);
}

int sq_checkpoint_read_kept(const struct sq_checkpoint *checkpoint, const struct sq_tensor *tensor, void *values, struct sq_err *err)
{
    return sq_safetensors_read_kept(file_of(checkpoint, tensor), tensor, values, err);
}
