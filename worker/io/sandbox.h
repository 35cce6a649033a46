/* SPDX-License-Identifier: Apache-2.0 */
/* What a running worker gives up, so that whoever takes it over through a record, a model file or a library's bug gets little.
 *
 *   no new privileges   prctl(2): set-user-ID programs and file capabilities no longer help
 *   seccomp             programs can't be started, processes can't be forked, traced or read, nothing can be mounted, no module loaded
 *   Landlock            files can be read but not written, created, deleted or executed, but for one folder,
 *                       and that only until the model is loaded
 *
 * Reading stays open everywhere: certificates, secrets and a configuration to reload lie where the operator put them. */
#ifndef SQ_IO_SANDBOX_H
#define SQ_IO_SANDBOX_H

#include <stdbool.h>

#include "engine/base/err.h"

struct sq_sandbox {
    bool has_seccomp;  /* false: this kernel has none */
    int landlock_abi;  /* 0: this kernel has none */
};

/* For good. The first two hold for all threads of the process, Landlock's rules for the calling one and those that it starts: call it
 * before the first thread of ours (OpenBLAS starts one as the process loads, which then sleeps). writable: a folder that stays
 * writable; NULL, "" or one that isn't there: none. What the kernel lacks is left out, and told in *sandbox; SQ_E_FAILED when it
 * refuses what it has. */
int sq_sandbox_enter(struct sq_sandbox *sandbox, const char *writable, struct sq_err *err);

/* The folder too stays unwritten from now on. Before threads are started that shall hold to it. */
int sq_sandbox_close_folder(struct sq_sandbox *sandbox, struct sq_err *err);

#endif
