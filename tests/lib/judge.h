/* SPDX-License-Identifier: Apache-2.0 */
/* How well alerts agree with planted events. An alert within [onset, end + 15 min) is a hit; in the 45 minutes after that it is neither;
 * else it is false. The first seven days, in which baselines form, don't count. */
#ifndef SQ_TEST_JUDGE_H
#define SQ_TEST_JUDGE_H

#include "tests/lib/stream.h"
#include "worker/core/rule.h"

struct judge_result {
    unsigned events, hits, early; /* early: within 20 minutes of the onset */
    unsigned false_alerts, alerts, reopenings, resolved, open;
    unsigned false_by_volume[3];
    double entity_weeks;          /* judged */
    double delay_minutes;         /* median over the hits */
    uint64_t records;
    double seconds;               /* of CPU in the detector */
};

/* The rule as it comes out of an empty configuration. */
struct sq_rule judge_rule(void);
struct sq_time_rules judge_time(void);

void judge_run(const struct stream_options *options, const struct sq_rule *rule, struct judge_result *result);

double judge_recall(const struct judge_result *result);
double judge_false_rate(const struct judge_result *result); /* false alerts an entity and week */

#endif
