/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/score_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#include "engine/base/clock.h"

enum { WAYS = 8, LOCKS = 64, LINE_BYTES = 64 };

/* A lock with the clock of its sets, on a cache line of its own. */
struct stripe {
    _Alignas(LINE_BYTES) pthread_mutex_t mutex;
    uint32_t uses; /* rises with each use of an entry */
};

/* An entry that was never filled was used at 0. */
struct set {
    struct sq_score_key keys[WAYS];
    uint32_t used[WAYS];
};

struct sq_score_cache {
    uint64_t seed;
    size_t sets_count;
    unsigned values_count;
    struct set *sets; /* [sets_count]; owned, like what follows */
    float *values;    /* [sets_count, WAYS, values_count] */
    struct stripe *stripes; /* [LOCKS] */
    _Atomic size_t texts_count;
};

static size_t sets_for(size_t texts) { return (texts + WAYS - 1) / WAYS; }

static size_t values_bytes(size_t sets, unsigned values_count) { return sets * WAYS * values_count * sizeof(float); }

size_t sq_score_cache_bytes(size_t texts, unsigned values_count)
{
    size_t sets = sets_for(texts);
    return sizeof(struct sq_score_cache) + LOCKS * sizeof(struct stripe) + sets * sizeof(struct set) + values_bytes(sets, values_count);
}

/* Not a secret, just nothing that a stranger can know; the clock where the kernel gives no random numbers. */
static uint64_t draw_seed(void)
{
    uint64_t seed;
    return getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed ? seed : sq_clock_monotonic_ns();
}

int sq_score_cache_open(struct sq_score_cache **cache, size_t texts, unsigned values_count, struct sq_err *err)
{
    struct sq_score_cache *opened = calloc(1, sizeof *opened);
    *cache = NULL;
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for the score cache");
    opened->seed = draw_seed();
    opened->sets_count = sets_for(texts);
    opened->values_count = values_count;
    opened->sets = calloc(opened->sets_count, sizeof *opened->sets);
    opened->values = calloc(opened->sets_count, values_bytes(1, values_count));
    opened->stripes = aligned_alloc(LINE_BYTES, LOCKS * sizeof *opened->stripes);
    for (unsigned i = 0; opened->stripes && i < LOCKS; i++) {
        opened->stripes[i].uses = 0;
        pthread_mutex_init(&opened->stripes[i].mutex, NULL);
    }
    if (opened->sets && opened->values && opened->stripes) {
        *cache = opened;
        return 0;
    }
    sq_score_cache_close(opened);
    return sq_err_set(err, SQ_E_NOMEM, "no memory for a score cache of %zu texts", texts);
}

void sq_score_cache_close(struct sq_score_cache *cache)
{
    if (!cache) return;
    for (unsigned i = 0; cache->stripes && i < LOCKS; i++) pthread_mutex_destroy(&cache->stripes[i].mutex);
    free(cache->stripes);
    free(cache->values);
    free(cache->sets);
    free(cache);
}

struct sq_score_key sq_score_cache_key(const struct sq_score_cache *cache, const int32_t *ids, size_t ids_count)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(ids, ids_count * sizeof *ids, cache->seed);
    return (struct sq_score_key){hash.low64, hash.high64};
}

/* Where a key belongs, its lock held. */
struct place {
    struct set *set;
    float *values; /* [WAYS, values_count] */
    struct stripe *stripe;
};

static struct place lock(struct sq_score_cache *cache, const struct sq_score_key *key)
{
    size_t index = key->low % cache->sets_count;
    struct place place = {&cache->sets[index], &cache->values[index * WAYS * cache->values_count], &cache->stripes[index % LOCKS]};
    pthread_mutex_lock(&place.stripe->mutex);
    return place;
}

/* The key's way, or else WAYS. */
static unsigned find(const struct set *set, const struct sq_score_key *key)
{
    unsigned way = 0;
    while (way < WAYS && !(set->used[way] && set->keys[way].low == key->low && set->keys[way].high == key->high)) way++;
    return way;
}

static unsigned least_used(const struct set *set)
{
    unsigned least = 0;
    for (unsigned way = 1; way < WAYS; way++)
        if (set->used[way] < set->used[least]) least = way;
    return least;
}

/* After four thousand million uses the clock starts anew, and for a moment the order of eviction is another. */
static void note_use(const struct place *place, unsigned way)
{
    if (++place->stripe->uses == 0) place->stripe->uses = 1;
    place->set->used[way] = place->stripe->uses;
}

bool sq_score_cache_find(struct sq_score_cache *cache, const struct sq_score_key *key, float *values)
{
    struct place place = lock(cache, key);
    unsigned way = find(place.set, key);
    if (way < WAYS) {
        memcpy(values, place.values + way * cache->values_count, cache->values_count * sizeof *values);
        note_use(&place, way);
    }
    pthread_mutex_unlock(&place.stripe->mutex);
    return way < WAYS;
}

void sq_score_cache_insert(struct sq_score_cache *cache, const struct sq_score_key *key, const float *values)
{
    struct place place = lock(cache, key);
    unsigned way = find(place.set, key);
    if (way == WAYS) {
        way = least_used(place.set);
        if (place.set->used[way] == 0) atomic_fetch_add_explicit(&cache->texts_count, 1, memory_order_relaxed);
        place.set->keys[way] = *key;
        memcpy(place.values + way * cache->values_count, values, cache->values_count * sizeof *values);
        note_use(&place, way);
    }
    pthread_mutex_unlock(&place.stripe->mutex);
}

size_t sq_score_cache_texts(const struct sq_score_cache *cache) { return atomic_load_explicit(&cache->texts_count, memory_order_relaxed); }
size_t sq_score_cache_texts_max(const struct sq_score_cache *cache) { return cache->sets_count * WAYS; }
