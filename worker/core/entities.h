/* SPDX-License-Identifier: Apache-2.0 */
/* The entities of one scores partition: found by name, forgotten when unseen for longest, evaluated in key-byte order.
 *
 * The order in which a hash table hands things out never shows: evaluation walks a sorted list of the active entities, and forgetting goes
 * by the order of the records. */
#ifndef SQ_CORE_ENTITIES_H
#define SQ_CORE_ENTITIES_H

#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "worker/core/track.h"

struct sq_entity {
    struct sq_entity *prev, *next; /* by last sight, the longest unseen first */
    UT_hash_handle hh;
    struct sq_entity *next_changed; /* list of those that changed since they were saved */
    uint64_t seen;                 /* number of the record of its last sight */
    int64_t last_ms;               /* latest event time */
    bool active;                   /* in the active list */
    bool changed;                  /* in the list of changed ones */
    struct sq_str key;             /* its bytes follow the tracks */
    struct sq_track *tracks[];     /* one a rule; NULL where the rule does not watch it */
};

/* A rule and an entity. */
struct sq_state_key {
    struct sq_state_key *next;
    struct sq_str rule, entity; /* their bytes follow */
    char bytes[];
};

struct sq_entities {
    struct sq_entity *table;          /* uthash */
    struct sq_entity *oldest;         /* head of the list by last sight */
    struct sq_entity **active;        /* owned; the first sorted_count in key-byte order, then the newcomers */
    struct sq_entity **merged;        /* owned; scratch of the same capacity */
    uint32_t active_count, sorted_count, active_capacity;
    struct sq_entity *changed;        /* list */
    struct sq_state_key *forgotten;   /* owned: of states that were saved, and are gone */
    const struct sq_rule *rules;      /* borrowed */
    uint32_t count, rules_count;
};

void sq_entities_init(struct sq_entities *entities, const struct sq_rule *rules, uint32_t rules_count);
void sq_entities_deinit(struct sq_entities *entities);

/* NULL when it is not known. */
struct sq_entity *sq_entities_find(struct sq_entities *entities, struct sq_str key);

/* Adds an unknown one, without tracks. NULL without memory. */
struct sq_entity *sq_entities_add(struct sq_entities *entities, struct sq_str key);

/* Marks it as the one seen last. */
void sq_entities_touch(struct sq_entities *entities, struct sq_entity *entity);

/* Puts it on the active list. SQ_E_NOMEM only. */
int sq_entities_activate(struct sq_entities *entities, struct sq_entity *entity, struct sq_err *err);

/* Brings the newcomers of the active list into order. */
void sq_entities_sort(struct sq_entities *entities);

/* Keys of what was saved of it go to `forgotten`. */
void sq_entities_remove(struct sq_entities *entities, struct sq_entity *entity);

/* Its state may differ from what was saved. */
static inline void sq_entities_note_change(struct sq_entities *entities, struct sq_entity *entity)
{
    if (entity->changed) return;
    entity->changed = true;
    entity->next_changed = entities->changed;
    entities->changed = entity;
}

/* NULL without memory. */
struct sq_state_key *sq_state_key_new(struct sq_str rule, struct sq_str entity);

#endif
