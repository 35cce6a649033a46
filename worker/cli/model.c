/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/model.h"

#include <stdio.h>

#include "worker/io/model_path.h"

const char *const sq_precision_names[] = {"auto", "fp32", "bf16", "int8", NULL};
const char *const sq_normalise_names[] = {"auto", "none", "tweet", NULL};

static int tell(const struct sq_command *command, const struct sq_err *err)
{
    fprintf(stderr, "squall %s: %s\n", command->name, err->message);
    return sq_err_exit_code(err->code);
}

int sq_model_open(struct sq_engine **engine, const struct sq_command *command, const struct sq_model_options *options)
{
    struct sq_err err;
    char path[SQ_MODEL_PATH_BYTES];
    if (options->precision == SQ_PRECISION_INT8 || options->precision == SQ_PRECISION_BF16)
        return sq_args_mistake(command, "--precision %s is not available in this version: use auto or fp32",
                               sq_precision_names[options->precision]);
    if (options->paths.count > 1) return sq_args_mistake(command, "several --model (an ensemble) are not available in this version: give one");
    if (sq_model_path_find(options->paths.count ? options->paths.items[0] : NULL, NULL, path, &err) < 0) return tell(command, &err);
    struct sq_engine_options engine_options = {
        .model_path = path,
        .precision = (enum sq_precision)options->precision,
        .normalise = (enum sq_normalise)options->normalise,
        .tokens_max = options->tokens_max,
        .isa = options->isa,
    };
    return sq_engine_open(engine, &engine_options, &err) < 0 ? tell(command, &err) : 0;
}
