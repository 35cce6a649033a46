/* SPDX-License-Identifier: Apache-2.0 */
/* How many messages are usual for one entity, and how unevenly they come: what a volume rule judges by. Fed like baseline.h, with settled
 * blocks; copies count. A block is limited to what the baseline thinks possible before it is learnt. For each window length phi is the
 * variance beyond Poisson's, as a multiple of the mean squared: neighbouring blocks go together, so an hour's is not a quarter of a block's.
 * Kept as float, computed in double. */
#ifndef SQ_CORE_VOLUME_H
#define SQ_CORE_VOLUME_H

#include "worker/core/plan.h"

struct sq_volume {
    float messages, blocks;                     /* V, C: decayed sums; mu = V / C */
    float shadow_messages, shadow_blocks;       /* of blocks held by an open alert */
    float excess[SQ_RULE_WINDOWS_MAX];          /* F */
    float weight[SQ_RULE_WINDOWS_MAX];          /* G; phi = (F + .1 g) / (G + g), g = 20 (w mu)^2 */
    float step_count[SQ_RULE_WINDOWS_MAX];      /* of the open step of a window longer than a block */
};

/* The usual number of messages in length_ms; 0 before the first block. */
double sq_volume_mean(const struct sq_volume *volume, int64_t length_ms);

/* phi over windows of plan->windows[window], in [0.02, 3], and what is not known of the mean on top. */
double sq_volume_spread(const struct sq_volume *volume, const struct sq_plan *plan, unsigned window);

void sq_volume_fold(struct sq_volume *volume, const struct sq_plan *plan, int64_t block, uint32_t count);

/* A block that an open alert touches. */
void sq_volume_hold(struct sq_volume *volume, uint32_t count);
void sq_volume_clear_shadow(struct sq_volume *volume);
void sq_volume_shift(struct sq_volume *volume); /* the held blocks become the usual level */

#endif
