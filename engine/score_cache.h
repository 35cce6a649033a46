/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of texts that were seen lately, so that a copy is not encoded again.
 *
 * The key is a 128-bit hash of the text as the encoder sees it: of its token ids, after normalising and cutting. So two texts share an
 * entry just when a forward pass would read the same, and what is kept are the logits, from which the rest follows: a score out of
 * the cache has the bits of the pass that made it. The hash is seeded at random, so that nobody can prepare texts that collide.
 *
 * A cache belongs to one model. Its memory is fixed at open: sets of eight entries, the one used longest ago makes room. Any thread may
 * look up and insert; a lock guards a sixty-fourth of the sets and is held for a copy of some numbers. */
#ifndef SQ_SCORE_CACHE_H
#define SQ_SCORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct sq_score_cache;

struct sq_score_key {
    uint64_t low, high;
};

/* What a cache of so many texts, rounded up to whole sets, takes; values_count: floats a text. */
size_t sq_score_cache_bytes(size_t texts, unsigned values_count);

int sq_score_cache_open(struct sq_score_cache **cache, size_t texts, unsigned values_count, struct sq_err *err);
void sq_score_cache_close(struct sq_score_cache *cache); /* NULL is fine */

struct sq_score_key sq_score_cache_key(const struct sq_score_cache *cache, const int32_t *ids, size_t ids_count);

/* Fills values, [values_count], when the key is there. */
bool sq_score_cache_find(struct sq_score_cache *cache, const struct sq_score_key *key, float *values);
void sq_score_cache_insert(struct sq_score_cache *cache, const struct sq_score_key *key, const float *values);

size_t sq_score_cache_texts(const struct sq_score_cache *cache);     /* held now */
size_t sq_score_cache_texts_max(const struct sq_score_cache *cache);

#endif
