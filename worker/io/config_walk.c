/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config_walk.h"

/* Rows [first, end) whose paths begin with the same prefix_bytes. */
struct span {
    unsigned first, end;
    size_t prefix_bytes;
    unsigned depth;
};

static bool wanted(const struct sq_config_visitor *visitor, const struct sq_config_row *row) { return !visitor->wants || visitor->wants(row); }

static void walk_span(struct sq_config_visitor *visitor, const struct span *span, const void *base, int item);

static void walk_items(struct sq_config_visitor *visitor, const struct sq_config_list *list, const struct span *span)
{
    const struct sq_config *config = visitor->config;
    unsigned count = config ? sq_config_list_size(config, list) : 1;
    for (unsigned i = 0; i < count; i++) {
        int item = config ? sq_config_item(list, i) : SQ_NO_ITEM;
        if (visitor->open_item) visitor->open_item(visitor, item, span->depth);
        walk_span(visitor, span, config ? sq_config_base_view(config, item) : NULL, item);
        if (visitor->close_item) visitor->close_item(visitor, item, span->depth);
    }
}

/* The rows of the section that the row at `first` opens, and whether any of them is wanted. */
static struct span section_of(const struct sq_config_visitor *visitor, const struct span *outer, unsigned first, size_t prefix_bytes, bool *any)
{
    struct span span = {first, first, prefix_bytes, outer->depth + 1};
    const char *path = sq_config_row(first)->path;
    *any = false;
    for (; span.end < outer->end; span.end++) {
        const struct sq_config_row *row = sq_config_row(span.end);
        if (strncmp(row->path, path, prefix_bytes) != 0) break;
        *any = *any || wanted(visitor, row);
    }
    return span;
}

static void walk_span(struct sq_config_visitor *visitor, const struct span *span, const void *base, int item)
{
    for (unsigned i = span->first; i < span->end;) {
        const struct sq_config_row *row = sq_config_row(i);
        const char *name = row->path + span->prefix_bytes;
        size_t bytes = strcspn(name, ".");
        if (!name[bytes]) {
            if (wanted(visitor, row)) visitor->row(visitor, row, (struct sq_str){name, bytes}, base, item, span->depth);
            i++;
            continue;
        }
        struct sq_str path = {row->path, span->prefix_bytes + bytes};
        bool any;
        const struct sq_config_list *list = sq_config_list_find(path);
        struct span section = section_of(visitor, span, i, path.bytes + 1, &any);
        if (any && visitor->open) visitor->open(visitor, (struct sq_str){name, list ? list->name.bytes : bytes}, path, span->depth);
        if (any && list) walk_items(visitor, list, &section);
        else if (any) walk_span(visitor, &section, base, item);
        if (any && visitor->close) visitor->close(visitor, path, span->depth);
        i = section.end;
    }
}

void sq_config_walk(struct sq_config_visitor *visitor)
{
    unsigned count = 0;
    while (sq_config_row(count)) count++;
    walk_span(visitor, &(struct span){0, count, 0, 0}, visitor->config, SQ_NO_ITEM);
}
