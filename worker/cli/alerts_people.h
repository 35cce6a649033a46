/* SPDX-License-Identifier: Apache-2.0 */
/* What `squall alerts` tells workers. Where it wasn't done, or not everywhere, the group's members are named on stderr. */
#ifndef SQ_CLI_ALERTS_PEOPLE_H
#define SQ_CLI_ALERTS_PEOPLE_H

#include "worker/cli/workers.h"

struct sq_silence_wish {
    const char *rule, *entity; /* globs; NULL: any */
    const char *duration;      /* NULL: until_ms says it */
    int64_t until_ms;
    const char *by, *comment;  /* comment may be NULL */
};

/* Each prints its result on stdout, as JSON where asked for. SQ_E_FAILED: not done, or not everywhere; SQ_E_USAGE: not a URL. */
int sq_workers_acknowledge(const struct sq_workers *workers, const char *id, const char *by, const char *comment, bool json, struct sq_err *err);
int sq_workers_silence(const struct sq_workers *workers, const struct sq_silence_wish *wish, bool json, struct sq_err *err);
int sq_workers_unsilence(const struct sq_workers *workers, const char *id, bool json, struct sq_err *err);
int sq_workers_silences(const struct sq_workers *workers, bool json, struct sq_err *err);

#endif
