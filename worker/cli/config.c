/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "worker/cli/args.h"
#include "worker/io/config.h"

static int write_out(struct sq_buf *out)
{
    bool written = !sq_buf_failed(out) && fwrite(out->data, 1, out->bytes, stdout) == out->bytes && fflush(stdout) == 0;
    if (!written) fputs("squall config: can't write to stdout\n", stderr);
    sq_buf_deinit(out);
    return !written;
}

static int schema(void)
{
    struct sq_buf out;
    sq_buf_init(&out);
    sq_config_schema(&out);
    sq_buf_append_char(&out, '\n');
    return write_out(&out);
}

static int show(const struct sq_config_sources *sources, bool json, bool origin)
{
    struct sq_config *config;
    struct sq_err err;
    struct sq_buf out;
    if (sq_config_load(&config, sources, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return sq_err_exit_code(err.code);
    }
    sq_buf_init(&out);
    if (json) sq_config_show_json(config, &out);
    else sq_config_show(config, origin, &out);
    if (json) sq_buf_append_char(&out, '\n');
    sq_config_close(config);
    return write_out(&out);
}

static int run(int argc, char **argv)
{
    const char *path = NULL;
    bool json = false, origin = false;
    struct sq_option_list sets = {0};
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &path}, {.name = "set", .letter = 's', .list = &sets},
        {.name = "json", .flag = &json},                  {.name = "origin", .flag = &origin},
        {0},
    };
    struct sq_operands operands = {.max = 1};
    int exit_code = sq_args_parse(&sq_command_config, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    const char *what = operands.count ? operands.items[0] : "";
    if (strcmp(what, "schema") == 0) return schema();
    if (strcmp(what, "show") != 0) return sq_args_mistake(&sq_command_config, "expected show or schema");
    if (json && origin) return sq_args_mistake(&sq_command_config, "--origin is for YAML, not for --json");
    /* What is required may be missing here: people look in order to find out what is. */
    const struct sq_config_sources sources = {.path = path, .sets = sets.items, .sets_count = sets.count, .offline = true};
    return show(&sources, json, origin);
}

const struct sq_command sq_command_config = {
    "config", "the configuration in force, and its schema",
    "usage: squall config show [-c FILE] [--set path=value]... [--origin | --json]\n"
    "       squall config schema\n"
    "\n"
    "show    prints every key with the value in force, secrets hidden; YAML that can be read back\n"
    "schema  prints the JSON Schema of the file, for editors\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone\n"
    "  -s, --set PATH=VALUE   sets one key, as in model.threads=4 or rules.NegativeSpike.half_life=3d; repeatable\n"
    "      --origin           adds where each value came from: flag, environment, file:line or default\n"
    "      --json             one JSON object\n",
    run};
