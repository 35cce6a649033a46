/* SPDX-License-Identifier: Apache-2.0 */
/* What people asked not to be told of, for a while: patterns of rules and entities, each until a time.
 *
 * A silence decides nothing about an alert. Its transitions happen and are published as always, marked `silenced`; whoever notifies people
 * passes them over. Times are event time and the list is part of the partition's saved state, so that a replay of the scores with the same
 * silences put at the same records marks the same transitions. Pure; owned by one detector. */
#ifndef SQ_CORE_SILENCE_H
#define SQ_CORE_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"
#include "worker/core/rule.h"

enum { SQ_SILENCES_MAX = 64 };

struct sq_silence {
    uint64_t id;                       /* the caller's choice; not 0 */
    char rule[SQ_RULE_TEXT_BYTES];     /* globs, see glob.h; "" is any */
    char entity[SQ_RULE_TEXT_BYTES];
    int64_t from_ms, until_ms;         /* event time, until exclusive */
    char by[SQ_RULE_TEXT_BYTES], why[SQ_RULE_TEXT_BYTES]; /* for people */
};

struct sq_silences {
    struct sq_silence *items; /* owned, by id */
    unsigned count;
};

/* Adds it, or replaces the one of the same id. False: SQ_SILENCES_MAX are there, or no memory; nothing changed. */
bool sq_silences_put(struct sq_silences *silences, const struct sq_silence *silence);

/* False when there is none of that id. */
bool sq_silences_remove(struct sq_silences *silences, uint64_t id);

/* Drops those that ended at or before now_ms. */
void sq_silences_expire(struct sq_silences *silences, int64_t now_ms);

/* The one of the lowest id that holds at this time, or NULL. */
const struct sq_silence *sq_silences_find(const struct sq_silences *silences, struct sq_str rule, struct sq_str entity, int64_t at_ms);

void sq_silences_deinit(struct sq_silences *silences);

#endif
