/* SPDX-License-Identifier: Apache-2.0 */
/* The detector on made streams, and the rule that the tests give it. */
#ifndef SQ_TEST_JUDGE_H
#define SQ_TEST_JUDGE_H

#include "tests/lib/stream.h"
#include "worker/core/rule.h"

struct judge_result {
    struct verdict verdict;
    unsigned resolved, open;
    double entity_weeks;          /* judged */
    uint64_t records;
    double seconds;               /* of CPU in the detector */
};

/* The rule as it comes out of an empty configuration. */
struct sq_rule judge_rule(void);
struct sq_time_rules judge_time(void);

void judge_run(const struct stream_options *options, const struct sq_rule *rule, struct judge_result *result);

double judge_false_rate(const struct judge_result *result); /* false alerts an entity and week */

#endif
