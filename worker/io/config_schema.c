/* SPDX-License-Identifier: Apache-2.0 */
/* The table as JSON Schema (https://json-schema.org/draft/2020-12), for editors. A value may also be a string with ${...} in it, since what
 * an editor sees is the file before variables are replaced. */
#include <stdio.h>

#include "engine/base/json.h"
#include "worker/io/config_walk.h"

static void put_text(struct sq_buf *out, const char *key, const char *text)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

static void put_number(struct sq_buf *out, const char *key, double number)
{
    sq_json_write_key(out, key);
    sq_buf_printf(out, "%.15g", number);
}

static void put_enum(struct sq_buf *out, const char *const *words)
{
    sq_json_write_key(out, "enum");
    for (unsigned i = 0; words[i]; i++) {
        sq_buf_append_char(out, i ? ',' : '[');
        sq_json_write_str(out, sq_str_view(words[i]));
    }
    sq_buf_append_char(out, ']');
}

#define DURATION_PATTERN "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"

/* A scalar's type, as members of a schema object. */
static void put_type(struct sq_buf *out, const struct sq_config_row *row)
{
    switch (row->kind) {
    case SQ_KIND_BOOL: put_text(out, "type", "boolean"); break;
    case SQ_KIND_REAL:
    case SQ_KIND_INT:
        put_text(out, "type", row->kind == SQ_KIND_INT ? "integer" : "number");
        put_number(out, "minimum", row->zero_word ? 1 : row->min);
        put_number(out, "maximum", row->max);
        break;
    case SQ_KIND_SIZE:
        sq_json_write_key(out, "type");
        sq_buf_append_text(out, "[\"integer\",\"string\"]");
        put_number(out, "minimum", row->min);
        put_number(out, "maximum", row->max);
        put_text(out, "pattern", "^[0-9]+(KiB|MiB)?$");
        break;
    case SQ_KIND_DURATION:
    case SQ_KIND_DURATIONS:
        put_text(out, "type", "string");
        put_text(out, "pattern", DURATION_PATTERN);
        break;
    case SQ_KIND_WORD:
    case SQ_KIND_SET: put_enum(out, row->words); break;
    case SQ_KIND_TEXT:
    case SQ_KIND_TEXTS:
    case SQ_KIND_FIELD:
        put_text(out, "type", "string");
        put_number(out, "maxLength", row->kind == SQ_KIND_FIELD ? SQ_FIELD_NAME_BYTES + 7 : (double)row->bytes - 1);
        break;
    case SQ_KIND_PAIRS:
        put_text(out, "type", "object");
        sq_json_write_key(out, "additionalProperties");
        sq_buf_append_text(out, "{\"type\":[\"string\",\"number\",\"boolean\"]}");
        break;
    }
}

static void put_scalar(struct sq_buf *out, const struct sq_config_row *row)
{
    bool is_text = row->kind == SQ_KIND_TEXT || row->kind == SQ_KIND_TEXTS || row->kind == SQ_KIND_FIELD || row->kind == SQ_KIND_PAIRS;
    if (is_text) {
        put_type(out, row);
        return;
    }
    sq_json_write_key(out, "anyOf");
    sq_buf_append_text(out, "[{");
    put_type(out, row);
    sq_buf_append_text(out, "},{");
    put_text(out, "type", "string");
    put_text(out, "pattern", "\\$\\{");
    sq_buf_append_char(out, '}');
    if (row->zero_word) sq_buf_printf(out, ",{\"const\":\"%s\"}", row->zero_word);
    sq_buf_append_char(out, ']');
}

/* The default, as the file would have it; scalars alone, the rest is in the description. */
static void put_default(struct sq_buf *out, const struct sq_config_row *row)
{
    if (!row->fallback || sq_config_value_is_list(row->kind) || row->kind == SQ_KIND_PAIRS) return;
    bool is_bare = row->kind == SQ_KIND_BOOL || row->kind == SQ_KIND_REAL || row->kind == SQ_KIND_SIZE || (row->kind == SQ_KIND_INT && !row->zero_word);
    sq_json_write_key(out, "default");
    if (is_bare) sq_buf_append_text(out, row->fallback);
    else sq_json_write_str(out, sq_str_view(row->fallback));
}

static void put_list(struct sq_buf *out, const struct sq_config_row *row)
{
    put_text(out, "type", "array");
    if (row->kind != SQ_KIND_SET) put_number(out, "maxItems", row->items_max);
    sq_json_write_key(out, "items");
    sq_buf_append_char(out, '{');
    put_scalar(out, row);
    sq_buf_append_char(out, '}');
}

static void put_one_or_many(struct sq_buf *out, const struct sq_config_row *row)
{
    sq_json_write_key(out, "anyOf");
    sq_buf_append_text(out, "[{");
    put_scalar(out, row);
    sq_buf_append_text(out, "},{");
    put_list(out, row);
    sq_buf_append_text(out, "}]");
}

static void write_property(struct sq_buf *out, const struct sq_config_row *row, const char *name)
{
    sq_json_write_key(out, name);
    sq_buf_append_char(out, '{');
    put_text(out, "description", row->meaning);
    put_default(out, row);
    if (row->flags & SQ_ROW_ONE_OR_MANY) put_one_or_many(out, row);
    else if (sq_config_value_is_list(row->kind)) put_list(out, row);
    else put_scalar(out, row);
    sq_buf_append_char(out, '}');
}

static void schema_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    (void)base;
    (void)item;
    (void)depth;
    char key[SQ_CONFIG_KEY_BYTES];
    snprintf(key, sizeof key, "%.*s", (int)name.bytes, name.data);
    write_property(visitor->out, row, key);
    if (row->also) write_property(visitor->out, row, row->also);
}

static void open_object(struct sq_buf *out)
{
    put_text(out, "type", "object");
    sq_json_write_key(out, "additionalProperties");
    sq_buf_append_text(out, "false");
    sq_json_write_key(out, "properties");
    sq_buf_append_char(out, '{');
}

static void schema_open(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth)
{
    (void)depth;
    struct sq_buf *out = visitor->out;
    char key[SQ_CONFIG_KEY_BYTES];
    snprintf(key, sizeof key, "%.*s", (int)name.bytes, name.data);
    const char *meaning = sq_config_section_meaning(name);
    sq_json_write_key(out, key);
    sq_buf_append_char(out, '{');
    if (*meaning) put_text(out, "description", meaning);
    const struct sq_config_list *list = sq_config_list_find(path);
    if (!list) {
        open_object(out);
        return;
    }
    put_text(out, "type", "array");
    put_number(out, "maxItems", list->items_max);
    sq_json_write_key(out, "items");
    sq_buf_append_char(out, '{');
    if (list->needs_name) {
        sq_json_write_key(out, "required");
        sq_buf_append_text(out, "[\"name\"]");
    }
    open_object(out);
}

static void schema_close(struct sq_config_visitor *visitor, struct sq_str path, unsigned depth)
{
    (void)depth;
    sq_buf_append_text(visitor->out, sq_config_list_find(path) ? "}}}" : "}}");
}

void sq_config_schema(struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.open = schema_open, .close = schema_close, .row = schema_row, .out = out};
    sq_buf_append_char(out, '{');
    put_text(out, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put_text(out, "title", "squall configuration");
    open_object(out);
    sq_config_walk(&visitor);
    sq_buf_append_text(out, "}}");
}
