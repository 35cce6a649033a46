/* SPDX-License-Identifier: Apache-2.0 */
/* One track as bytes. Canonical: equal states give equal bytes, however they came about. See state_codec.h for what that is good for. */
#ifndef SQ_CORE_STATE_TRACK_H
#define SQ_CORE_STATE_TRACK_H

#include "worker/core/bytes.h"
#include "worker/core/topics.h"
#include "worker/core/track.h"

/* now_ms: end of the latest closed bucket. Merges the ring's buckets as far as decisions allow. */
void sq_state_put_track(struct sq_buf *out, struct sq_track *track, const struct sq_plan *plan, int64_t now_ms);

/* Into a track just opened for the plan. False: not what sq_state_put_track writes for such a plan, or no memory; the track is then fit for
 * sq_track_close only. */
bool sq_state_take_track(struct sq_bytes *bytes, struct sq_track *track, const struct sq_plan *plan, struct sq_topics *topics);

/* Of storms as of tracks. */
void sq_state_put_episode(struct sq_buf *out, const struct sq_episode *episode);
void sq_state_take_episode(struct sq_bytes *bytes, struct sq_episode *episode);

/* The episode alone, of a state whose plan is gone: false when it is none of ours. */
bool sq_state_peek_episode(struct sq_bytes *bytes, struct sq_episode *episode);

#endif
