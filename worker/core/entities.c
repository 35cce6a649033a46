/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/entities.h"

#include <stdlib.h>
#include <utlist.h>

enum { ACTIVE_CAPACITY_MIN = 64 };

void sq_entities_init(struct sq_entities *entities, const struct sq_rule *rules, uint32_t rules_count)
{
    *entities = (struct sq_entities){.rules = rules, .rules_count = rules_count};
}

static void close_entity(struct sq_entities *entities, struct sq_entity *entity)
{
    for (uint32_t i = 0; i < entities->rules_count; i++) sq_track_close(entity->tracks[i]);
    free(entity);
}

void sq_entities_deinit(struct sq_entities *entities)
{
    HASH_CLEAR(hh, entities->table);
    for (struct sq_entity *entity = entities->oldest, *next; entity; entity = next) {
        next = entity->next;
        close_entity(entities, entity);
    }
    for (struct sq_state_key *key = entities->forgotten, *next; key; key = next) {
        next = key->next;
        free(key);
    }
    free(entities->active);
    free(entities->merged);
    *entities = (struct sq_entities){0};
}

struct sq_entity *sq_entities_find(struct sq_entities *entities, struct sq_str key)
{
    struct sq_entity *entity;
    HASH_FIND(hh, entities->table, key.data, key.bytes, entity);
    return entity;
}

struct sq_entity *sq_entities_add(struct sq_entities *entities, struct sq_str key)
{
    size_t head_bytes = sizeof(struct sq_entity) + entities->rules_count * sizeof(struct sq_track *);
    struct sq_entity *entity = calloc(1, head_bytes + key.bytes);
    if (!entity) return NULL;
    char *bytes = (char *)entity + head_bytes;
    memcpy(bytes, key.data, key.bytes);
    entity->key = (struct sq_str){bytes, key.bytes};
    entity->last_ms = INT64_MIN;
    HASH_ADD_KEYPTR(hh, entities->table, entity->key.data, entity->key.bytes, entity);
    if (!SQ_HASH_ADDED(entity)) {
        free(entity);
        return NULL;
    }
    DL_APPEND(entities->oldest, entity);
    entities->count++;
    return entity;
}

void sq_entities_touch(struct sq_entities *entities, struct sq_entity *entity)
{
    if (!entity->next) return; /* it is the last one */
    DL_DELETE(entities->oldest, entity);
    DL_APPEND(entities->oldest, entity);
}

static int grow(struct sq_entities *entities, struct sq_err *err)
{
    uint32_t capacity = entities->active_capacity ? 2 * entities->active_capacity : ACTIVE_CAPACITY_MIN;
    struct sq_entity **active = realloc(entities->active, capacity * sizeof(struct sq_entity *));
    if (active) entities->active = active;
    struct sq_entity **merged = active ? realloc(entities->merged, capacity * sizeof(struct sq_entity *)) : NULL;
    if (!merged) return sq_err_set(err, SQ_E_NOMEM, "no memory for %u active entities", capacity);
    entities->merged = merged;
    entities->active_capacity = capacity;
    return 0;
}

int sq_entities_activate(struct sq_entities *entities, struct sq_entity *entity, struct sq_err *err)
{
    if (entity->active) return 0;
    int status = entities->active_count == entities->active_capacity ? grow(entities, err) : 0;
    if (status) return status;
    entities->active[entities->active_count++] = entity;
    entity->active = true;
    return 0;
}

static int by_key(const void *left, const void *right)
{
    const struct sq_entity *const *a = left, *const *b = right;
    return sq_str_compare((*a)->key, (*b)->key);
}

void sq_entities_sort(struct sq_entities *entities)
{
    uint32_t old = 0, new = entities->sorted_count;
    if (new == entities->active_count) return;
    qsort(entities->active + new, entities->active_count - new, sizeof *entities->active, by_key);
    for (uint32_t i = 0; i < entities->active_count; i++) {
        bool take_old = new == entities->active_count ||
                        (old < entities->sorted_count && by_key(&entities->active[old], &entities->active[new]) < 0);
        entities->merged[i] = entities->active[take_old ? old++ : new++];
    }
    struct sq_entity **active = entities->active;
    entities->active = entities->merged;
    entities->merged = active;
    entities->sorted_count = entities->active_count;
}

static void deactivate(struct sq_entities *entities, struct sq_entity *entity)
{
    uint32_t at = 0;
    while (entities->active[at] != entity) at++;
    entities->active_count--;
    memmove(&entities->active[at], &entities->active[at + 1], (entities->active_count - at) * sizeof *entities->active);
    if (at < entities->sorted_count) entities->sorted_count--;
}

struct sq_state_key *sq_state_key_new(struct sq_str rule, struct sq_str entity)
{
    struct sq_state_key *key = malloc(sizeof *key + rule.bytes + entity.bytes);
    if (!key) return NULL;
    memcpy(key->bytes, rule.data, rule.bytes);
    memcpy(key->bytes + rule.bytes, entity.data, entity.bytes);
    key->next = NULL;
    key->rule = (struct sq_str){key->bytes, rule.bytes};
    key->entity = (struct sq_str){key->bytes + rule.bytes, entity.bytes};
    return key;
}

/* Without memory the store keeps a state too many, which a restore would bring back until it is forgotten again. */
static void forget_states(struct sq_entities *entities, const struct sq_entity *entity)
{
    for (uint32_t i = 0; i < entities->rules_count; i++) {
        if (!entity->tracks[i] || !entity->tracks[i]->saved_digest) continue;
        struct sq_state_key *key = sq_state_key_new(sq_str_view(entities->rules[i].name), entity->key);
        if (key) LL_PREPEND(entities->forgotten, key);
    }
}

void sq_entities_remove(struct sq_entities *entities, struct sq_entity *entity)
{
    forget_states(entities, entity);
    if (entity->changed) LL_DELETE2(entities->changed, entity, next_changed);
    if (entity->active) deactivate(entities, entity);
    HASH_DEL(entities->table, entity);
    DL_DELETE(entities->oldest, entity);
    entities->count--;
    close_entity(entities, entity);
}
