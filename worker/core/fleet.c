/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/fleet.h"

static const double share_prior = 0.2, share_prior_messages = 14;

double sq_fleet_share(const struct sq_fleet *fleet)
{
    return ((double)fleet->matched + share_prior_messages * share_prior) / ((double)fleet->messages + share_prior_messages);
}

void sq_fleet_add(struct sq_fleet *fleet, struct sq_counts counts)
{
    fleet->block_count += counts.count;
    fleet->block_matched += counts.matched;
}

void sq_fleet_fold(struct sq_fleet *fleet, double decay)
{
    fleet->messages = (float)(decay * (double)fleet->messages + (double)fleet->block_count);
    fleet->matched = (float)(decay * (double)fleet->matched + (double)fleet->block_matched);
    fleet->block_count = fleet->block_matched = 0;
    sq_threshold_take_blocks(&fleet->tail, &fleet->peaks);
    fleet->peaks = (struct sq_peaks){0};
}
