/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration in force, as YAML that can be read back (but for secrets) and as JSON. */
#include <stdio.h>

#include "engine/base/json.h"
#include "worker/io/config_walk.h"

enum { WITH_ORIGIN, ITEM_BEGINS }; /* the visitor's flags */

static void indent(struct sq_config_visitor *visitor, unsigned depth)
{
    if (visitor->flags[ITEM_BEGINS]) {
        for (unsigned i = 1; i < depth; i++) sq_buf_append_text(visitor->out, "  ");
        sq_buf_append_text(visitor->out, "- ");
        visitor->flags[ITEM_BEGINS] = false;
        return;
    }
    for (unsigned i = 0; i < depth; i++) sq_buf_append_text(visitor->out, "  ");
}

/* ---- YAML ---- */

/* Members of an item stand one step further in than the depth says: behind "- ". */
static unsigned yaml_depth(unsigned depth, int item) { return item == SQ_NO_ITEM ? depth : depth + 1; }

static void write_origin(struct sq_config_visitor *visitor, const struct sq_config_row *row, int item)
{
    static const char *const words[] = {"default", "", "environment", "flag"};
    struct sq_config_origins *origins = visitor->config->origins;
    const struct sq_config_origin *origin = sq_config_origin_of(origins, row, item);
    sq_buf_append_text(visitor->out, "  # ");
    if (origin->source == SQ_SOURCE_FILE) sq_buf_printf(visitor->out, "%s:%zu", origins->file, origin->line);
    else sq_buf_append_text(visitor->out, words[origin->source]);
}

static void yaml_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    indent(visitor, yaml_depth(depth, item));
    sq_buf_printf(visitor->out, "%.*s: ", (int)name.bytes, name.data);
    sq_config_value_write(row, base, false, visitor->out);
    if (visitor->flags[WITH_ORIGIN]) write_origin(visitor, row, item);
    sq_buf_append_char(visitor->out, '\n');
}

static void yaml_open(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth)
{
    const struct sq_config_list *list = sq_config_list_find(path);
    bool in_item = !list && memchr(path.data, '[', path.bytes);
    indent(visitor, yaml_depth(depth, in_item ? 0 : SQ_NO_ITEM));
    bool none = list && sq_config_list_size(visitor->config, list) == 0;
    sq_buf_printf(visitor->out, "%.*s:%s\n", (int)name.bytes, name.data, none ? " []" : "");
}

static void yaml_open_item(struct sq_config_visitor *visitor, int item, unsigned depth)
{
    (void)item;
    (void)depth;
    visitor->flags[ITEM_BEGINS] = true;
}

void sq_config_show(const struct sq_config *config, bool origin, struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.open = yaml_open, .open_item = yaml_open_item, .row = yaml_row, .out = out, .config = config};
    visitor.flags[WITH_ORIGIN] = origin;
    sq_config_walk(&visitor);
}

/* ---- YAML for a newcomer ---- */

enum { COMMENT_COLUMN = 40 };

static bool is_for_newcomers(const struct sq_config_row *row) { return (row->flags & SQ_ROW_INIT) != 0; }

static void init_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    size_t start = visitor->out->bytes;
    indent(visitor, yaml_depth(depth, item));
    sq_buf_printf(visitor->out, "%.*s: ", (int)name.bytes, name.data);
    sq_config_value_write(row, base, false, visitor->out);
    size_t used = visitor->out->bytes - start;
    sq_buf_printf(visitor->out, "%*s# %s\n", used < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - used) : 2, "", row->meaning);
}

static void init_open(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth)
{
    if (depth == 0) sq_buf_append_char(visitor->out, '\n');
    yaml_open(visitor, name, path, depth);
}

void sq_config_init_text(const struct sq_config *config, struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.open = init_open, .open_item = yaml_open_item, .row = init_row, .out = out, .wants = is_for_newcomers, .config = config};
    sq_buf_append_text(out, "# Squall's configuration. What is not here has its default: `squall config show` prints everything in force,\n"
                            "# ops/docs/CONFIGURATION.md tells what each key means. ${VAR} and ${VAR:-default} take a value from the environment.\n");
    sq_config_walk(&visitor);
}

/* ---- JSON ---- */

static void json_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    (void)item;
    (void)depth;
    char key[SQ_CONFIG_KEY_BYTES];
    snprintf(key, sizeof key, "%.*s", (int)name.bytes, name.data);
    sq_json_write_key(visitor->out, key);
    sq_config_value_write(row, base, true, visitor->out);
}

static void json_open(struct sq_config_visitor *visitor, struct sq_str name, struct sq_str path, unsigned depth)
{
    (void)depth;
    char key[SQ_CONFIG_KEY_BYTES];
    snprintf(key, sizeof key, "%.*s", (int)name.bytes, name.data);
    sq_json_write_key(visitor->out, key);
    sq_buf_append_char(visitor->out, sq_config_list_find(path) ? '[' : '{');
}

static void json_close(struct sq_config_visitor *visitor, struct sq_str path, unsigned depth)
{
    (void)depth;
    sq_buf_append_char(visitor->out, sq_config_list_find(path) ? ']' : '}');
}

static void json_open_item(struct sq_config_visitor *visitor, int item, unsigned depth)
{
    (void)depth;
    sq_buf_append_text(visitor->out, sq_config_item_index(item) > 0 ? ",{" : "{");
}

static void json_close_item(struct sq_config_visitor *visitor, int item, unsigned depth)
{
    (void)item;
    (void)depth;
    sq_buf_append_char(visitor->out, '}');
}

void sq_config_show_json(const struct sq_config *config, struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.open = json_open, .close = json_close, .open_item = json_open_item, .close_item = json_close_item,
                                        .row = json_row, .out = out, .config = config};
    sq_buf_append_char(out, '{');
    sq_config_walk(&visitor);
    sq_buf_append_char(out, '}');
}
