/* SPDX-License-Identifier: Apache-2.0 */
/* What is usual for one entity under one rule: the share of the label, how much it rests on, and how restless it is.
 *
 * Fed with settled blocks of 15 minutes, hours behind the present, so that a spike is judged against a time it has no part in. Each fold
 * forgets a little, limits the block's matches to what the baseline thinks possible (winsorised), and updates the share and, a window
 * length each, the overdispersion rho. Blocks of an open alert are kept apart: they become the baseline only when the alert has lasted so
 * long that the new level is the usual one.
 *
 * Kept as float, in memory as in any store, so that a restored baseline is the same to the bit; computed in double. */
#ifndef SQ_CORE_BASELINE_H
#define SQ_CORE_BASELINE_H

#include "worker/core/plan.h"
#include "worker/core/ring.h"

#define SQ_BASELINE_PRIOR 14.0 /* pseudo-messages at the fleet's share */

struct sq_baseline {
    float messages, matched;                    /* N, K: decayed sums */
    float shadow_messages, shadow_matched;      /* of blocks held by an open alert */
    float excess[SQ_RULE_WINDOWS_MAX];          /* A */
    float weight[SQ_RULE_WINDOWS_MAX];          /* D; rho = (A + 400 rho0) / (D + 400) */
    float step_count[SQ_RULE_WINDOWS_MAX];      /* of the open step of a window longer than a block */
    float step_matched[SQ_RULE_WINDOWS_MAX];
    float recent_messages, recent_matched;      /* decayed over an hour or two: where a drift has brought the share */
    float blocks;                               /* decayed number of blocks: messages / blocks is the usual volume of one */
};

/* What is usual now. */
struct sq_usual {
    double share;      /* of the label; in [1e-4, 1 - 1e-4] */
    double rate;       /* messages a block of SQ_BLOCK_MS; 0: nobody knows */
};

/* The entity's usual share, drawn towards the fleet's; in [1e-4, 1 - 1e-4]. */
double sq_baseline_share(const struct sq_baseline *baseline, double fleet_share);

/* The same, brought up to date by the last hours, and by `before`: what came in the `before_blocks` blocks (parts of one count) that end where
 * the window in question begins, and are not folded yet. A level that rose slowly is usual, and so is a busy time of the day. */
struct sq_usual sq_baseline_now(const struct sq_baseline *baseline, double fleet_share, struct sq_counts before, double before_blocks);

/* The overdispersion of the share over windows of plan->windows[window]; in [0.005, 0.2]. */
double sq_baseline_rho(const struct sq_baseline *baseline, unsigned window);

/* Takes in one block, empty ones too: they make it forget. block: its number since 1970. */
void sq_baseline_fold(struct sq_baseline *baseline, const struct sq_plan *plan, int64_t block, struct sq_counts counts,
                      double fleet_share);

/* A block that an open alert touches: nothing is learnt or forgotten. */
void sq_baseline_hold(struct sq_baseline *baseline, struct sq_counts counts);

/* A held block of an alert that is over counts as recent, so that what is left of a level that stays is not told again. */
void sq_baseline_note_recent(struct sq_baseline *baseline, struct sq_counts counts);
void sq_baseline_clear_shadow(struct sq_baseline *baseline);

/* The held blocks become the usual level. */
void sq_baseline_shift(struct sq_baseline *baseline);

#endif
