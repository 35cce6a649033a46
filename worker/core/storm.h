/* SPDX-License-Identifier: Apache-2.0 */
/* Most of a rule's entities up at once: a classifier or a feed gone wrong, or news that concerns them all. One alert instead of hundreds.
 *
 * At each bucket's end every evaluated entity with enough messages in the shortest window is judged, and is up when it is further above its
 * usual level than chance allows one in ten. The storm's strength is the share of those that are up, of SQ_STORM_ENTITIES_MIN at
 * least: chance alone would need half of twenty independent entities. It leads the entities' own alerts, which ask for far more than one in
 * ten; from `storm_share` on none of them opens, and what is usual stands still, until the storm resolves. It has the life of any alert.
 * A partition knows its own entities only. */
#ifndef SQ_CORE_STORM_H
#define SQ_CORE_STORM_H

#include "worker/core/episode.h"
#include "worker/core/track.h"

enum { SQ_STORM_ENTITIES_MIN = 20 };

struct sq_storm {
    struct sq_episode episode;
    uint32_t judged, up;      /* of the bucket being evaluated; then of the latest */
    int64_t judged_ms;        /* latest bucket's end at which any entity was judged */
    double strength;
};

void sq_storm_begin_bucket(struct sq_storm *storm);
void sq_storm_add(struct sq_storm *storm, const struct sq_judgement *shortest);

/* True when there is something to tell. */
bool sq_storm_step(struct sq_storm *storm, const struct sq_rule *rule, int64_t at_ms, int64_t step_ms, struct sq_transition *transition);

bool sq_storm_is_on(const struct sq_storm *storm);
bool sq_storm_is_idle(const struct sq_storm *storm); /* need not be stepped while nothing is judged */

#endif
