/* SPDX-License-Identifier: Apache-2.0 */
/* What `squall alerts` tells workers over HTTP (ops/docs/HTTP.md). Each worker speaks for its own partitions, so each one named is asked, and
 * their answers are added up. */
#ifndef SQ_CLI_ALERTS_PEOPLE_H
#define SQ_CLI_ALERTS_PEOPLE_H

#include "engine/base/json.h"

struct sq_workers {
    const char *const *urls;
    unsigned urls_count;
    const char *token; /* NULL: none */
};

/* What one request to all of them came to. */
struct sq_workers_answer {
    unsigned agreed;     /* workers that answered 200 or 202 */
    unsigned unsaved;    /* of these, whose state doesn't hold it yet */
    int64_t covered, partitions;
    char why[512];       /* of the last that didn't */
};

/* path begins with '/'. each: called with the answer of each worker that agreed; may be NULL. SQ_E_USAGE: not a URL; SQ_E_IO: a worker doesn't
 * answer. What a worker refuses is no error, but in the answer. */
typedef int (*sq_workers_fn)(const json_t *body, void *ctx, struct sq_err *err);
int sq_workers_ask(const struct sq_workers *workers, const char *method, const char *path, struct sq_str json, sq_workers_fn each, void *ctx,
                   struct sq_workers_answer *answer, struct sq_err *err);

struct sq_silence_wish {
    const char *rule, *entity; /* globs; NULL: any */
    const char *duration;      /* NULL: until_ms says it */
    int64_t until_ms;
    const char *by, *comment;  /* comment may be NULL */
};

/* Each prints its result on stdout, as JSON where asked for. SQ_E_FAILED: not done, or not everywhere. */
int sq_workers_acknowledge(const struct sq_workers *workers, const char *id, const char *by, const char *comment, bool json, struct sq_err *err);
int sq_workers_silence(const struct sq_workers *workers, const struct sq_silence_wish *wish, bool json, struct sq_err *err);
int sq_workers_unsilence(const struct sq_workers *workers, const char *id, bool json, struct sq_err *err);
int sq_workers_silences(const struct sq_workers *workers, bool json, struct sq_err *err);

#endif
