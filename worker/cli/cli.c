/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* In the order in which a newcomer needs them. */
static const struct sq_command *const commands[] = {
    &sq_command_demo,
    &sq_command_init,
    &sq_command_validate,
    &sq_command_run,
    &sq_command_alerts,
    &sq_command_config,
    &sq_command_classify,
    &sq_command_model,
    &sq_command_bench,
    &sq_command_replay,
    &sq_command_dlq,
    &sq_command_test,
    &sq_command_healthcheck,
    &sq_command_version,
};
enum { COMMANDS_COUNT = sizeof commands / sizeof *commands };

static void write_help(FILE *to)
{
    fputs("squall watches Kafka topics of text and raises an alert when negative messages about something spike.\n\n"
          "usage: squall COMMAND [OPTIONS]\n\n",
          to);
    for (size_t i = 0; i < COMMANDS_COUNT; i++) fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nsquall COMMAND --help tells more.\n", to);
}

static int is_help(const char *arg) { return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0; }

int sq_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        write_help(stderr);
        return 2;
    }
    if (is_help(argv[1])) {
        write_help(stdout);
        return 0;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (size_t i = 0; i < COMMANDS_COUNT; i++) {
        if (strcmp(commands[i]->name, name) != 0) continue;
        if (argc > 2 && is_help(argv[2])) {
            fputs(commands[i]->usage, stdout);
            return 0;
        }
        return commands[i]->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "squall: there is no command '%s'; squall --help lists them\n", argv[1]);
    return 2;
}
