/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/io/cache_dir.h"
#include "worker/io/model_path.h"

const char *const sq_precision_names[] = {"auto", "fp32", "bf16", "int8", NULL};
const char *const sq_normalise_names[] = {"auto", "none", "tweet", NULL};
const char *const sq_task_names[] = {"classify", "embed", NULL};

static int tell(const struct sq_command *command, const struct sq_err *err)
{
    fprintf(stderr, "squall %s: %s\n", command->name, err->message);
    return sq_err_exit_code(err->code);
}

static void tell_cache_trouble(const struct sq_command *command, const struct sq_engine *engine)
{
    for (unsigned i = 0; i < sq_engine_members_count(engine); i++) {
        const struct sq_model_info *info = sq_engine_info(sq_engine_member(engine, i));
        if (info->cache_trouble[0]) fprintf(stderr, "squall %s: cache: %s\n", command->name, info->cache_trouble);
    }
}

int sq_model_open(struct sq_engine **engine, const struct sq_command *command, const struct sq_model_options *options)
{
    struct sq_err err;
    struct sq_model_paths paths;
    char cache_dir[SQ_CACHE_DIR_BYTES];
    if (sq_model_paths_find(&paths, options->paths.items, options->paths.count, &err) < 0) return tell(command, &err);
    sq_cache_dir_find(options->cache_dir ? options->cache_dir : getenv("SQUALL_CACHE_DIR"), cache_dir);
    struct sq_engine_options engine_options = {
        .model_path = paths.items[0],
        .further_paths = paths.further,
        .task = (enum sq_task)options->task,
        .precision = (enum sq_precision)options->precision,
        .normalise = (enum sq_normalise)options->normalise,
        .tokens_max = options->tokens_max,
        .isa = options->isa,
        .cache_dir = cache_dir,
    };
    if (sq_engine_open(engine, &engine_options, &err) < 0) return tell(command, &err);
    tell_cache_trouble(command, *engine);
    return 0;
}

static int find_configured(struct sq_model_paths *paths, const struct sq_config *config, const struct sq_option_list *flags, struct sq_err *err)
{
    const char *configured[SQ_MEMBERS_MAX];
    bool has_flags = flags && flags->count > 0;
    for (unsigned i = 0; i < config->model.paths_count; i++) configured[i] = config->model.paths[i];
    return sq_model_paths_find(paths, has_flags ? flags->items : configured, has_flags ? flags->count : config->model.paths_count, err);
}

void sq_model_configured_name(const struct sq_config *config, const struct sq_option_list *flags, char *name, size_t name_bytes)
{
    struct sq_model_paths paths;
    struct sq_err err;
    name[0] = '\0';
    if (find_configured(&paths, config, flags, &err) == 0) sq_model_paths_name(&paths, name, name_bytes);
}

int sq_model_open_configured(struct sq_engine **engine, const struct sq_config *config, const struct sq_option_list *flags, struct sq_err *err)
{
    struct sq_model_paths paths;
    char cache_dir[SQ_CACHE_DIR_BYTES];
    int status = find_configured(&paths, config, flags, err);
    sq_cache_dir_find(config->model.cache_dir, cache_dir);
    const struct sq_engine_options options = {
        .model_path = paths.items[0], .further_paths = paths.further, .precision = config->model.precision,
        .normalise = config->model.normalise, .tokens_max = config->model.tokens_max, .batch_tokens_max = config->model.batch_tokens_max,
        .cache_dir = cache_dir,
    };
    return status ? status : sq_engine_open(engine, &options, err);
}

int sq_model_open_shadow(struct sq_engine **engine, const struct sq_config *config, struct sq_err *err)
{
    char path[SQ_MODEL_PATH_BYTES], cache_dir[SQ_CACHE_DIR_BYTES];
    *engine = NULL;
    if (config->model.shadow_path[0] == '\0') return 0;
    int status = sq_model_path_find(config->model.shadow_path, NULL, path, err);
    sq_cache_dir_find(config->model.cache_dir, cache_dir);
    const struct sq_engine_options options = {
        .model_path = path, .cache_dir = cache_dir, .precision = config->model.precision, .normalise = config->model.normalise,
        .tokens_max = config->model.tokens_max, .batch_tokens_max = config->model.batch_tokens_max,
    };
    if (status == 0) status = sq_engine_open(engine, &options, err);
    return status < 0 ? sq_err_prefix(err, "model.shadow.path: ") : 0;
}

int sq_model_open_embedder(struct sq_engine **engine, const struct sq_config *config, struct sq_err *err)
{
    char path[SQ_MODEL_PATH_BYTES], cache_dir[SQ_CACHE_DIR_BYTES];
    bool is_same = strcmp(config->embed.path, "same") == 0;
    *engine = NULL;
    if (config->embed.path[0] == '\0') return 0;
    int status = sq_model_path_find(is_same ? NULL : config->embed.path, is_same ? config->model.paths[0] : NULL, path, err);
    sq_cache_dir_find(config->model.cache_dir, cache_dir);
    const struct sq_engine_options options = {
        .model_path = path, .cache_dir = cache_dir, .task = SQ_TASK_EMBED, .normalise = config->model.normalise, .batch_tokens_max = config->model.batch_tokens_max,
    };
    if (status == 0) status = sq_engine_open(engine, &options, err);
    return status < 0 ? sq_err_prefix(err, "embed.path: ") : 0;
}
