/* SPDX-License-Identifier: Apache-2.0 */
/* What the option parser accepts and refuses; what it says goes to stderr and is not compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/cli/args.h"

static const struct sq_command command = {"try", "", "usage: squall try\n", NULL};
static const char *const colours[] = {"red", "green", NULL};

struct given {
    bool json;
    const char *model;
    unsigned threads, colour;
    struct sq_option_list sets;
    struct sq_operands operands;
};

/* Parses the words after "try", which NULL ends. */
static int parse(struct given *given, const char *const *words)
{
    static char copies[8][64]; /* getopt reorders argv, so it must be writable */
    static char *argv[10];
    int argc = 0;
    argv[argc++] = (char *)(uintptr_t)"try";
    for (; words[argc - 1]; argc++) argv[argc] = strcpy(copies[argc - 1], words[argc - 1]);
    argv[argc] = NULL;
    *given = (struct given){.threads = 7, .operands = {.max = 2}};
    const struct sq_option options[] = {
        {.name = "json", .letter = 'j', .flag = &given->json},
        {.name = "model", .letter = 'm', .text = &given->model},
        {.name = "threads", .number = &given->threads, .min = 1, .max = 16},
        {.name = "set", .letter = 's', .list = &given->sets},
        {.name = "colour", .choices = colours, .choice = &given->colour},
        {0},
    };
    return sq_args_parse(&command, options, argc, argv, &given->operands);
}
#define PARSE(given, ...) parse(given, (const char *const[]){__VA_ARGS__, NULL})

static void test_forms(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(PARSE(&given, "--model", "a", "--threads=3", "-j", "-s", "x=1", "--set=y=2"), SQ_ARGS_GO_ON);
    assert_true(given.json);
    assert_string_equal(given.model, "a");
    assert_int_equal(given.threads, 3);
    assert_int_equal(given.sets.count, 2);
    assert_string_equal(given.sets.items[0], "x=1");
    assert_string_equal(given.sets.items[1], "y=2");
    assert_int_equal(PARSE(&given, "-jmb"), SQ_ARGS_GO_ON);
    assert_true(given.json);
    assert_string_equal(given.model, "b");
    assert_int_equal(given.threads, 7); /* absent: as it was */
    assert_int_equal(PARSE(&given, "--colour", "green"), SQ_ARGS_GO_ON);
    assert_int_equal(given.colour, 1);
}

static void test_operands(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(PARSE(&given, "-", "--json", "file"), SQ_ARGS_GO_ON);
    assert_true(given.json);
    assert_int_equal(given.operands.count, 2);
    assert_string_equal(given.operands.items[0], "-");
    assert_string_equal(given.operands.items[1], "file");
    assert_int_equal(PARSE(&given, "--", "--json"), SQ_ARGS_GO_ON);
    assert_false(given.json);
    assert_string_equal(given.operands.items[0], "--json");
    assert_int_equal(PARSE(&given, "a", "b", "c"), 2);
}

static void test_mistakes(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(PARSE(&given, "--nope"), 2);
    assert_int_equal(PARSE(&given, "-z"), 2);
    assert_int_equal(PARSE(&given, "--mod", "a"), 2); /* no abbreviations */
    assert_int_equal(PARSE(&given, "--mod=a"), 2);
    assert_int_equal(PARSE(&given, "--model"), 2);
    assert_int_equal(PARSE(&given, "--json=1"), 2);
    assert_int_equal(PARSE(&given, "--threads", "0"), 2);
    assert_int_equal(PARSE(&given, "--threads", "17"), 2);
    assert_int_equal(PARSE(&given, "--threads", "2x"), 2);
    assert_int_equal(PARSE(&given, "--threads", "-1"), 2);
    assert_int_equal(PARSE(&given, "--threads", "99999999999999999999"), 2);
    assert_int_equal(PARSE(&given, "--colour", "blue"), 2);
    assert_int_equal(PARSE(&given, "--json", "--help"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
