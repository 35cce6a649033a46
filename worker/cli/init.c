/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "worker/cli/args.h"
#include "worker/io/config.h"

/* "path=value" for the loader, which then checks it like any other. */
struct setting {
    char text[1200];
};

static void set(struct setting *settings, const char **sets, unsigned *count, const char *path, const char *value)
{
    if (!value) return;
    snprintf(settings[*count].text, sizeof settings[*count].text, "%s=%s", path, value);
    sets[*count] = settings[*count].text;
    ++*count;
}

static int write_config(const struct sq_config_sources *sources)
{
    struct sq_config *config;
    struct sq_err err;
    struct sq_buf out;
    if (sq_config_load(&config, sources, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return sq_err_exit_code(SQ_E_USAGE);
    }
    sq_buf_init(&out);
    sq_config_init_text(config, &out);
    bool written = !sq_buf_failed(&out) && fwrite(out.data, 1, out.bytes, stdout) == out.bytes && fflush(stdout) == 0;
    if (written && !isatty(STDOUT_FILENO)) fputs("next: squall validate -c THAT_FILE\n", stderr);
    if (!written) fputs("squall init: can't write to stdout\n", stderr);
    sq_buf_deinit(&out);
    sq_config_close(config);
    return !written;
}

static int run(int argc, char **argv)
{
    static const char *const formats[] = {"json", "text", "protobuf", NULL};
    const char *brokers = NULL, *model = NULL;
    unsigned format = 0;
    struct sq_option_list topics = {0};
    const struct sq_option options[] = {
        {.name = "brokers", .letter = 'b', .text = &brokers}, {.name = "topic", .letter = 't', .list = &topics},
        {.name = "model", .letter = 'm', .text = &model},     {.name = "format", .choice = &format, .choices = formats},
        {0},
    };
    struct sq_operands operands = {.max = 0};
    int exit_code = sq_args_parse(&sq_command_init, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;

    struct setting settings[4];
    const char *sets[4];
    unsigned count = 0;
    char list[1100] = "posts";
    size_t used = 0;
    for (unsigned i = 0; i < topics.count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? "," : "", topics.items[i]);
    set(settings, sets, &count, "kafka.brokers", brokers ? brokers : "localhost:9092");
    set(settings, sets, &count, "input.topics", list);
    set(settings, sets, &count, "input.format", formats[format]);
    set(settings, sets, &count, "model.path", model);
    const char *const nothing[] = {NULL}; /* what is written is for other machines too, so this one's environment is left out */
    return write_config(&(struct sq_config_sources){.sets = sets, .sets_count = count, .environment = nothing});
}

const struct sq_command sq_command_init = {
    "init", "writes a first configuration to stdout",
    "usage: squall init [--brokers HOST:PORT,...] [--topic TOPIC]... [--model DIR] [--format json|text|protobuf]\n"
    "\n"
    "Writes a commented squall.yaml to stdout; nothing is read or changed.\n"
    "\n"
    "  -b, --brokers LIST   default localhost:9092\n"
    "  -t, --topic TOPIC    a topic with texts; repeatable; default posts\n"
    "  -m, --model DIR      a Hugging Face folder; default: the shipped model\n"
    "      --format FORMAT  of the records: json, text or protobuf; default json\n",
    run};
