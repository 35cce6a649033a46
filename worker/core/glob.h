/* SPDX-License-Identifier: Apache-2.0 */
/* Entity patterns: `*` is any run of bytes, `?` any one byte, all else itself. */
#ifndef SQ_CORE_GLOB_H
#define SQ_CORE_GLOB_H

#include "engine/base/str.h"
#include "worker/core/rule.h"

/* Time at most proportional to the product of both lengths. */
bool sq_glob_matches(const char *pattern, struct sq_str text);

/* Whether the rule watches the entity: no pattern, or one that matches. */
bool sq_glob_watches(const struct sq_rule *rule, struct sq_str entity);

#endif
