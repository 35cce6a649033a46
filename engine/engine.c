/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/json.h"
#include "engine/digest.h"
#include "engine/ensemble.h"
#include "engine/kept.h"
#include "engine/precision.h"
#include "engine/precision_auto.h"
#include "engine/session.h"

enum { TOKENS_MAX_DEFAULT = 128, BATCH_TOKENS_MAX_DEFAULT = 256, BATCH_TOKENS_MAX = 65536, PATH_BYTES = 4096 };

static int check_options(const struct sq_engine_options *options, struct sq_err *err)
{
    struct stat folder;
    if (options->tokens_max == 1 || options->tokens_max > SQ_TOKENS_MAX)
        return sq_err_set(err, SQ_E_CONFIG, "max_tokens: %u is not in [2, %d]", options->tokens_max, SQ_TOKENS_MAX);
    if (options->batch_tokens_max > BATCH_TOKENS_MAX)
        return sq_err_set(err, SQ_E_CONFIG, "batch.max_tokens: %u is not in [1, %d]", options->batch_tokens_max, BATCH_TOKENS_MAX);
    if (stat(options->model_path, &folder) < 0) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: %s", options->model_path, strerror(errno));
    if (S_ISDIR(folder.st_mode)) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s: is not a folder: expected a Hugging Face folder with config.json", options->model_path);
}

static int open_config(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    char path[PATH_BYTES];
    struct sq_buf text;
    if ((size_t)snprintf(path, sizeof path, "%s/config.json", model_path) >= sizeof path)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    sq_buf_init(&text);
    int status = sq_json_read_file(&text, path, SQ_CONFIG_BYTES_MAX, SQ_E_MODEL_FILE, err);
    if (status == 0) status = sq_model_config_parse(&engine->config, engine->info.task, path, sq_buf_view(&text), err);
    sq_buf_deinit(&text);
    if (status < 0 || engine->info.task != SQ_TASK_EMBED) return status;
    status = sq_pooling_read(&engine->config.pooling, model_path, err);
    return status < 0 ? status : sq_sentence_tokens_max_read(&engine->config.tokens_max, model_path, err);
}

static int open_tokenizer(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    int status = sq_tokenizer_open(&engine->tokenizer, model_path, engine->info.normalise, err);
    if (status < 0) return status;
    unsigned ids = sq_tokenizer_ids_count(engine->tokenizer);
    if (ids <= engine->config.vocabulary) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE,
                      "%s: the tokenizer gives ids up to %u, but vocab_size in config.json is %u: the files do not belong together", model_path,
                      ids - 1, engine->config.vocabulary);
}

static unsigned or_default(unsigned value, unsigned fallback) { return value ? value : fallback; }

static void fill_limits(struct sq_engine *engine, const struct sq_engine_options *options)
{
    struct sq_model_info *info = &engine->info;
    unsigned tokens_max = or_default(options->tokens_max, or_default(engine->config.tokens_max, TOKENS_MAX_DEFAULT));
    info->tokens_max = tokens_max < engine->config.positions ? tokens_max : engine->config.positions;
    info->batch_tokens_max = or_default(options->batch_tokens_max, BATCH_TOKENS_MAX_DEFAULT);
    info->normalise = options->normalise == SQ_NORMALISE_AUTO ? engine->config.normalise : options->normalise;
}

void sq_engine_fill_info(struct sq_engine *engine)
{
    const struct sq_model_config *config = &engine->config;
    struct sq_model_info *info = &engine->info;
    info->isa = engine->encoder.kernels->isa;
    info->isa_caveat = engine->encoder.kernels->caveat;
    info->name = engine->name;
    info->architecture = sq_model_config_class(config);
    info->dtype = engine->weights.dtype;
    info->layers = config->layers;
    info->hidden = config->hidden;
    info->heads = config->heads;
    info->intermediate = config->intermediate;
    info->positions = config->positions;
    info->vocabulary = config->vocabulary;
    info->pooling = config->pooling == SQ_POOLING_MEAN ? "mean" : "cls";
    info->labels_count = config->labels_count;
    info->outputs_count = info->task == SQ_TASK_EMBED ? config->hidden : config->labels_count;
    for (unsigned i = 0; i < config->labels_count; i++) info->labels[i] = config->labels[i];
    info->function = config->function;
    for (unsigned i = 0; i < config->layers * SQ_PRODUCTS; i++) {
        const struct sq_rung *rung = engine->plan.rungs[i / SQ_PRODUCTS * config->stored_layers / config->layers][i % SQ_PRODUCTS];
        info->precisions[i / SQ_PRODUCTS][i % SQ_PRODUCTS] = rung ? rung->name : NULL;
    }
    info->weights_bytes = engine->weights.bytes;
    info->session_bytes = sq_session_arena_bytes(engine);
}

/* The folder's last path component, whatever way the path was written. */
static int read_name(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    char *real = realpath(model_path, NULL);
    if (!real) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: %s", model_path, strerror(errno));
    const char *slash = strrchr(real, '/');
    engine->name = strdup(slash && slash[1] ? slash + 1 : real);
    free(real);
    return engine->name ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the model's name");
}

static bool has_int8(const struct sq_engine *engine)
{
    bool found = false;
    for (unsigned i = 0; i < engine->config.stored_layers * SQ_PRODUCTS; i++) found |= engine->plan.rungs[i / SQ_PRODUCTS][i % SQ_PRODUCTS]->is_int8;
    return found;
}

/* For engine->plan. */
static int pack_weights(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    struct sq_calibration *calibration = NULL;
    int status = has_int8(engine) ? sq_calibration_open(&calibration, engine, model_path, err) : 0;
    if (status == 0)
        status = sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &engine->plan, calibration, model_path, err);
    sq_calibration_close(calibration);
    return status;
}

static int make_weights(struct sq_engine *engine, struct sq_kept *kept, const struct sq_engine_options *options, struct sq_err *err)
{
    sq_kept_lock_wait(kept);
    if (sq_kept_find(kept, engine)) return 0; /* made by another process meanwhile */
    int status = kept->needs_verdict ? sq_precision_auto(engine, options->model_path, err) : 0;
    if (status == 0 && !engine->weights.block) status = pack_weights(engine, options->model_path, err);
    if (status == 0) sq_kept_store(kept, engine);
    return status;
}

/* What AUTO settled on and the weights in their packed form: kept ones, or made now and kept. */
static int open_weights(struct sq_engine *engine, const struct sq_engine_options *options, struct sq_err *err)
{
    struct sq_kept kept;
    engine->info.precision_agreement = 1;
    int status = options->precision == SQ_PRECISION_AUTO ? 0 : sq_precision_plan_fixed(&engine->plan, engine->encoder.kernels, options->precision, err);
    if (status < 0) return status;
    sq_kept_open(&kept, engine, options->cache_dir, options->precision == SQ_PRECISION_AUTO);
    if (!sq_kept_find(&kept, engine)) status = make_weights(engine, &kept, options, err);
    sq_kept_close(&kept, engine);
    if (status == 0) sq_precision_plan_describe(engine->info.precision_text, sizeof engine->info.precision_text, &engine->plan, engine->config.stored_layers);
    return status;
}

static int load(struct sq_engine *engine, const struct sq_engine_options *options, struct sq_err *err)
{
    engine->info.task = options->task;
    int status = check_options(options, err);
    if (status == 0) status = sq_blas_init(err);
    if (status == 0) status = read_name(engine, options->model_path, err);
    if (status == 0) status = open_config(engine, options->model_path, err);
    if (status < 0) return status;
    engine->encoder = (struct sq_encoder){&engine->config, &engine->weights, sq_kernels_choose(options->isa)};
    if (!engine->encoder.kernels)
        return sq_err_set(err, SQ_E_CONFIG, "instruction set '%s': this CPU can't run one of that name; see --isa",
                          options->isa);
    fill_limits(engine, options);
    status = open_tokenizer(engine, options->model_path, err);
    if (status == 0) status = sq_model_digest(options->model_path, engine->info.xxh128, &engine->info.digest, err);
    if (status == 0) status = open_weights(engine, options, err);
    if (status < 0) return status;
    sq_engine_fill_info(engine);
    return 0;
}

int sq_engine_open(struct sq_engine **engine, const struct sq_engine_options *options, struct sq_err *err)
{
    struct sq_engine *opened = calloc(1, sizeof *opened);
    *engine = NULL;
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for the engine");
    bool is_ensemble = options->further_paths && options->further_paths[0];
    int status = is_ensemble ? sq_ensemble_open(opened, options, err) : load(opened, options, err);
    if (status < 0) sq_engine_close(opened);
    else *engine = opened;
    return status;
}

void sq_engine_close(struct sq_engine *engine)
{
    if (!engine) return;
    sq_ensemble_close(engine->ensemble);
    sq_weights_close(&engine->weights);
    sq_cache_entry_close(&engine->kept);
    sq_tokenizer_close(engine->tokenizer);
    free(engine->name);
    free(engine);
}

const struct sq_model_info *sq_engine_info(const struct sq_engine *engine) { return &engine->info; }

unsigned sq_engine_tokens_bound(const struct sq_engine *engine, size_t text_bytes)
{
    if (engine->ensemble) return sq_ensemble_tokens_bound(engine->ensemble, text_bytes);
    size_t bound = sq_tokenizer_tokens_bound(engine->tokenizer, text_bytes);
    return bound < engine->info.tokens_max ? (unsigned)bound : engine->info.tokens_max;
}

void sq_vector_normalise(float *vector, unsigned count)
{
    double squares = 0;
    for (unsigned i = 0; i < count; i++) squares += (double)vector[i] * (double)vector[i];
    if (squares == 0) return;
    double scale = 1 / sqrt(squares);
    for (unsigned i = 0; i < count; i++) vector[i] = (float)((double)vector[i] * scale);
}
