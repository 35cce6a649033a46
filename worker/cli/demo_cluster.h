/* SPDX-License-Identifier: Apache-2.0 */
/* What a demo runs: the embedded broker and the workers, each a process of its own with its log and configuration in one folder. */
#ifndef SQ_CLI_DEMO_CLUSTER_H
#define SQ_CLI_DEMO_CLUSTER_H

#include "engine/base/json.h"
#include "worker/cli/demo_child.h"
#include "worker/cli/demo_run.h"

enum { SQ_DEMO_SESSION_SECONDS = 6 }; /* so long the others wait for a worker that was killed */

struct sq_demo_cluster {
    char folder[256]; /* "": none was made */
    char brokers[64];
    struct sq_child broker, workers[SQ_DEMO_WORKERS_MAX];
    unsigned ports[SQ_DEMO_WORKERS_MAX], workers_count;
};

/* Starts all of it and waits until each worker has its partitions: a feed that begins earlier would show start-up as lag. `model`: a folder.
 * Close it whatever comes. SQ_E_CLOSED: interrupted. */
int sq_demo_cluster_open(struct sq_demo_cluster *cluster, const struct sq_demo_options *options, const char *model, struct sq_err *err);
void sq_demo_cluster_close(struct sq_demo_cluster *cluster, bool keeps_logs);

/* SQ_E_FAILED: a process ended that shouldn't have; the end of its log is on stderr. */
int sq_demo_cluster_check(struct sq_demo_cluster *cluster, struct sq_err *err);

/* Asks a worker for one path; the answer's JSON, or NULL. The caller owns it. */
json_t *sq_demo_cluster_ask(const struct sq_demo_cluster *cluster, unsigned worker, const char *path, unsigned *http_status);

/* SIGKILL to the last worker, since the first serves the page; its name. */
const char *sq_demo_cluster_kill_one(struct sq_demo_cluster *cluster);

#endif
