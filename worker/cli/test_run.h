/* SPDX-License-Identifier: Apache-2.0 */
/* One rule test, run through the detectors and judged. */
#ifndef SQ_CLI_TEST_RUN_H
#define SQ_CLI_TEST_RUN_H

#include "engine/engine.h"
#include "worker/cli/test_file.h"
#include "worker/io/config.h"

/* A transition that came; the texts are owned. */
struct sq_test_transition {
    enum sq_alert_state state;
    enum sq_alert_reason reason;
    enum sq_severity severity;
    int64_t at_ms; /* from zero */
    uint32_t matched, count;
    char *rule, *entity;
};

struct sq_test_result {
    struct sq_test_transition *transitions; /* in the order in which they came; owned */
    unsigned count, capacity;
};

/* engine: scores the inputs that are texts; NULL when there is none of them. SQ_E_NOMEM and what the engine may fail with. */
int sq_test_run(const struct sq_test_case *test, const struct sq_config *config, const struct sq_engine *engine, struct sq_test_result *result,
                struct sq_err *err);
void sq_test_result_deinit(struct sq_test_result *result);

/* The first transition that is as the expectation says, or NULL. */
const struct sq_test_transition *sq_test_find(const struct sq_test_result *result, const struct sq_test_expectation *expectation);

#endif
