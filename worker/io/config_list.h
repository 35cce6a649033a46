/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that hold a list of sections, all with the same keys: rules and notify. In the table their rows begin with "rules[].". An item is told by
 * one number, its list's and its own place in it; SQ_NO_ITEM stands for the configuration itself. Private to worker/io/config*.c. */
#ifndef SQ_IO_CONFIG_LIST_H
#define SQ_IO_CONFIG_LIST_H

#include "worker/io/config_table.h"

enum { SQ_NO_ITEM = -1, SQ_CONFIG_LIST_ITEMS_MAX = 16, SQ_CONFIG_LISTS_COUNT = 2 };

struct sq_config_list {
    struct sq_str path;     /* "rules[]" */
    struct sq_str name;     /* "rules" */
    const char *item;       /* "rule" */
    const char *example;    /* of the list in the file */
    unsigned items_max;     /* up to SQ_CONFIG_LIST_ITEMS_MAX */
    size_t offset, bytes, count_offset; /* of the array in struct sq_config, of one item, of the count */
    bool needs_name;        /* each item begins with its name, char[] */
};

/* NULL past the end. */
const struct sq_config_list *sq_config_list(unsigned index);
/* By "rules[]", or by "rules"; NULL. */
const struct sq_config_list *sq_config_list_find(struct sq_str path);
/* The list whose items have the row, or NULL. */
const struct sq_config_list *sq_config_list_of(const struct sq_config_row *row);

int sq_config_item(const struct sq_config_list *list, unsigned index);
unsigned sq_config_item_index(int item);

unsigned *sq_config_list_count(struct sq_config *config, const struct sq_config_list *list);
unsigned sq_config_list_size(const struct sq_config *config, const struct sq_config_list *list);

/* The struct a row's offset counts from: the item's, or the configuration. */
void *sq_config_base(struct sq_config *config, int item);
const void *sq_config_base_view(const struct sq_config *config, int item);

/* What its first member calls it. */
const char *sq_config_item_name(const struct sq_config *config, int item);

#endif
