/* SPDX-License-Identifier: Apache-2.0 */
/* One stream with planted events, taken by the detector at its defaults and, if asked, by the rules of others. */
#ifndef SQ_TEST_PLANTED_STUDY_H
#define SQ_TEST_PLANTED_STUDY_H

#include "tests/lib/peers.h"
#include "tests/lib/planted.h"

struct planted_verdicts {
    struct verdict ours, peers[PEERS][PEERS_THRESHOLDS];
};

void planted_run(const struct planted_options *options, double budget_per_entity_week, bool with_peers, struct planted_verdicts *verdicts);

#endif
