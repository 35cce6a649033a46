/* SPDX-License-Identifier: Apache-2.0 */
/* The usual share over all entities of a partition under one rule: what a new entity is judged by until it has a past of its own.
 * Sums over entities are whole numbers, so their order can't matter. */
#ifndef SQ_CORE_FLEET_H
#define SQ_CORE_FLEET_H

#include <stdint.h>

#include "worker/core/ring.h"

struct sq_fleet {
    float messages, matched;              /* decayed sums of folded blocks */
    uint64_t block_count, block_matched;  /* of the block now being folded */
};

/* Drawn towards one fifth, a common share of negative posts: without it the first entity's first match would look like a wonder. */
double sq_fleet_share(const struct sq_fleet *fleet);

void sq_fleet_add(struct sq_fleet *fleet, struct sq_counts counts);
void sq_fleet_fold(struct sq_fleet *fleet, double decay);

#endif
