/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the nearest key to one that isn't there. */
#include <stdio.h>

#include "worker/io/config_table.h"

enum { NAME_BYTES_MAX = 64 };

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Optimal string alignment: insertions, deletions, changes and swaps of neighbours cost 1 each. */
unsigned sq_config_distance(struct sq_str a, struct sq_str b, unsigned limit)
{
    if (a.bytes > NAME_BYTES_MAX || b.bytes > NAME_BYTES_MAX) return limit + 1;
    unsigned table[3][NAME_BYTES_MAX + 1]; /* this row and the two before it, by i % 3 */
    for (size_t j = 0; j <= b.bytes; j++) table[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.bytes; i++) {
        unsigned *now = table[i % 3], *before = table[(i + 2) % 3], *earlier = table[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.bytes; j++) {
            unsigned change = before[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
            if (swapped) now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return least(table[a.bytes % 3][b.bytes], limit + 1);
}

/* The member of section `prefix` on the way to `path`, or an empty text. */
static struct sq_str member_of(const char *path, struct sq_str prefix)
{
    if (strncmp(path, prefix.data, prefix.bytes) != 0) return (struct sq_str){"", 0};
    const char *name = path + prefix.bytes;
    return (struct sq_str){name, strcspn(name, ".[")};
}

/* The first member that goes on where a shortened name ends: "budget" for budget_per_entity_week. */
static bool begun_sibling(struct sq_str prefix, struct sq_str name, struct sq_str *found)
{
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        struct sq_str member = member_of(row->path, prefix);
        if (name.bytes < 3 || member.bytes <= name.bytes || memcmp(member.data, name.data, name.bytes) != 0) continue;
        *found = member;
        return true;
    }
    return false;
}

static bool nearest_sibling(struct sq_str prefix, struct sq_str name, struct sq_str *found)
{
    unsigned best = (unsigned)(name.bytes < 4 ? 1 : name.bytes < 9 ? 2 : 3) + 1;
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        struct sq_str member = member_of(row->path, prefix);
        unsigned distance = member.bytes ? sq_config_distance(name, member, best) : best;
        if (distance >= best) continue;
        best = distance;
        *found = member;
    }
    return found->bytes > 0;
}

static bool same_name_elsewhere(struct sq_str name, struct sq_str *found)
{
    const struct sq_config_row *row;
    for (unsigned i = 0; (row = sq_config_row(i)); i++) {
        struct sq_str path = sq_str_view(row->path);
        if (path.bytes <= name.bytes || path.data[path.bytes - name.bytes - 1] != '.') continue;
        if (memcmp(path.data + path.bytes - name.bytes, name.data, name.bytes) != 0) continue;
        *found = path;
        return true;
    }
    return false;
}

bool sq_config_nearest(struct sq_str prefix, struct sq_str name, char *nearest, size_t nearest_bytes)
{
    struct sq_str found = {"", 0};
    if (name.bytes == 0) return false;
    if (!nearest_sibling(prefix, name, &found) && !same_name_elsewhere(name, &found) && !begun_sibling(prefix, name, &found)) return false;
    snprintf(nearest, nearest_bytes, "%.*s", (int)found.bytes, found.data);
    return true;
}
