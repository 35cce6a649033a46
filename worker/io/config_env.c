/* SPDX-License-Identifier: Apache-2.0 */
/* The environment and the command line. */
#include <ctype.h>
#include <stdio.h>

#include "worker/io/config_load.h"

/* SQUALL_KAFKA_SASL_MECHANISM=PLAIN -> sasl.mechanism */
static void read_property(struct sq_config_loader *loader, const char *name, const char *equals, const struct sq_config_where *where)
{
    char property[SQ_CONFIG_NAME_BYTES];
    size_t bytes = (size_t)(equals - name);
    if (bytes >= sizeof property) {
        sq_config_problem(loader, where, "no librdkafka property has so long a name");
        return;
    }
    for (size_t i = 0; i < bytes; i++) property[i] = name[i] == '_' ? '.' : (char)tolower((unsigned char)name[i]);
    sq_config_assign_pair(loader, sq_config_row_find(SQ_STR("kafka.properties")), (struct sq_str){property, bytes}, sq_str_view(equals + 1), where);
}

void sq_config_read_environment(struct sq_config_loader *loader)
{
    static const char prefix[] = "SQUALL_KAFKA_";
    struct sq_config_where where = {.origin = {SQ_SOURCE_ENVIRONMENT, 0}};
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        const char *value = row->environment ? sq_config_variable(loader->environment, sq_str_view(row->environment)) : NULL;
        snprintf(where.text, sizeof where.text, "%s", row->environment ? row->environment : "");
        if (value) sq_config_assign_text(loader, row, SQ_NO_ITEM, sq_str_view(value), &where);
    }
    for (const char *const *variable = loader->environment; *variable; variable++) {
        const char *equals = strchr(*variable, '=');
        if (!equals || strncmp(*variable, prefix, sizeof prefix - 1) != 0) continue;
        snprintf(where.text, sizeof where.text, "%.*s", (int)(equals - *variable), *variable);
        read_property(loader, *variable + sizeof prefix - 1, equals, &where);
    }
}

/* The row of a property path such as kafka.properties.linger.ms, with the property's own name in *property. */
static const struct sq_config_row *pairs_row(struct sq_str path, struct sq_str *property)
{
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        size_t bytes = strlen(row->path);
        if (row->kind != SQ_KIND_PAIRS || path.bytes <= bytes + 1 || memcmp(path.data, row->path, bytes) != 0 || path.data[bytes] != '.') continue;
        *property = (struct sq_str){path.data + bytes + 1, path.bytes - bytes - 1};
        return row;
    }
    return NULL;
}

/* The list that a path goes into: "rules.NAME.key" or, by mistake, "rules[0].key"; NULL. */
static const struct sq_config_list *list_of(struct sq_str path)
{
    size_t bytes = 0;
    while (bytes < path.bytes && !strchr(".[", path.data[bytes])) bytes++;
    return bytes < path.bytes ? sq_config_list_find((struct sq_str){path.data, bytes}) : NULL;
}

/* rules.NAME.key -> the item, and the path within the table. The longest name that fits wins, as names may hold dots. */
static int find_item(const struct sq_config *config, struct sq_str path, char *table_path, size_t table_path_bytes)
{
    const struct sq_config_list *list = list_of(path);
    int found = SQ_NO_ITEM;
    size_t found_bytes = 0, before = list ? list->name.bytes + 1 : 0;
    for (unsigned i = 0; list && i < sq_config_list_size(config, list); i++) {
        const char *name = sq_config_item_name(config, sq_config_item(list, i));
        size_t bytes = strlen(name), rest = before + bytes;
        if (bytes <= found_bytes || path.bytes <= rest || path.data[rest] != '.') continue;
        if (memcmp(path.data + before, name, bytes) != 0) continue;
        found = sq_config_item(list, i);
        found_bytes = bytes;
        snprintf(table_path, table_path_bytes, "%s%.*s", list->path.data, (int)(path.bytes - rest), path.data + rest);
    }
    return found;
}

/* With the names there are, since a file may be far away. */
static void tell_unknown_item(struct sq_config_loader *loader, const struct sq_config_list *list, const struct sq_config_where *where)
{
    char names[256] = "";
    size_t used = 0;
    for (unsigned i = 0; i < sq_config_list_size(loader->config, list) && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "; there is ", sq_config_item_name(loader->config, sq_config_item(list, i)));
    sq_config_problem(loader, where, "there is no %s of that name%s; a %s's key is %s.NAME.key", list->item, names, list->item, list->name.data);
}

static void tell_unknown(struct sq_config_loader *loader, struct sq_str path, int item, const struct sq_config_where *where)
{
    const struct sq_config_list *list = list_of(path);
    if (item == SQ_NO_ITEM && list) {
        tell_unknown_item(loader, list, where);
        return;
    }
    size_t at = path.bytes;
    while (at > 0 && path.data[at - 1] != '.') at--;
    sq_config_unknown(loader, (struct sq_str){path.data, at}, (struct sq_str){path.data + at, path.bytes - at}, where);
}

static void read_set(struct sq_config_loader *loader, const char *set)
{
    struct sq_config_where where = {.origin = {SQ_SOURCE_FLAG, 0}};
    const char *equals = strchr(set, '=');
    snprintf(where.text, sizeof where.text, "--set %.*s", equals ? (int)(equals - set) : (int)strlen(set), set);
    if (!equals) {
        sq_config_problem(loader, &where, "expected path=value, as in model.threads=4");
        return;
    }
    struct sq_str path = {set, (size_t)(equals - set)}, property, value = sq_str_view(equals + 1);
    char table_path[SQ_CONFIG_KEY_BYTES];
    int item = find_item(loader->config, path, table_path, sizeof table_path);
    if (item != SQ_NO_ITEM) path = sq_str_view(table_path);
    const struct sq_config_row *row = sq_config_row_find(path), *pairs = pairs_row(path, &property);
    if (row && item == SQ_NO_ITEM && memchr(path.data, '[', path.bytes)) row = NULL; /* "rules[]." is the table's word, not the user's */
    if (row) sq_config_assign_text(loader, row, item, value, &where);
    else if (pairs) sq_config_assign_pair(loader, pairs, property, value, &where);
    else tell_unknown(loader, path, item, &where);
}

void sq_config_read_sets(struct sq_config_loader *loader, const char *const *sets, unsigned sets_count)
{
    for (unsigned i = 0; i < sets_count; i++) read_set(loader, sets[i]);
}
