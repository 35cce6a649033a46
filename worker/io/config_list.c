/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config_list.h"

#include <stddef.h>

static const struct sq_config_list lists[SQ_CONFIG_LISTS_COUNT] = {
    {{"rules[]", 7}, {"rules", 5}, "rule", "[{name: NegativeSpike}]", SQ_RULES_MAX, offsetof(struct sq_config, rules), sizeof(struct sq_rule),
     offsetof(struct sq_config, rules_count), true},
    {{"notify[]", 8}, {"notify", 6}, "receiver", "[{type: webhook, url: 'https://ops.example/hook'}]", SQ_RECEIVERS_MAX,
     offsetof(struct sq_config, notify), sizeof(struct sq_receiver), offsetof(struct sq_config, notify_count), false},
};
_Static_assert((int)SQ_RULES_MAX <= (int)SQ_CONFIG_LIST_ITEMS_MAX && (int)SQ_RECEIVERS_MAX <= (int)SQ_CONFIG_LIST_ITEMS_MAX, "room for the origins of each");
_Static_assert(offsetof(struct sq_rule, name) == 0 && offsetof(struct sq_receiver, name) == 0, "items begin with their name");

const struct sq_config_list *sq_config_list(unsigned index) { return index < SQ_CONFIG_LISTS_COUNT ? &lists[index] : NULL; }

const struct sq_config_list *sq_config_list_find(struct sq_str path)
{
    for (unsigned i = 0; i < SQ_CONFIG_LISTS_COUNT; i++)
        if (sq_str_equal(path, lists[i].path) || sq_str_equal(path, lists[i].name)) return &lists[i];
    return NULL;
}

const struct sq_config_list *sq_config_list_of(const struct sq_config_row *row)
{
    for (unsigned i = 0; i < SQ_CONFIG_LISTS_COUNT; i++)
        if (strncmp(row->path, lists[i].path.data, lists[i].path.bytes) == 0) return &lists[i];
    return NULL;
}

int sq_config_item(const struct sq_config_list *list, unsigned index) { return (int)((unsigned)(list - lists) * SQ_CONFIG_LIST_ITEMS_MAX + index); }
unsigned sq_config_item_index(int item) { return (unsigned)item % SQ_CONFIG_LIST_ITEMS_MAX; }

unsigned *sq_config_list_count(struct sq_config *config, const struct sq_config_list *list)
{
    return (unsigned *)(void *)((char *)config + list->count_offset);
}

unsigned sq_config_list_size(const struct sq_config *config, const struct sq_config_list *list)
{
    return *(const unsigned *)(const void *)((const char *)config + list->count_offset);
}

static size_t offset_of(int item)
{
    if (item == SQ_NO_ITEM) return 0;
    const struct sq_config_list *list = &lists[(unsigned)item / SQ_CONFIG_LIST_ITEMS_MAX];
    return list->offset + sq_config_item_index(item) * list->bytes;
}

void *sq_config_base(struct sq_config *config, int item) { return (char *)config + offset_of(item); }
const void *sq_config_base_view(const struct sq_config *config, int item) { return (const char *)config + offset_of(item); }
const char *sq_config_item_name(const struct sq_config *config, int item) { return sq_config_base_view(config, item); }
