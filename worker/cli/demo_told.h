/* SPDX-License-Identifier: Apache-2.0 */
/* What a demo says: lines for people while it runs, and its result for people or as JSON. */
#ifndef SQ_CLI_DEMO_TOLD_H
#define SQ_CLI_DEMO_TOLD_H

#include <stdio.h>

#include "worker/cli/demo_account.h"
#include "worker/cli/demo_cluster.h"
#include "worker/cli/demo_script.h"

struct sq_demo_teller {
    FILE *to;            /* stdout, or stderr where stdout is for the JSON */
    uint64_t started_ns; /* of the feed; 0: it did not begin */
    uint64_t progress_ns, progress_scored; /* as told last */
};

uint64_t sq_demo_tell_seconds(const struct sq_demo_teller *teller); /* since the feed began */

void sq_demo_tell_setting(const struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster, const struct sq_demo_script *script,
                          unsigned seed, unsigned feed_seconds);
void sq_demo_tell_alert(const struct sq_demo_teller *teller, const struct sq_account_alert *alert);
void sq_demo_tell_progress(struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster, const struct sq_account *account);
void sq_demo_tell_kill(const struct sq_demo_teller *teller, const char *worker);
void sq_demo_tell_result(const struct sq_demo_teller *teller, const struct sq_account *account, bool is_ok);
void sq_demo_tell_idle(const struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster);

/* One object on stdout. */
void sq_demo_write_json(const struct sq_demo_teller *teller, const struct sq_account *account, bool is_ok);

#endif
