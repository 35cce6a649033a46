/* SPDX-License-Identifier: Apache-2.0 */
/* squall test: rules under test, in event time. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "proto/codec.h"
#include "worker/cli/args.h"
#include "worker/cli/model.h"
#include "worker/cli/test_run.h"

enum { SHOWN_MAX = 8 };

struct tests {
    bool json, verbose;
    struct sq_option_list models, sets;
    struct sq_engine *engine; /* of the configuration of the file that first needed one; NULL: none did */
    unsigned run, failed;
    struct sq_buf list; /* of the JSON form */
};

/* ---- What is told of a test ---- */

static void print_name(struct sq_str name)
{
    for (size_t i = 0; i < name.bytes; i++) putchar(iscntrl((unsigned char)name.data[i]) ? '?' : name.data[i]);
}

static void append_lower(struct sq_buf *out, const char *word)
{
    for (; *word; word++) sq_buf_append_char(out, (char)tolower((unsigned char)*word));
}

static void append_part(struct sq_buf *out, struct sq_str part)
{
    if (part.bytes == 0) return;
    sq_buf_append_char(out, ' ');
    sq_buf_append_str(out, part);
}

static void append_expectation(struct sq_buf *out, const struct sq_test_expectation *e)
{
    char from[48], to[48];
    sq_test_time_format(e->from_ms, from);
    sq_test_time_format(e->to_ms, to);
    if (e->state >= 0) append_lower(out, sq_alert_state_name((enum sq_alert_state)e->state));
    else sq_buf_append_text(out, "any transition");
    append_part(out, e->rule);
    append_part(out, e->entity);
    append_part(out, e->severity);
    append_part(out, e->reason);
    if (e->to_ms == INT64_MAX) sq_buf_append_text(out, " at any time");
    else if (e->from_ms == e->to_ms) sq_buf_printf(out, " at %s", from);
    else sq_buf_printf(out, " between %s and %s", from, to);
}

static void append_transition(struct sq_buf *out, const struct sq_test_transition *t)
{
    char at[48];
    sq_test_time_format(t->at_ms, at);
    append_lower(out, sq_alert_state_name(t->state));
    sq_buf_printf(out, " %s %s at %s (%s, %s, %u of %u)", t->rule, t->entity, at, sq_severity_word(t->severity), sq_alert_reason_word(t->reason),
                  t->matched, t->count);
}

/* What came instead: of the same entity where one is named, since a test may have many. */
static void append_got(struct sq_buf *out, const struct sq_test_result *result, const struct sq_test_expectation *e)
{
    unsigned shown = 0, left = 0;
    for (unsigned i = 0; i < result->count; i++) {
        if (e->entity.bytes && !sq_str_equal(e->entity, sq_str_view(result->transitions[i].entity))) continue;
        if (++shown > SHOWN_MAX) {
            left++;
            continue;
        }
        sq_buf_append_text(out, "\n    got       ");
        append_transition(out, &result->transitions[i]);
    }
    if (left) sq_buf_printf(out, "\n              and %u more", left);
    if (shown == 0) sq_buf_printf(out, "\n    got       no alert%s", e->entity.bytes ? " of this entity" : "");
}

/* Appends a paragraph for each expectation that is not met. */
static void append_failures(struct sq_buf *out, const struct sq_test_file *file, const struct sq_test_case *test, const struct sq_test_result *result)
{
    for (unsigned i = 0; i < test->expected_count; i++) {
        const struct sq_test_expectation *e = &test->expected[i];
        if (sq_test_find(result, e)) continue;
        sq_buf_printf(out, "\n  %s:%zu\n    expected  ", file->path, e->line);
        append_expectation(out, e);
        append_got(out, result, e);
    }
    for (unsigned i = 0; i < test->never_count; i++) {
        const struct sq_test_expectation *e = &test->never[i];
        const struct sq_test_transition *found = sq_test_find(result, e);
        if (!found) continue;
        sq_buf_printf(out, "\n  %s:%zu\n    never     ", file->path, e->line);
        append_expectation(out, e);
        sq_buf_append_text(out, "\n    got       ");
        append_transition(out, found);
    }
}

static void tell_json(struct tests *tests, const struct sq_test_file *file, const struct sq_test_case *test, const struct sq_buf *failures)
{
    struct sq_buf *out = &tests->list;
    if (out->bytes) sq_buf_append_char(out, ',');
    sq_buf_append_char(out, '{');
    sq_json_write_key(out, "file");
    sq_json_write_str(out, sq_str_view(file->path));
    sq_json_write_key(out, "name");
    sq_json_write_str(out, test->name);
    sq_buf_printf(out, ",\"line\":%zu,\"ok\":%s", test->line, failures->bytes ? "false" : "true");
    sq_json_write_key(out, "message");
    sq_json_write_str(out, sq_buf_view(failures));
    sq_buf_append_char(out, '}');
}

static void tell(struct tests *tests, const struct sq_test_file *file, const struct sq_test_case *test, const struct sq_test_result *result)
{
    struct sq_buf failures;
    sq_buf_init(&failures);
    append_failures(&failures, file, test, result);
    tests->run++;
    tests->failed += failures.bytes > 0;
    if (tests->json) {
        tell_json(tests, file, test, &failures);
    } else {
        printf("%s ", failures.bytes ? "FAIL" : "PASS");
        print_name(test->name);
        printf("%s\n", failures.bytes ? failures.data : "");
        struct sq_buf line;
        sq_buf_init(&line);
        for (unsigned i = 0; tests->verbose && i < result->count; i++) {
            sq_buf_append_text(&line, "       ");
            append_transition(&line, &result->transitions[i]);
            sq_buf_append_char(&line, '\n');
        }
        if (line.bytes) fputs(line.data, stdout);
        sq_buf_deinit(&line);
    }
    sq_buf_deinit(&failures);
}

/* ---- Running ---- */

static bool needs_model(const struct sq_test_file *file)
{
    for (unsigned i = 0; i < file->cases_count; i++)
        for (unsigned j = 0; j < file->cases[i].inputs_count; j++)
            if (file->cases[i].inputs[j].text.bytes) return true;
    return false;
}

/* A file's own configuration stands relative to it. */
static int load_config(const struct tests *tests, const struct sq_test_file *file, const char *flag, struct sq_config **config, struct sq_err *err)
{
    char path[4096];
    const char *slash = strrchr(file->path, '/');
    bool is_relative = file->config.bytes && file->config.data[0] != '/' && slash;
    int bytes = snprintf(path, sizeof path, "%.*s%s", is_relative ? (int)(slash - file->path + 1) : 0, file->path, file->config.bytes ? file->config.data : "");
    if (bytes < 0 || (size_t)bytes >= sizeof path) return sq_err_set(err, SQ_E_CONFIG, "%s: config: the path is too long", file->path);
    const struct sq_config_sources sources = {
        .path = flag ? flag : file->config.bytes ? path : NULL, .sets = tests->sets.items, .sets_count = tests->sets.count, .offline = true};
    return sq_config_load(config, &sources, err);
}

static int run_cases(struct tests *tests, const struct sq_test_file *file, const char *flag, struct sq_err *err)
{
    struct sq_config *config = NULL;
    int status = load_config(tests, file, flag, &config, err);
    if (status == 0 && !tests->engine && needs_model(file)) status = sq_model_open_configured(&tests->engine, config, &tests->models, err);
    for (unsigned i = 0; i < file->cases_count && status == 0; i++) {
        struct sq_test_result result;
        status = sq_test_run(&file->cases[i], config, tests->engine, &result, err);
        if (status) break;
        tell(tests, file, &file->cases[i], &result);
        sq_test_result_deinit(&result);
    }
    sq_config_close(config);
    return status;
}

static int run_file(struct tests *tests, const char *path, const char *flag, struct sq_err *err)
{
    struct sq_test_file file;
    int status = sq_test_file_open(&file, path, err);
    if (status) return status;
    status = run_cases(tests, &file, flag, err);
    sq_test_file_close(&file);
    return status;
}

static int run(int argc, char **argv)
{
    struct tests tests = {0};
    const char *config_flag = NULL;
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &config_flag}, {.name = "set", .letter = 's', .list = &tests.sets},
        {.name = "model", .list = &tests.models},                {.name = "json", .flag = &tests.json},
        {.name = "verbose", .letter = 'v', .flag = &tests.verbose}, {0},
    };
    struct sq_operands operands = {.max = 1000};
    int exit_code = sq_args_parse(&sq_command_test, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (operands.count == 0) return sq_args_mistake(&sq_command_test, "a FILE is missing");

    struct sq_err err;
    int status = 0;
    sq_buf_init(&tests.list);
    for (unsigned i = 0; i < operands.count && status == 0; i++) status = run_file(&tests, operands.items[i], config_flag, &err);
    if (tests.json) printf("{\"ok\":%s,\"tests\":[%s]}\n", status || tests.failed ? "false" : "true", tests.list.bytes ? tests.list.data : "");
    else if (status == 0) printf("%u test%s, %u failed\n", tests.run, tests.run == 1 ? "" : "s", tests.failed);
    if (tests.engine) sq_engine_close(tests.engine);
    sq_buf_deinit(&tests.list);
    if (status == 0) return tests.failed ? 1 : 0;
    fprintf(stderr, "squall test: %s\n", err.message);
    return sq_err_exit_code(status);
}

const struct sq_command sq_command_test = {
    "test", "rules under test: records in, the alerts that should and should not come of them",
    "usage: squall test [-c FILE] [--set path=value]... [--model DIR] [-v] [--json] FILE...\n"
    "\n"
    "Each FILE holds tests as YAML, in event time from zero:\n"
    "\n"
    "  config: ../squall.yaml\n"
    "  tests:\n"
    "    - name: a spike is told of\n"
    "      input:\n"
    "        - {entity: acme, to: 3d, every: 2m, negative: 0.1}\n"
    "        - {entity: acme, from: 3d, to: 3d40m, every: 20s, negative: 0.6}\n"
    "      expect: [{rule: NegativeSpike, entity: acme, state: firing, between: [3d, 3d20m]}]\n"
    "      never: [{entity: other}]\n"
    "\n"
    "  -c, --config FILE      a configuration instead of the one that FILE names\n"
    "  -s, --set PATH=VALUE   sets one key, as in rules.NegativeSpike.threshold=4; repeatable\n"
    "      --model DIR        for inputs that are texts: a folder instead of model.path; repeated: an ensemble\n"
    "  -v, --verbose          shows the transitions of tests that pass, too\n"
    "      --json             one JSON object: {\"ok\",\"tests\":[{\"file\",\"name\",\"line\",\"ok\",\"message\"}]}\n"
    "\n"
    "Exit codes: 0 all passed, 1 a test failed, 2 usage, 78 a file or configuration is wrong.\n",
    run};
