/* SPDX-License-Identifier: Apache-2.0 */
/* The table as ops/docs/CONFIGURATION.md. */
#include "worker/io/config_walk.h"

static const char head[] =
    "# Configuration\n\n"
    "One YAML file, `squall.yaml` by habit: `squall init` writes a first one, `squall validate` tries it, `squall config show --origin`\n"
    "prints what is in force and where each value came from, `squall config schema` is for editors. This page comes from the table in\n"
    "`worker/io/config_table.c`.\n\n"
    "A value comes from the first of: `--set path=value` (a list with commas, a rule or receiver by its name: `--set\n"
    "rules.NegativeSpike.half_life=3d`), the environment, the file, the default. Reading is strict: an unknown or doubled key, a wrong type\n"
    "or a value out of bounds ends the start with exit code 78 and tells file, line, column and the nearest key.\n\n"
    "In the file, `${VAR}`, `${VAR:-default}` and `${VAR:?message}` are replaced inside values after the YAML was read, and `$$` is a plain\n"
    "`$`. Durations have units: `500ms 30s 15m 2h 7d`, also `1h30m`. Sizes are bytes, or `64KiB`, `1MiB`. Keys that the design knows and this\n"
    "version lacks are refused by name.\n\n"
    "Environment: `SQUALL_CONFIG` names the file; `SQUALL_KAFKA_SASL_MECHANISM=PLAIN` sets the librdkafka property `sasl.mechanism`, and\n"
    "so on for any other; the tables name the rest.\n";

static void write_cell(struct sq_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<') sq_buf_append_char(out, '\\');
        sq_buf_append_char(out, *text);
    }
}

static void write_values(struct sq_buf *out, const struct sq_config_row *row)
{
    char least[32], most[32];
    bool is_duration = row->kind == SQ_KIND_DURATION || row->kind == SQ_KIND_DURATIONS;
    if (is_duration) {
        sq_config_duration_format((int64_t)row->min, least);
        sq_config_duration_format((int64_t)row->max, most);
        sq_buf_printf(out, "%s%s to %s", row->kind == SQ_KIND_DURATIONS ? "list of durations, " : "", least, most);
    } else if (row->kind == SQ_KIND_INT || row->kind == SQ_KIND_REAL || row->kind == SQ_KIND_SIZE) {
        if (row->zero_word) sq_buf_printf(out, "`%s`, ", row->zero_word);
        if (row->min < row->max) sq_buf_printf(out, "%.15g to %.15g", row->zero_word ? 1 : row->min, row->max);
        else sq_buf_printf(out, "%.15g", row->min);
    } else if (row->words) {
        if (row->kind == SQ_KIND_SET) sq_buf_append_text(out, "list of ");
        for (unsigned i = 0; row->words[i]; i++) sq_buf_printf(out, "%s`%s`", i ? ", " : "", row->words[i]);
    } else {
        static const char *const names[] = {[SQ_KIND_TEXT] = "text", [SQ_KIND_BOOL] = "`true`, `false`", [SQ_KIND_TEXTS] = "list of texts",
                                            [SQ_KIND_FIELD] = "path, `key`, `header:NAME`", [SQ_KIND_PAIRS] = "names and values"};
        if (row->flags & SQ_ROW_ONE_OR_MANY) sq_buf_append_text(out, "text, ");
        sq_buf_append_text(out, names[row->kind]);
    }
}

static void write_default(struct sq_buf *out, const struct sq_config_row *row)
{
    bool is_list = sq_config_value_is_list(row->kind) && !(row->flags & SQ_ROW_ONE_OR_MANY);
    if (!row->fallback) sq_buf_append_text(out, "required");
    else if (row->kind == SQ_KIND_PAIRS) sq_buf_append_text(out, "`{}`");
    else if (is_list) sq_buf_printf(out, "`[%s]`", row->fallback);
    else sq_buf_printf(out, *row->fallback ? "`%s`" : "`\"\"`", row->fallback);
}

static void docs_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    (void)base;
    (void)item;
    (void)depth;
    (void)name;
    struct sq_buf *out = visitor->out;
    const char *dot = strchr(row->path, '.');
    sq_buf_printf(out, "| `%s` | ", dot ? dot + 1 : row->path);
    write_values(out, row);
    sq_buf_append_text(out, " | ");
    write_default(out, row);
    sq_buf_append_text(out, " | ");
    write_cell(out, row->meaning);
    if (row->also) sq_buf_printf(out, "; also written `%s`", row->also);
    if (row->environment) sq_buf_printf(out, "; environment: `%s`", row->environment);
    sq_buf_append_text(out, " |\n");
}

static void write_table_head(struct sq_buf *out) { sq_buf_append_text(out, "\n| key | values | default | meaning |\n| --- | --- | --- | --- |\n"); }

static void docs_open(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth)
{
    if (depth > 0) return; /* a section's sections stand in its table, by dotted names */
    const char *meaning = sq_config_section_meaning(name);
    sq_buf_printf(visitor->out, "\n## %.*s%s\n", (int)name.bytes, name.data, sq_config_list_find(path) ? " (a list)" : "");
    if (*meaning) sq_buf_printf(visitor->out, "%s\n", meaning);
    write_table_head(visitor->out);
}

void sq_config_docs(struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.open = docs_open, .row = docs_row, .out = out};
    sq_buf_append_text(out, head);
    sq_buf_append_text(out, "\n## Top level\n");
    write_table_head(out);
    sq_config_walk(&visitor);
    sq_buf_append_text(out, "\n## Properties that are refused\n"
                            "Any librdkafka property can stand under `kafka.properties`, `kafka.consumer` and `kafka.producer`, but for those that Squall\n"
                            "sets itself, because its promises rest on them:");
    const char *property;
    for (unsigned i = 0; (property = sq_config_refused_property(i)); i++) sq_buf_printf(out, "%s`%s`", i ? ", " : " ", property);
    sq_buf_append_text(out, ".\n");
}
