/* SPDX-License-Identifier: Apache-2.0 */
/* The file. libyaml makes a tree of it; this walks the tree along the table of keys, so that a key at any depth is either in the table or
 * an error. A walk ends however the file is built (aliases may make a tree of a billion leaves, or a ring): it goes only as deep as the
 * table does, and only as wide as the bounds below. */
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "worker/io/config_load.h"

enum { KEYS_MAX = 128 /* of one mapping */, BRACKETS_MAX = 256 };

struct reader {
    struct sq_config_loader *loader;
    yaml_document_t *document;
};

static struct sq_str text_of(const yaml_node_t *node) { return (struct sq_str){(const char *)node->data.scalar.value, node->data.scalar.length}; }

static struct sq_config_where where_of(const struct reader *reader, const yaml_node_t *node)
{
    struct sq_config_where where = {.origin = {SQ_SOURCE_FILE, node->start_mark.line + 1}};
    snprintf(where.text, sizeof where.text, "%s:%zu:%zu", reader->loader->file, node->start_mark.line + 1, node->start_mark.column + 1);
    return where;
}

static const char *type_of(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE ? "a mapping" : node->type == YAML_SEQUENCE_NODE ? "a list" : "a single value";
}

static bool is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    struct sq_str text = text_of(node);
    return text.bytes == 0 || sq_str_equal(text, SQ_STR("~")) || sq_str_equal(text, SQ_STR("null"));
}

/* ---- Mappings: the walk over one, with what is wrong with its keys told ---- */

typedef void (*member_fn)(struct reader *reader, struct sq_str name, const yaml_node_t *key, yaml_node_t *value, void *ctx);

static bool stands_before(struct reader *reader, const yaml_node_t *node, const yaml_node_pair_t *pair, struct sq_str name)
{
    for (const yaml_node_pair_t *earlier = node->data.mapping.pairs.start; earlier < pair; earlier++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, earlier->key);
        if (key->type == YAML_SCALAR_NODE && sq_str_equal(text_of(key), name)) return true;
    }
    return false;
}

static void each_member(struct reader *reader, const yaml_node_t *node, member_fn member, void *ctx)
{
    struct sq_config_where where = where_of(reader, node);
    if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > KEYS_MAX) {
        sq_config_problem(reader->loader, &where, "a mapping with more than %d keys", KEYS_MAX);
        return;
    }
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        where = where_of(reader, key);
        if (key->type != YAML_SCALAR_NODE) sq_config_problem(reader->loader, &where, "a key must be a word, found %s", type_of(key));
        else if (stands_before(reader, node, pair, text_of(key)))
            sq_config_problem(reader->loader, &where, "the key '%.*s' stands twice", (int)text_of(key).bytes, (const char *)text_of(key).data);
        else member(reader, text_of(key), key, yaml_document_get_node(reader->document, pair->value), ctx);
    }
}

/* ---- Values ---- */

/* A scalar with its variables replaced. False: a problem was told. */
static bool expand(struct reader *reader, const yaml_node_t *node, struct sq_buf *out)
{
    struct sq_err err;
    struct sq_config_where where = where_of(reader, node);
    if (sq_config_expand(text_of(node), reader->loader->environment, out, &err) == 0) return true;
    sq_config_problem(reader->loader, &where, "%s", err.message);
    return false;
}

static void read_scalar(struct reader *reader, const struct sq_config_row *row, int item, const yaml_node_t *node)
{
    struct sq_config_where where = where_of(reader, node);
    struct sq_buf text;
    sq_buf_init(&text);
    if (is_null(node)) {
        sq_config_problem(reader->loader, &where, "%s has no value; leave the key out for its default", row->path);
    } else if (expand(reader, node, &text)) {
        struct sq_str value = sq_buf_view(&text);
        sq_config_assign(reader->loader, row, item, &(struct sq_config_given){&value, 1, false}, &where);
    }
    sq_buf_deinit(&text);
}

static void read_list(struct reader *reader, const struct sq_config_row *row, int item, const yaml_node_t *node)
{
    struct sq_config_where where = where_of(reader, node);
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    struct sq_buf texts[SQ_CONFIG_ITEMS_MAX];
    struct sq_str items[SQ_CONFIG_ITEMS_MAX];
    if (count > SQ_CONFIG_ITEMS_MAX) {
        sq_config_problem(reader->loader, &where, "%s: a list of more than %d items", row->path, SQ_CONFIG_ITEMS_MAX);
        return;
    }
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *member = yaml_document_get_node(reader->document, node->data.sequence.items.start[i]);
        struct sq_config_where member_where = where_of(reader, member);
        sq_buf_init(&texts[i]);
        if (member->type != YAML_SCALAR_NODE || is_null(member)) {
            sq_config_problem(reader->loader, &member_where, "%s: an item must be a single value", row->path);
            whole = false;
        } else if (!expand(reader, member, &texts[i])) {
            whole = false;
        }
        items[i] = sq_buf_view(&texts[i]);
    }
    if (whole) sq_config_assign(reader->loader, row, item, &(struct sq_config_given){items, (unsigned)count, true}, &where);
    for (size_t i = 0; i < count; i++) sq_buf_deinit(&texts[i]);
}

static void read_pair(struct reader *reader, struct sq_str name, const yaml_node_t *key, yaml_node_t *value, void *ctx)
{
    const struct sq_config_row *row = ctx;
    struct sq_config_where where = where_of(reader, value);
    struct sq_buf text;
    (void)key;
    sq_buf_init(&text);
    if (value->type != YAML_SCALAR_NODE)
        sq_config_problem(reader->loader, &where, "%s.%.*s: expected a single value, found %s", row->path, (int)name.bytes, name.data, type_of(value));
    else if (expand(reader, value, &text)) sq_config_assign_pair(reader->loader, row, name, sq_buf_view(&text), &where);
    sq_buf_deinit(&text);
}

static void read_value(struct reader *reader, const struct sq_config_row *row, int item, const yaml_node_t *node)
{
    struct sq_config_where where = where_of(reader, node);
    bool wants_mapping = row->kind == SQ_KIND_PAIRS;
    if (wants_mapping && node->type == YAML_MAPPING_NODE) {
        union { /* the walk hands it back as it came */
            const struct sq_config_row *row;
            void *ctx;
        } cast = {.row = row};
        each_member(reader, node, read_pair, cast.ctx);
    } else if (wants_mapping || node->type == YAML_MAPPING_NODE) {
        sq_config_problem(reader->loader, &where, "%s: expected %s, found %s", row->path, wants_mapping ? "a mapping of names to values" : "a value",
                          type_of(node));
    } else if (node->type == YAML_SEQUENCE_NODE) {
        read_list(reader, row, item, node);
    } else {
        read_scalar(reader, row, item, node);
    }
}

/* ---- Sections ---- */

struct section {
    const char *prefix; /* "", "model.", "rules[]." */
    int item;
};

static void read_section(struct reader *reader, const char *prefix, int item, const yaml_node_t *node);
static void read_items(struct reader *reader, const struct sq_config_list *list, const yaml_node_t *node);

static void read_member(struct reader *reader, struct sq_str name, const yaml_node_t *key, yaml_node_t *value, void *ctx)
{
    const struct section *section = ctx;
    struct sq_config_where where = where_of(reader, key);
    char path[SQ_CONFIG_KEY_BYTES];
    int bytes = snprintf(path, sizeof path - 1, "%s%.*s", section->prefix, (int)(name.bytes > 128 ? 128 : name.bytes), name.data);
    const struct sq_config_row *row = sq_config_row_find(sq_str_view(path));
    const struct sq_config_list *list = section->item == SQ_NO_ITEM ? sq_config_list_find(sq_str_view(path)) : NULL;
    if (memchr(name.data, '\0', name.bytes) || memchr(name.data, '.', name.bytes) || memchr(name.data, '[', name.bytes)) row = NULL, bytes = 0;
    if (row) {
        read_value(reader, row, section->item, value);
    } else if (bytes > 0 && list) {
        read_items(reader, list, value);
    } else if (bytes > 0 && sq_config_is_section(sq_str_view(path))) {
        where = where_of(reader, value);
        path[bytes] = '.';
        path[bytes + 1] = '\0';
        if (value->type == YAML_MAPPING_NODE) read_section(reader, path, section->item, value);
        else sq_config_problem(reader->loader, &where, "%.*s: expected a mapping of keys to values, found %s", bytes, path, type_of(value));
    } else {
        sq_config_unknown(reader->loader, sq_str_view(section->prefix), name, &where);
    }
}

static void read_section(struct reader *reader, const char *prefix, int item, const yaml_node_t *node)
{
    struct section section = {prefix, item};
    each_member(reader, node, read_member, &section);
}

static bool is_list(struct reader *reader, const struct sq_config_list *list, const yaml_node_t *node)
{
    struct sq_config_where where = where_of(reader, node);
    if (node->type == YAML_SEQUENCE_NODE) return true;
    sq_config_problem(reader->loader, &where, "%s: expected a list, as in %s: %s, found %s", list->name.data, list->name.data, list->example, type_of(node));
    return false;
}

static void read_item(struct reader *reader, const struct sq_config_list *list, const yaml_node_t *node)
{
    struct sq_config *config = reader->loader->config;
    struct sq_config_where where = where_of(reader, node);
    char prefix[32];
    int item = sq_config_item(list, (*sq_config_list_count(config, list))++);
    snprintf(prefix, sizeof prefix, "%s.", list->path.data);
    sq_config_item_default(config, item);
    read_section(reader, prefix, item, node);
    if (list->needs_name && !sq_config_item_name(config, item)[0]) sq_config_problem(reader->loader, &where, "a %s needs a name", list->item);
}

static void read_items(struct reader *reader, const struct sq_config_list *list, const yaml_node_t *node)
{
    struct sq_config *config = reader->loader->config;
    unsigned *count = sq_config_list_count(config, list);
    *count = 0;
    memset(&config->origins->items[sq_config_item(list, 0)], 0, SQ_CONFIG_LIST_ITEMS_MAX * sizeof config->origins->items[0]);
    if (!is_list(reader, list, node)) return;
    for (const yaml_node_item_t *at = node->data.sequence.items.start; at < node->data.sequence.items.top; at++) {
        const yaml_node_t *item = yaml_document_get_node(reader->document, *at);
        struct sq_config_where where = where_of(reader, item);
        if (item->type != YAML_MAPPING_NODE) {
            sq_config_problem(reader->loader, &where, "%s: expected a %s with its keys, found %s", list->name.data, list->item, type_of(item));
        } else if (*count == list->items_max) {
            sq_config_problem(reader->loader, &where, "%s: more than %u", list->name.data, list->items_max);
            return;
        } else {
            read_item(reader, list, item);
        }
    }
}

/* ---- The file ---- */

static void tell_syntax(struct sq_config_loader *loader, const yaml_parser_t *parser)
{
    struct sq_config_where where = {.origin = {SQ_SOURCE_FILE, 0}};
    if (parser->error == YAML_MEMORY_ERROR) {
        snprintf(where.text, sizeof where.text, "%s", loader->file);
        sq_config_problem(loader, &where, "no memory to read it");
        return;
    }
    bool is_bytes = parser->error == YAML_READER_ERROR;
    if (is_bytes) snprintf(where.text, sizeof where.text, "%s: byte %zu", loader->file, parser->problem_offset);
    else snprintf(where.text, sizeof where.text, "%s:%zu:%zu", loader->file, parser->problem_mark.line + 1, parser->problem_mark.column + 1);
    sq_config_problem(loader, &where, "not valid YAML: %s%s%s", parser->problem ? parser->problem : "unknown error",
                      parser->context ? " " : "", parser->context ? parser->context : "");
}

static void read_document(struct sq_config_loader *loader, yaml_document_t *document)
{
    struct reader reader = {loader, document};
    yaml_node_t *root = yaml_document_get_root_node(document);
    if (!root || is_null(root)) return; /* an empty file is a file of defaults */
    struct sq_config_where where = where_of(&reader, root);
    if (root->type == YAML_MAPPING_NODE) read_section(&reader, "", SQ_NO_ITEM, root);
    else sq_config_problem(loader, &where, "expected keys such as kafka: and input:, found %s", type_of(root));
}

/* libyaml's time grows with the square of how deep brackets nest. Those in quotes are counted too: nobody has 256 of them unmatched. */
static bool nests_deeply(struct sq_str text)
{
    int depth = 0;
    for (size_t i = 0; i < text.bytes && depth <= BRACKETS_MAX; i++) {
        if (text.data[i] == '[' || text.data[i] == '{') depth++;
        else if ((text.data[i] == ']' || text.data[i] == '}') && depth > 0) depth--;
    }
    return depth > BRACKETS_MAX;
}

void sq_config_read_yaml(struct sq_config_loader *loader, struct sq_str text)
{
    if (nests_deeply(text)) {
        sq_config_problem(loader, &(struct sq_config_where){.text = "the file"}, "brackets nest more than %d deep", BRACKETS_MAX);
        return;
    }
    yaml_parser_t parser;
    yaml_document_t document, second;
    if (!yaml_parser_initialize(&parser)) {
        sq_config_problem(loader, &(struct sq_config_where){.text = "yaml"}, "no memory to read the file");
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.data ? text.data : ""), text.bytes);
    if (yaml_parser_load(&parser, &document)) {
        read_document(loader, &document);
        yaml_document_delete(&document);
        if (!yaml_parser_load(&parser, &second)) {
            tell_syntax(loader, &parser);
        } else {
            if (yaml_document_get_root_node(&second))
                sq_config_problem(loader, &(struct sq_config_where){.text = "the file"}, "more than one YAML document");
            yaml_document_delete(&second);
        }
    } else {
        tell_syntax(loader, &parser);
    }
    yaml_parser_delete(&parser);
}
