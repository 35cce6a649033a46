/* SPDX-License-Identifier: Apache-2.0 */
/* All entities of a partition under one rule: their usual share, which is what a new entity is judged by until it has a past of its own, and
 * how high S goes in calm blocks.
 * Sums over entities are whole numbers, so their order can't matter. */
#ifndef SQ_CORE_FLEET_H
#define SQ_CORE_FLEET_H

#include <stdint.h>

#include "worker/core/ring.h"
#include "worker/core/threshold.h"

struct sq_fleet {
    float messages, matched;              /* decayed sums of folded blocks */
    uint64_t block_count, block_matched;  /* of the block now being folded */
    struct sq_threshold tail;
    struct sq_peaks peaks;                /* of the block that just ended */
};

/* Drawn towards one fifth, a common share of negative posts: without it the first entity's first match would look like a wonder. */
double sq_fleet_share(const struct sq_fleet *fleet);

void sq_fleet_add(struct sq_fleet *fleet, struct sq_counts counts);
void sq_fleet_fold(struct sq_fleet *fleet, double decay);

#endif
