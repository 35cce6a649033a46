/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_tally.h"

#include <stdlib.h>

#include "engine/base/hash.h"

struct sq_replay_index {
    UT_hash_handle hh;
    uint64_t alert_id;
    uint32_t episode;
};

void sq_replay_tally_init(struct sq_replay_tally *tally) { *tally = (struct sq_replay_tally){0}; }

void sq_replay_tally_deinit(struct sq_replay_tally *tally)
{
    struct sq_replay_index *entry, *next;
    HASH_ITER(hh, tally->index, entry, next)
    {
        HASH_DEL(tally->index, entry);
        free(entry);
    }
    for (uint32_t i = 0; i < tally->episodes_count; i++) free((void *)(uintptr_t)tally->episodes[i].rule);
    free(tally->episodes);
    free(tally->firings);
    sq_replay_tally_init(tally);
}

/* Room for one more; false without memory. */
static bool grow(void **items, uint32_t count, uint32_t *capacity, size_t item_bytes)
{
    if (count < *capacity) return true;
    uint32_t larger = *capacity ? 2 * *capacity : 64;
    void *moved = realloc(*items, larger * item_bytes);
    if (!moved) return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static char *put(char **at, struct sq_str text)
{
    char *from = *at;
    if (text.bytes) memcpy(from, text.data, text.bytes);
    from[text.bytes] = '\0';
    *at += text.bytes + 1;
    return from;
}

static bool copy_texts(struct sq_replay_episode *episode, const struct sq_alert *alert)
{
    struct sq_str example = alert->examples_count ? alert->examples[0].excerpt : (struct sq_str){0};
    char *at = malloc(alert->rule.bytes + alert->entity.bytes + alert->summary.bytes + example.bytes + 4);
    if (!at) return false;
    episode->rule = put(&at, alert->rule);
    episode->entity = put(&at, alert->entity);
    episode->summary = put(&at, alert->summary);
    episode->example = put(&at, example);
    return true;
}

static struct sq_replay_episode *add_episode(struct sq_replay_tally *tally, const struct sq_alert *alert)
{
    struct sq_replay_index *entry = calloc(1, sizeof *entry);
    struct sq_replay_episode made = {.alert_id = alert->alert_id, .fired_ms = alert->at_ms, .ends_ms = INT64_MAX};
    void *items = tally->episodes;
    bool has_room = entry && grow(&items, tally->episodes_count, &tally->episodes_capacity, sizeof made);
    tally->episodes = items;
    if (has_room) {
        entry->alert_id = alert->alert_id;
        entry->episode = tally->episodes_count;
        HASH_ADD(hh, tally->index, alert_id, sizeof entry->alert_id, entry);
    }
    if (!has_room || !SQ_HASH_ADDED(entry)) {
        free(entry);
        return NULL;
    }
    if (!copy_texts(&made, alert)) {
        HASH_DEL(tally->index, entry);
        free(entry);
        return NULL;
    }
    tally->episodes[tally->episodes_count] = made;
    return &tally->episodes[tally->episodes_count++];
}

static struct sq_replay_episode *find(const struct sq_replay_tally *tally, uint64_t alert_id)
{
    struct sq_replay_index *entry;
    HASH_FIND(hh, tally->index, &alert_id, sizeof alert_id, entry);
    return entry ? &tally->episodes[entry->episode] : NULL;
}

const struct sq_replay_episode *sq_replay_tally_find(const struct sq_replay_tally *tally, uint64_t alert_id) { return find(tally, alert_id); }

static bool add_firing(struct sq_replay_tally *tally, const struct sq_replay_episode *episode, int64_t at_ms)
{
    void *items = tally->firings;
    bool has_room = grow(&items, tally->firings_count, &tally->firings_capacity, sizeof *tally->firings);
    tally->firings = items;
    if (has_room) tally->firings[tally->firings_count++] = (struct sq_replay_firing){(uint32_t)(episode - tally->episodes), at_ms};
    return has_room;
}

int sq_replay_tally_take(struct sq_replay_tally *tally, const struct sq_alert *alert, struct sq_err *err)
{
    struct sq_replay_episode *episode = find(tally, alert->alert_id);
    bool is_first = !episode;
    if (is_first) episode = add_episode(tally, alert);
    if (!episode) return sq_err_set(err, SQ_E_NOMEM, "no memory for another alert");
    if (alert->severity > episode->severity) episode->severity = alert->severity;
    if (alert->stats.strength > episode->strength) episode->strength = alert->stats.strength;
    if (alert->state == SQ_ALERT_RESOLVED) episode->ends_ms = alert->ends_at_ms;
    if (alert->state != SQ_ALERT_FIRING) return 0;
    if (!is_first) episode->reopenings++;
    episode->ends_ms = INT64_MAX;
    return add_firing(tally, episode, alert->at_ms) ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for another alert");
}

bool sq_replay_episode_meets(const struct sq_replay_episode *a, const struct sq_replay_episode *b)
{
    return a->fired_ms < b->ends_ms && b->fired_ms < a->ends_ms && strcmp(a->entity, b->entity) == 0 && strcmp(a->rule, b->rule) == 0;
}
