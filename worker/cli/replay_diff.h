/* SPDX-License-Identifier: Apache-2.0 */
/* Which alerts one configuration gives and another doesn't. Alerts are the same when their ids are; those of one rule and entity that
 * were open at one time but began at another are moved. */
#ifndef SQ_CLI_REPLAY_DIFF_H
#define SQ_CLI_REPLAY_DIFF_H

#include "engine/base/buf.h"
#include "worker/cli/replay_tally.h"

/* For people, a line an alert: + only with `now`, - only with `base`, ~ moved; then the sums. */
void sq_replay_diff_table(const struct sq_replay_tally *now, const struct sq_replay_tally *base, struct sq_buf *out);

/* The same as one JSON object: {"added":[alert...],"removed":[alert...],"moved":[alert...],"same":N}. */
void sq_replay_diff_json(const struct sq_replay_tally *now, const struct sq_replay_tally *base, struct sq_buf *out);

#endif
