/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/args.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* getopt_long's own tables, made from ours; index i of `longs` is option i, and --help comes last. */
struct getopt_tables {
    struct option longs[SQ_OPTIONS_MAX + 2];
    char shorts[2 * SQ_OPTIONS_MAX + 4];
    int count;
};

int sq_args_mistake(const struct sq_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "squall %s: ", command->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; squall %s --help tells more\n", command->name);
    va_end(args);
    return EXIT_USAGE;
}

bool sq_args_number(const char *text, unsigned min, unsigned max, unsigned *value)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    if (!digits || errno == ERANGE || number < min || number > max) return false;
    *value = (unsigned)number;
    return true;
}

static void tables_init(struct getopt_tables *tables, const struct sq_option *options)
{
    memset(tables, 0, sizeof *tables);
    char *next = tables->shorts;
    *next++ = ':'; /* a missing value is told apart from an unknown option */
    for (const struct sq_option *option = options; option->name; option++) {
        assert(tables->count < SQ_OPTIONS_MAX);
        int takes = option->flag ? no_argument : required_argument;
        tables->longs[tables->count++] = (struct option){option->name, takes, NULL, 0};
        if (!option->letter) continue;
        *next++ = option->letter;
        if (takes == required_argument) *next++ = ':';
    }
    *next = 'h';
    tables->longs[tables->count] = (struct option){"help", no_argument, NULL, 'h'};
}

static const struct sq_option *by_letter(const struct sq_option *options, int letter)
{
    for (const struct sq_option *option = options; option->name; option++) {
        if (option->letter && option->letter == letter) return option;
    }
    return NULL;
}

static int set_choice(const struct sq_command *command, const struct sq_option *option, const char *value)
{
    char known[256] = "";
    for (unsigned i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *option->choice = i;
            return SQ_ARGS_GO_ON;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", option->choices[i]);
    }
    return sq_args_mistake(command, "--%s '%s' is not one of %s", option->name, value, known);
}

static int set_value(const struct sq_command *command, const struct sq_option *option, const char *value)
{
    if (option->flag) *option->flag = true;
    if (option->text) *option->text = value;
    if (option->choice) return set_choice(command, option, value);
    if (option->number && !sq_args_number(value, option->min, option->max, option->number))
        return sq_args_mistake(command, "--%s '%s' is not a whole number from %u to %u", option->name, value, option->min, option->max);
    if (!option->list) return SQ_ARGS_GO_ON;
    if (option->list->count == SQ_OPTION_LIST_MAX)
        return sq_args_mistake(command, "--%s is given more than %d times", option->name, SQ_OPTION_LIST_MAX);
    option->list->items[option->list->count++] = value;
    return SQ_ARGS_GO_ON;
}

/* The element of argv that getopt_long has just read an option from. */
static const char *element_read(char **argv)
{
    const char *last = argv[optind - 1];
    return optarg && optarg == last ? argv[optind - 2] : last;
}

/* getopt_long takes --mod for --model; we don't, since a script written so breaks when --mode comes. */
static bool is_abbreviated(char **argv, const char *name)
{
    const char *given = element_read(argv) + 2;
    size_t bytes = strlen(name);
    return strncmp(given, name, bytes) != 0 || (given[bytes] != '\0' && given[bytes] != '=');
}

/* `letter` is 0 for a long option. */
static int complain(const struct sq_command *command, int found, int letter, const char *given)
{
    const char *what = found == ':' ? "needs a value" : "is not an option here";
    if (letter == 0) return sq_args_mistake(command, "%s %s", given, what);
    return sq_args_mistake(command, "-%c %s", letter, what);
}

int sq_args_parse(const struct sq_command *command, const struct sq_option *options, int argc, char **argv,
                  struct sq_operands *operands)
{
    struct getopt_tables tables;
    tables_init(&tables, options);
    optind = 0; /* starts over, also glibc's hidden state */
    opterr = 0;
    for (;;) {
        int index = -1;
        int found = getopt_long(argc, argv, tables.shorts, tables.longs, &index);
        if (found == -1) break;
        if (found == '?' || found == ':') return complain(command, found, optopt, argv[optind - 1]);
        if (index >= 0 && is_abbreviated(argv, tables.longs[index].name)) return complain(command, '?', 0, element_read(argv));
        if (found == 'h' && (index == tables.count || !by_letter(options, 'h'))) {
            fputs(command->usage, stdout);
            return 0;
        }
        int result = set_value(command, index >= 0 ? &options[index] : by_letter(options, found), optarg);
        if (result != SQ_ARGS_GO_ON) return result;
    }
    operands->items = argv + optind;
    operands->count = (unsigned)(argc - optind);
    if (operands->count <= operands->max) return SQ_ARGS_GO_ON;
    return sq_args_mistake(command, "'%s' is one operand too many", operands->items[operands->max]);
}
