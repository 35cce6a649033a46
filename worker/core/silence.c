/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/silence.h"

#include <stdlib.h>
#include <string.h>

#include "worker/core/glob.h"

/* The first place whose id is not below. */
static unsigned place_of(const struct sq_silences *silences, uint64_t id)
{
    unsigned at = 0;
    while (at < silences->count && silences->items[at].id < id) at++;
    return at;
}

static bool is_at(const struct sq_silences *silences, unsigned at, uint64_t id) { return at < silences->count && silences->items[at].id == id; }

bool sq_silences_put(struct sq_silences *silences, const struct sq_silence *silence)
{
    unsigned at = place_of(silences, silence->id);
    if (!is_at(silences, at, silence->id)) {
        if (silences->count == SQ_SILENCES_MAX) return false;
        struct sq_silence *items = realloc(silences->items, (silences->count + 1) * sizeof *items);
        if (!items) return false;
        memmove(&items[at + 1], &items[at], (silences->count - at) * sizeof *items);
        silences->items = items;
        silences->count++;
    }
    silences->items[at] = *silence;
    return true;
}

static void remove_at(struct sq_silences *silences, unsigned at)
{
    silences->count--;
    memmove(&silences->items[at], &silences->items[at + 1], (silences->count - at) * sizeof *silences->items);
}

bool sq_silences_remove(struct sq_silences *silences, uint64_t id)
{
    unsigned at = place_of(silences, id);
    bool found = is_at(silences, at, id);
    if (found) remove_at(silences, at);
    return found;
}

void sq_silences_expire(struct sq_silences *silences, int64_t now_ms)
{
    for (unsigned at = silences->count; at-- > 0;)
        if (silences->items[at].until_ms <= now_ms) remove_at(silences, at);
}

static bool fits(const char *pattern, struct sq_str text) { return pattern[0] == '\0' || sq_glob_matches(pattern, text); }

const struct sq_silence *sq_silences_find(const struct sq_silences *silences, struct sq_str rule, struct sq_str entity, int64_t at_ms)
{
    for (unsigned i = 0; i < silences->count; i++) {
        const struct sq_silence *silence = &silences->items[i];
        if (at_ms >= silence->from_ms && at_ms < silence->until_ms && fits(silence->rule, rule) && fits(silence->entity, entity)) return silence;
    }
    return NULL;
}

void sq_silences_deinit(struct sq_silences *silences)
{
    free(silences->items);
    *silences = (struct sq_silences){0};
}
