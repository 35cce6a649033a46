/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a command: one table a command, one parser for all of them (getopt_long, without its abbreviations).
 *
 *     bool json = false;
 *     const char *model = NULL;
 *     unsigned threads = 0;
 *     struct sq_option_list sets = {0};
 *     const struct sq_option options[] = {
 *         {.name = "json", .flag = &json},
 *         {.name = "model", .letter = 'm', .text = &model},
 *         {.name = "threads", .number = &threads, .min = 1, .max = 1024},
 *         {.name = "set", .letter = 's', .list = &sets},
 *         {0},
 *     };
 *     struct sq_operands operands = {.max = 1};
 *     int exit_code = sq_args_parse(&sq_command_classify, options, argc, argv, &operands);
 *     if (exit_code != SQ_ARGS_GO_ON) return exit_code;
 *
 * --help (-h) is known everywhere and writes the command's `usage` to stdout. Anything wrong is told on stderr, exit code 2. Options and
 * operands mix freely; `--` ends the options; a lone `-` is an operand. */
#ifndef SQ_ARGS_H
#define SQ_ARGS_H

#include <stdbool.h>

#include "worker/cli/cli.h"

enum {
    SQ_ARGS_GO_ON = -1,
    SQ_OPTIONS_MAX = 40,
    SQ_OPTION_LIST_MAX = 64,
};

struct sq_option_list {
    const char *items[SQ_OPTION_LIST_MAX]; /* borrowed from argv */
    unsigned count;
};

/* Just one of flag, text, number, list and choice is set, and says what the option takes. The variable keeps its value when absent. */
struct sq_option {
    const char *name; /* without the dashes; NULL ends the table */
    char letter;      /* of the short form, or 0 */
    bool *flag;       /* takes no value */
    const char **text; /* borrowed from argv; the last one counts */
    unsigned *number;
    unsigned min, max;          /* of number, both allowed */
    struct sq_option_list *list; /* repeatable */
    unsigned *choice;            /* index into choices */
    const char *const *choices;  /* NULL-terminated */
};

struct sq_operands {
    char **items; /* borrowed from argv, order kept */
    unsigned count;
    unsigned max; /* set by the caller: more is an error */
};

/* SQ_ARGS_GO_ON, or the exit code to return: 0 after --help, 2 after a mistake. Not thread-safe (getopt). */
int sq_args_parse(const struct sq_command *command, const struct sq_option *options, int argc, char **argv,
                  struct sq_operands *operands);

/* A whole decimal number in [min, max], for options with a form of their own. */
bool sq_args_number(const char *text, unsigned min, unsigned max, unsigned *value);

/* Tells a mistake as the parser does, "squall NAME: ...; squall NAME --help tells more", and returns 2. */
int sq_args_mistake(const struct sq_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
