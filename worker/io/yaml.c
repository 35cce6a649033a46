/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
    const char *name;
    yaml_document_t *document;
    unsigned nodes_count;
    struct sq_err *err;
};

static const char *const kind_words[] = {"a single value", "a list", "a mapping"};

const char *sq_yaml_kind_word(enum sq_yaml_kind kind) { return kind_words[kind]; }

static void release(struct sq_yaml *node)
{
    for (unsigned i = 0; i < node->count; i++) release(&node->items[i]);
    free(node->items);
    free((void *)(uintptr_t)node->text.data);
    free((void *)(uintptr_t)node->key.data);
}

void sq_yaml_close(struct sq_yaml *root)
{
    if (!root) return;
    release(root);
    free(root);
}

static int fail(struct reader *reader, const yaml_mark_t *mark, const char *what)
{
    return sq_err_set(reader->err, SQ_E_CONFIG, "%s:%zu:%zu: %s", reader->name, mark->line + 1, mark->column + 1, what);
}

static int copy(struct reader *reader, const yaml_node_t *scalar, struct sq_str *out)
{
    size_t bytes = scalar->data.scalar.length;
    char *data = malloc(bytes + 1);
    if (!data) return sq_err_set(reader->err, SQ_E_NOMEM, "%s: no memory to read it", reader->name);
    memcpy(data, scalar->data.scalar.value, bytes);
    data[bytes] = '\0';
    *out = (struct sq_str){data, bytes};
    return 0;
}

static int build(struct reader *reader, int id, unsigned depth, struct sq_yaml *out);

static int open_items(struct reader *reader, struct sq_yaml *out, size_t count)
{
    out->items = calloc(count + 1, sizeof *out->items);
    return out->items ? 0 : sq_err_set(reader->err, SQ_E_NOMEM, "%s: no memory to read it", reader->name);
}

static int build_list(struct reader *reader, const yaml_node_t *node, unsigned depth, struct sq_yaml *out)
{
    int status = open_items(reader, out, (size_t)(node->data.sequence.items.top - node->data.sequence.items.start));
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top && status == 0; item++)
        status = build(reader, *item, depth, &out->items[out->count++]);
    return status;
}

static int build_map(struct reader *reader, const yaml_node_t *node, unsigned depth, struct sq_yaml *out)
{
    int status = open_items(reader, out, (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start));
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top && status == 0; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        if (key->type != YAML_SCALAR_NODE) return fail(reader, &key->start_mark, "a key must be a word");
        const char *name = (const char *)key->data.scalar.value;
        if (sq_yaml_member(out, name)) return fail(reader, &key->start_mark, "this key stands twice");
        struct sq_yaml *item = &out->items[out->count++];
        status = build(reader, pair->value, depth, item);
        if (status == 0) status = copy(reader, key, &item->key);
        item->line = key->start_mark.line + 1;
        item->column = key->start_mark.column + 1;
    }
    return status;
}

static int build(struct reader *reader, int id, unsigned depth, struct sq_yaml *out)
{
    const yaml_node_t *node = yaml_document_get_node(reader->document, id);
    out->line = node->start_mark.line + 1;
    out->column = node->start_mark.column + 1;
    if (depth == SQ_YAML_DEPTH_MAX) return fail(reader, &node->start_mark, "lists and mappings nest too deep");
    if (++reader->nodes_count > SQ_YAML_NODES_MAX) return fail(reader, &node->start_mark, "too many values, or aliases that multiply");
    out->kind = node->type == YAML_MAPPING_NODE ? SQ_YAML_MAP : node->type == YAML_SEQUENCE_NODE ? SQ_YAML_LIST : SQ_YAML_SCALAR;
    if (out->kind == SQ_YAML_MAP) return build_map(reader, node, depth + 1, out);
    if (out->kind == SQ_YAML_LIST) return build_list(reader, node, depth + 1, out);
    return copy(reader, node, &out->text);
}

/* libyaml's time grows with the square of how deep brackets nest. */
static bool nests_deeply(struct sq_str text)
{
    int depth = 0;
    for (size_t i = 0; i < text.bytes && depth <= 4 * SQ_YAML_DEPTH_MAX; i++) {
        if (text.data[i] == '[' || text.data[i] == '{') depth++;
        else if ((text.data[i] == ']' || text.data[i] == '}') && depth > 0) depth--;
    }
    return depth > 4 * SQ_YAML_DEPTH_MAX;
}

static int read_document(struct reader *reader, yaml_parser_t *parser, struct sq_yaml *root)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return sq_err_set(reader->err, SQ_E_CONFIG, "%s:%zu:%zu: not valid YAML: %s", reader->name, parser->problem_mark.line + 1,
                          parser->problem_mark.column + 1, parser->problem ? parser->problem : "unknown error");
    reader->document = &document;
    int status = 0;
    if (yaml_document_get_root_node(&document)) status = build(reader, 1, 0, root);
    yaml_document_delete(&document);
    return status;
}

int sq_yaml_parse(struct sq_yaml **root, const char *name, struct sq_str text, struct sq_err *err)
{
    *root = NULL;
    if (text.bytes > SQ_YAML_BYTES_MAX || nests_deeply(text)) return sq_err_set(err, SQ_E_CONFIG, "%s: too large, or brackets nest too deep", name);
    struct reader reader = {.name = name, .err = err};
    yaml_parser_t parser;
    struct sq_yaml *made = calloc(1, sizeof *made);
    if (!made || !yaml_parser_initialize(&parser)) {
        free(made);
        return sq_err_set(err, SQ_E_NOMEM, "%s: no memory to read it", name);
    }
    made->kind = SQ_YAML_MAP;
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.data ? text.data : ""), text.bytes);
    int status = read_document(&reader, &parser, made);
    yaml_parser_delete(&parser);
    if (status) sq_yaml_close(made);
    else *root = made;
    return status;
}

const struct sq_yaml *sq_yaml_member(const struct sq_yaml *map, const char *key)
{
    struct sq_str wanted = sq_str_view(key);
    for (unsigned i = 0; map->kind == SQ_YAML_MAP && i < map->count; i++)
        if (sq_str_equal(map->items[i].key, wanted)) return &map->items[i];
    return NULL;
}
