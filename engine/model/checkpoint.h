/* SPDX-License-Identifier: Apache-2.0 */
/* A folder's weights as one set of named tensors, whatever number of files they lie in. */
#ifndef SQ_MODEL_CHECKPOINT_H
#define SQ_MODEL_CHECKPOINT_H

#include "engine/model/safetensors.h"

struct sq_checkpoint {
    char *path; /* owned: what to call it in errors: the file, or where there are several the folder */
    struct sq_safetensors *files; /* owned */
    size_t files_count;
};

/* Opens and checks all files. SQ_E_MODEL_FILE with the file and what is wrong with it; nothing is left behind then. */
int sq_checkpoint_open(struct sq_checkpoint *checkpoint, const char *model_path, struct sq_err *err);
void sq_checkpoint_close(struct sq_checkpoint *checkpoint);

/* NULL when there is none of that name. Old checkpoints call a layer norm's weight and bias gamma and beta: these are found too. */
const struct sq_tensor *sq_checkpoint_find(const struct sq_checkpoint *checkpoint, const char *name);

/* sq_safetensors_read of a tensor that find gave. */
int sq_checkpoint_read(const struct sq_checkpoint *checkpoint, const struct sq_tensor *tensor, float *values, struct sq_err *err);

/* sq_safetensors_read_kept likewise. */
int sq_checkpoint_read_kept(const struct sq_checkpoint *checkpoint, const struct sq_tensor *tensor, void *values, struct sq_err *err);

#endif
