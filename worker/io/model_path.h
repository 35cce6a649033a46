/* SPDX-License-Identifier: Apache-2.0 */
/* Where the model is. Never relative to the working directory unless the user wrote such a path. */
#ifndef SQ_IO_MODEL_PATH_H
#define SQ_IO_MODEL_PATH_H

#include "engine/engine.h"

enum { SQ_MODEL_PATH_BYTES = 4096 };

/* The first that is given: `flag` (--model), the environment's SQUALL_MODEL, `configured` (model.path); NULL, "" and "default" count as
 * not given. Else the shipped model: the one folder in ../../engine/models or ../share/squall/models next to the executable.
 * Whether the folder holds a usable model is the engine's to say. SQ_E_MODEL_FILE when there is none: the message says where it looked. */
int sq_model_path_find(const char *flag, const char *configured, char path[SQ_MODEL_PATH_BYTES], struct sq_err *err);

/* The folders of a model or, where several are given, of an ensemble, each found as above. */
struct sq_model_paths {
    char items[SQ_MEMBERS_MAX][SQ_MODEL_PATH_BYTES]; /* the first is sq_engine_options.model_path */
    const char *further[SQ_MEMBERS_MAX];             /* .further_paths */
};

/* `given`: what flags or configuration name, as [given_count]; none is the default. SQ_E_CONFIG for more than SQ_MEMBERS_MAX. */
int sq_model_paths_find(struct sq_model_paths *paths, const char *const *given, unsigned given_count, struct sq_err *err);

/* The name that the engine gives such a model: the folders' last components, of an ensemble joined by "+". Cut to fit. */
void sq_model_paths_name(const struct sq_model_paths *paths, char *name, size_t name_bytes);

/* The shipped model below the folder where an executable lies; split from the above for tests. */
int sq_model_path_shipped(const char *executable_folder, char path[SQ_MODEL_PATH_BYTES], struct sq_err *err);

#endif
