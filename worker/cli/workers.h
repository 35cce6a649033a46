/* SPDX-License-Identifier: Apache-2.0 */
/* Asking workers over HTTP (ops/docs/HTTP.md), for commands. Each worker speaks for its own partitions, so each one named is asked, and their
 * answers are added up. One that doesn't answer stops nothing: the others are asked all the same. Only the URLs named are connected to. */
#ifndef SQ_CLI_WORKERS_H
#define SQ_CLI_WORKERS_H

#include "engine/base/json.h"
#include "worker/io/config.h"

struct sq_workers {
    const struct sq_config *config; /* for its broker, which knows who the members are */
    const char *const *urls;
    unsigned urls_count;
    const char *token; /* NULL: none */
};

typedef int (*sq_workers_fn)(const json_t *body, void *ctx, struct sq_err *err);

struct sq_workers_request {
    const char *method, *path; /* method NULL: GET; path begins with '/' */
    struct sq_str json;
    bool is_done_by_one;       /* ask no more workers once one has agreed */
    sq_workers_fn each;        /* gets the answer of each worker that agrees; may be NULL */
    void *ctx;
};

/* What one request to all of them came to. */
struct sq_workers_answers {
    unsigned agreed;  /* workers that answered 200 or 202 */
    unsigned unsaved; /* of these, whose state doesn't hold it yet */
    int64_t covered, partitions;
    struct sq_buf why; /* of those that didn't agree or didn't answer */
};

/* The caller ends answers->why in any case. SQ_E_USAGE: not a URL. What a worker refuses is no error, but in the answers. */
int sq_workers_ask(const struct sq_workers *workers, const struct sq_workers_request *request, struct sq_workers_answers *answers,
                   struct sq_err *err);

/* Says on stderr who the members of the alert stage's group are, and what they own: whom to ask. A broker that doesn't know is no error. */
void sq_workers_name(const struct sq_workers *workers);

/* A member of an answer; absent: 0, "". */
int64_t sq_workers_number(const json_t *object, const char *key);
const char *sq_workers_text(const json_t *object, const char *key);

#endif
