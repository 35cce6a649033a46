/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config_value.h"

const char *sq_config_pair_find(const struct sq_config_pairs *pairs, const char *name)
{
    for (unsigned i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0) return pairs->items[i].value;
    return NULL;
}

int sq_config_pair_set(struct sq_config_pairs *pairs, struct sq_str name, struct sq_str value, struct sq_err *err)
{
    struct sq_config_pair pair = {"", ""};
    if (name.bytes == 0 || name.bytes >= sizeof pair.name || value.bytes >= sizeof pair.value)
        return sq_err_set(err, SQ_E_CONFIG, "a property's name has 1 to %zu bytes and its value at most %zu", sizeof pair.name - 1,
                          sizeof pair.value - 1);
    memcpy(pair.name, name.data, name.bytes);
    if (strspn(pair.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != name.bytes)
        return sq_err_set(err, SQ_E_CONFIG, "a property's name is made of letters, digits, dots and underscores, as in linger.ms");
    if (value.bytes && memchr(value.data, '\0', value.bytes)) return sq_err_set(err, SQ_E_CONFIG, "%s: it holds a NUL byte", pair.name);
    if (value.bytes) memcpy(pair.value, value.data, value.bytes);
    if (sq_config_property_refused(pair.name))
        return sq_err_set(err, SQ_E_CONFIG, "'%s' is squall's own to set, since what it promises rests on it", pair.name);
    unsigned at = 0;
    while (at < pairs->count && strcmp(pairs->items[at].name, pair.name) != 0) at++;
    if (at == SQ_CONFIG_PROPERTIES_MAX) return sq_err_set(err, SQ_E_CONFIG, "more than %d properties", SQ_CONFIG_PROPERTIES_MAX);
    pairs->items[at] = pair;
    if (at == pairs->count) pairs->count++;
    return 0;
}
