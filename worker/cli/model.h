/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing and opening a model: by the options that the commands without a configuration share, or by a configuration. */
#ifndef SQ_CLI_MODEL_H
#define SQ_CLI_MODEL_H

#include "engine/engine.h"
#include "worker/cli/args.h"
#include "worker/io/config.h"

struct sq_model_options {
    unsigned task;                 /* enum sq_task */
    struct sq_option_list paths;
    unsigned precision, normalise; /* enum sq_precision, enum sq_normalise */
    unsigned tokens_max;           /* 0: the default */
    const char *isa;               /* NULL: the widest */
    const char *cache_dir;         /* NULL: SQUALL_CACHE_DIR, else auto */
};

/* Their rows in a command's option table, and their lines in its usage. */
#define SQ_MODEL_OPTIONS(options)                                                                                                     \
    {.name = "model", .list = &(options)->paths},                                                                                     \
        {.name = "precision", .choice = &(options)->precision, .choices = sq_precision_names},                                        \
        {.name = "normalise", .choice = &(options)->normalise, .choices = sq_normalise_names},                                        \
        {.name = "max-tokens", .number = &(options)->tokens_max, .min = 2, .max = SQ_TOKENS_MAX},                                  \
        {.name = "isa", .text = &(options)->isa},                                                                                     \
    {                                                                                                                                 \
        .name = "cache-dir", .text = &(options)->cache_dir                                                                            \
    }
#define SQ_MODEL_USAGE                                                                                                                \
    "  --model DIR         a Hugging Face folder; else SQUALL_MODEL, else the shipped model; repeated: an ensemble,\n"                 \
    "                      whose probabilities are averaged by label\n"                                                              \
    "  --precision P       auto, int8 (every layer), bf16 or fp32\n"                                                       \
    "  --normalise N       auto (the folder's squall_normalise), none or tweet\n"                                                     \
    "  --max-tokens N      longer texts are cut (128, and at most the model's positions)\n"                                            \
    "  --isa NAME          a lower instruction set than the best of this CPU, for comparisons: amx, avx512bf16,\n"     \
    "                      avx512vnni, avx512, avxvnni, avx2 or openblas\n"                                                            \
    "  --cache-dir DIR     keeps packed weights and the precision found for the next start; auto, or \"\" for none;\n"                 \
    "                      else SQUALL_CACHE_DIR, else auto: $XDG_CACHE_HOME/squall or ~/.cache/squall\n"

extern const char *const sq_precision_names[]; /* by enum sq_precision, NULL-terminated */
extern const char *const sq_normalise_names[];
extern const char *const sq_task_names[];

/* 0 and an open engine, or the exit code after telling why on stderr: 2 for what can't be asked for, 78 for a model that can't be loaded. */
int sq_model_open(struct sq_engine **engine, const struct sq_command *command, const struct sq_model_options *options);

/* The configuration's model, or the one that --model names instead (NULL: no such option). */
int sq_model_open_configured(struct sq_engine **engine, const struct sq_config *config, const struct sq_option_list *flags, struct sq_err *err);

/* The name that model would have in alerts, without opening it; "" where there is none. */
void sq_model_configured_name(const struct sq_config *config, const struct sq_option_list *flags, char *name, size_t name_bytes);

/* model.shadow.path's model; NULL where there is none. */
int sq_model_open_shadow(struct sq_engine **engine, const struct sq_config *config, struct sq_err *err);

/* embed.path's model, for vectors; NULL where there is none. */
int sq_model_open_embedder(struct sq_engine **engine, const struct sq_config *config, struct sq_err *err);

#endif
