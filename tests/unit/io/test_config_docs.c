/* SPDX-License-Identifier: Apache-2.0 */
/* What is generated from tables says what the tables say. `io_config_docs --write` renews ops/docs/CONFIGURATION.md and
 * ops/docs/ERRORS.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/base/json.h"
#include "worker/io/config_table.h"

/* ---- ERRORS.md ---- */

static const struct part {
    enum sq_err_class class;
    bool ends; /* the process: then the exit code is told */
    const char *head;
} parts[] = {
    {SQ_CLASS_POISON, false,
     "## Records that are given up\n\nThe record goes to `<app>.dlq` with one of these words in the header `__squall.errors.reason`, and is "
     "counted in\n`squall_dead_letters_total`; the rest goes on."},
    {SQ_CLASS_RETRY, true, "## What is tried again\n\nA command that doesn't wait ends with the exit code instead."},
    {SQ_CLASS_FATAL, true, "## What ends the process"},
    {SQ_CLASS_BUG, true, "## Bugs"},
};
enum { PARTS_COUNT = sizeof parts / sizeof *parts };

static void write_part(struct sq_buf *out, const struct part *part)
{
    sq_buf_printf(out, "\n%s\n\n| word | %smeaning |\n| --- | %s--- |\n", part->head, part->ends ? "exit code | " : "", part->ends ? "--- | " : "");
    for (int row = 1; row < SQ_ERR_COUNT; row++) {
        if (sq_err_class(-row) != part->class) continue;
        sq_buf_printf(out, "| `%s` | ", sq_err_word(-row));
        if (part->ends) sq_buf_printf(out, "%d | ", sq_err_exit_code(-row));
        sq_buf_printf(out, "%s |\n", sq_err_meaning(-row));
    }
}

static void write_errors(struct sq_buf *out)
{
    sq_buf_append_text(out, "# Errors\n\nEvery error has a word, a class that decides what happens next, and a message that says where and what to "
                            "do. Exit codes: 0 ok,\n1 failure, 2 usage, 69 broker unavailable, 78 bad configuration, 130 second Ctrl-C. This page "
                            "comes from the table in\n`engine/base/err.h`.\n");
    for (int i = 0; i < PARTS_COUNT; i++) write_part(out, &parts[i]);
}

/* ---- Pages ---- */

static const struct page {
    const char *path;
    void (*write)(struct sq_buf *out);
} pages[] = {
    {SQUALL_SOURCE_DIR "/ops/docs/CONFIGURATION.md", sq_config_docs},
    {SQUALL_SOURCE_DIR "/ops/docs/ERRORS.md", write_errors},
};
enum { PAGES_COUNT = sizeof pages / sizeof *pages };

static void pages_are_up_to_date(void **state)
{
    (void)state;
    for (int i = 0; i < PAGES_COUNT; i++) {
        struct sq_buf expected, found;
        struct sq_err err;
        sq_buf_init(&expected);
        sq_buf_init(&found);
        pages[i].write(&expected);
        assert_int_equal(sq_json_read_file(&found, pages[i].path, 1 << 20, SQ_E_IO, &err), 0);
        if (!sq_str_equal(sq_buf_view(&expected), sq_buf_view(&found))) fail_msg("%s is stale: run io_config_docs --write", pages[i].path);
        sq_buf_deinit(&expected);
        sq_buf_deinit(&found);
    }
}

static int renew_pages(void)
{
    int failed = 0;
    for (int i = 0; i < PAGES_COUNT; i++) {
        struct sq_buf text;
        sq_buf_init(&text);
        pages[i].write(&text);
        FILE *file = fopen(pages[i].path, "w");
        if (!file || fwrite(text.data, 1, text.bytes, file) != text.bytes) failed = 1;
        if (file && fclose(file) != 0) failed = 1;
        sq_buf_deinit(&text);
    }
    return failed;
}

/* ---- The schema ---- */

static json_t *schema;

static int parse_schema(void **state)
{
    (void)state;
    struct sq_buf text;
    struct sq_err err;
    sq_buf_init(&text);
    sq_config_schema(&text);
    int code = sq_json_parse(&schema, "schema", sq_buf_view(&text), SQ_E_FAILED, &err);
    sq_buf_deinit(&text);
    return code;
}

static int drop_schema(void **state)
{
    (void)state;
    json_decref(schema);
    return 0;
}

/* The schema of the key at `path`: "rules[]" stands for the items of the list. */
static const json_t *schema_of(const char *path)
{
    const json_t *at = schema;
    for (;; path++) {
        size_t bytes = strcspn(path, ".[");
        bool is_list = path[bytes] == '[';
        at = json_object_getn(json_object_get(at, "properties"), path, bytes);
        if (is_list) at = json_object_get(at, "items");
        path += bytes + (is_list ? 2 : 0);
        if (!at || !*path) return at;
    }
}

static void the_schema_has_every_key(void **state)
{
    (void)state;
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        const json_t *key = schema_of(row->path);
        if (!key) fail_msg("the schema lacks %s", row->path);
        assert_string_equal(json_string_value(json_object_get(key, "description")), row->meaning);
    }
}

static void objects_of_the_schema_are_closed(void **state)
{
    (void)state;
    static const char *const paths[] = {"kafka", "input.fields", "model.batch", "rules[]", "rules[].warmup"};
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(json_is_false(json_object_get(schema_of(paths[i]), "additionalProperties")));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) return renew_pages();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_up_to_date),
        cmocka_unit_test(the_schema_has_every_key),
        cmocka_unit_test(objects_of_the_schema_are_closed),
    };
    return cmocka_run_group_tests(tests, parse_schema, drop_schema);
}
