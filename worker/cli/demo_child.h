/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's other processes: this binary again, with other arguments. They are killed when this process dies, however it does. */
#ifndef SQ_CLI_DEMO_CHILD_H
#define SQ_CLI_DEMO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/err.h"

enum { SQ_CHILD_PATH_BYTES = 512 };

struct sq_child {
    char name[32];
    char log_path[SQ_CHILD_PATH_BYTES]; /* its stderr, and its stdout unless that is piped */
    pid_t pid;                          /* 0: not started, or gone and reaped */
    int exit_status;                    /* of waitpid, once it is gone */
    int out_fd;                         /* piped stdout, else -1; the caller closes it */
    bool is_expected_to_end;
};

/* argv[0] is given by the child's name. Thread: the process's main one, since the child's life hangs on it. */
int sq_child_start(struct sq_child *child, const char *name, const char *folder, const char *const *args, bool pipes_stdout,
                   struct sq_err *err);

/* Reaps it if it has ended; true while it runs. */
bool sq_child_is_running(struct sq_child *child);

/* SIGTERM to all, then SIGKILL to those that are still there after wait_ms. Blocks until every one is reaped. */
void sq_children_stop(struct sq_child *children, unsigned count, unsigned wait_ms);

/* Writes the end of its log to stderr. */
void sq_child_show_log(const struct sq_child *child);

#endif
