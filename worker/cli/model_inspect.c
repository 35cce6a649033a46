/* SPDX-License-Identifier: Apache-2.0 */
/* squall model inspect: what a folder is, once it has been loaded and checked as a worker would. */
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "worker/cli/args.h"
#include "worker/cli/model.h"
#include "worker/pipeline/api_json.h"

static const char *const function_names[] = {"auto", "softmax", "sigmoid", "none"};

struct field {
    const char *name, *text; /* text NULL: the number */
    uint64_t number;
};
enum { FIELDS_COUNT = 19 };

static void list_fields(const struct sq_model_info *info, struct field fields[FIELDS_COUNT])
{
    const struct field all[FIELDS_COUNT] = {
        {"name", info->name, 0},
        {"architecture", info->architecture, 0},
        {"task", sq_task_names[info->task], 0},
        {"layers", NULL, info->layers},
        {"hidden", NULL, info->hidden},
        {"heads", NULL, info->heads},
        {"intermediate", NULL, info->intermediate},
        {"positions", NULL, info->positions},
        {"vocabulary", NULL, info->vocabulary},
        {"max_tokens", NULL, info->tokens_max},
        {"dtype", info->dtype, 0},
        {"normalise", sq_normalise_names[info->normalise], 0},
        {"pooling", info->pooling, 0},
        {"dimensions", NULL, info->outputs_count},
        {"precision", info->precision_text, 0},
        {"kernels", info->isa, 0},
        {"shared", info->is_shared ? "yes" : "no", 0},
        {"weights_bytes", NULL, info->weights_bytes},
        {"digest", info->xxh128, 0},
    };
    memcpy(fields, all, sizeof all);
}

static void write_json(const struct sq_model_info *info, struct sq_buf *out)
{
    struct field fields[FIELDS_COUNT];
    list_fields(info, fields);
    sq_buf_append_char(out, '{');
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        sq_json_write_key(out, fields[i].name);
        if (fields[i].text) sq_json_write_str(out, sq_str_view(fields[i].text));
        else sq_buf_printf(out, "%llu", (unsigned long long)fields[i].number);
    }
    sq_api_write_precisions(info, out);
    sq_json_write_key(out, "function");
    sq_json_write_str(out, sq_str_view(info->task == SQ_TASK_EMBED ? "none" : function_names[info->function]));
    sq_json_write_key(out, "labels");
    sq_buf_append_char(out, '[');
    for (unsigned i = 0; i < info->labels_count; i++) {
        if (i) sq_buf_append_char(out, ',');
        sq_json_write_str(out, sq_str_view(info->labels[i]));
    }
    sq_buf_append_text(out, "]}\n");
}

/* Where they differ. */
static void write_layers(const struct sq_model_info *info, struct sq_buf *out)
{
    for (unsigned layer = 0; layer < info->layers; layer++) {
        const char *const *of = info->precisions[layer];
        sq_buf_printf(out, "layer %-8u qkv %s, output %s, up %s, down %s\n", layer, of[SQ_PRODUCT_QKV], of[SQ_PRODUCT_OUTPUT], of[SQ_PRODUCT_UP],
                      of[SQ_PRODUCT_DOWN]);
    }
}

static void write_for_people(const struct sq_model_info *info, struct sq_buf *out)
{
    struct field fields[FIELDS_COUNT];
    list_fields(info, fields);
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        sq_buf_printf(out, "%-14s ", fields[i].name);
        if (fields[i].text) sq_buf_printf(out, "%s\n", fields[i].text);
        else sq_buf_printf(out, "%llu\n", (unsigned long long)fields[i].number);
    }
    if (strchr(info->precision_text, ',')) write_layers(info, out);
    if (info->task == SQ_TASK_EMBED) return;
    sq_buf_printf(out, "%-14s %s\n%-14s ", "function", function_names[info->function], "labels");
    for (unsigned i = 0; i < info->labels_count; i++) sq_buf_printf(out, "%s%s", i ? ", " : "", info->labels[i]);
    sq_buf_append_char(out, '\n');
}

static int run(int argc, char **argv)
{
    struct sq_model_options model = {0};
    bool json = false;
    const struct sq_option options[] = {
        {.name = "json", .flag = &json},
        {.name = "task", .choice = &model.task, .choices = sq_task_names},
        {.name = "precision", .choice = &model.precision, .choices = sq_precision_names},
        {.name = "normalise", .choice = &model.normalise, .choices = sq_normalise_names},
        {.name = "isa", .text = &model.isa},
        {.name = "cache-dir", .text = &model.cache_dir},
        {0},
    };
    struct sq_operands operands = {.max = 2};
    int exit_code = sq_args_parse(&sq_command_model, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (operands.count == 0 || strcmp(operands.items[0], "inspect") != 0) return sq_args_mistake(&sq_command_model, "expected inspect");
    if (operands.count == 2) model.paths = (struct sq_option_list){.items = {operands.items[1]}, .count = 1};
    struct sq_engine *engine;
    exit_code = sq_model_open(&engine, &sq_command_model, &model);
    if (exit_code != 0) return exit_code;
    struct sq_buf out;
    sq_buf_init(&out);
    if (json) write_json(sq_engine_info(engine), &out);
    else write_for_people(sq_engine_info(engine), &out);
    fwrite(out.data, 1, out.bytes, stdout);
    sq_buf_deinit(&out);
    sq_engine_close(engine);
    return 0;
}

const struct sq_command sq_command_model = {
    "model", "what a model folder is",
    "usage: squall model inspect [DIR] [OPTIONS]\n\n"
    "Loads the folder as a worker would and prints its architecture, sizes, labels, digest, the precision in force and whether its weights are\n"
    "a mapped file that processes share; or says what is wrong with it, exit code 78. Without DIR: SQUALL_MODEL, else the shipped model.\n\n"
    "  --task T        classify, or embed: as a model of sentence vectors\n"
    "  --precision P   auto, int8 (every layer), bf16 or fp32\n"
    "  --normalise N   auto (the folder's squall_normalise), none or tweet\n"
    "  --isa NAME      a lower instruction set than the best of this CPU\n"
    "  --cache-dir DIR where packed weights and the precision found are kept; squall classify --help tells more\n"
    "  --json          one object\n",
    run,
};
