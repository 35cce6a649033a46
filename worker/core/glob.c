/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/glob.h"

bool sq_glob_matches(const char *pattern, struct sq_str text)
{
    const char *star = NULL; /* the latest one, to which a mismatch goes back with one more byte eaten */
    size_t at = 0, star_at = 0;
    while (at < text.bytes) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern && (*pattern == '?' || *pattern == text.data[at])) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

bool sq_glob_watches(const struct sq_rule *rule, struct sq_str entity)
{
    for (unsigned i = 0; i < rule->entities_count; i++)
        if (sq_glob_matches(rule->entities[i], entity)) return true;
    return rule->entities_count == 0;
}
