/* SPDX-License-Identifier: Apache-2.0 */
/* Posts a body and waits for the answer: libcurl, one handle a thread. No redirects are followed, since what is sent is signed for one
 * address; certificates are verified. */
#ifndef SQ_IO_POSTER_H
#define SQ_IO_POSTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

enum { SQ_POST_HEADERS_MAX = 8, SQ_POST_WHY_BYTES = 160, SQ_POST_TIMEOUT_MS = 10000 };

struct sq_post {
    const char *url;
    const char *headers[SQ_POST_HEADERS_MAX]; /* "Name: value"; NULL ends them */
    struct sq_str body;
};

struct sq_post_answer {
    int status;                  /* of HTTP; 0: there was none */
    int64_t retry_after_ms;      /* what the receiver asked for; -1: nothing */
    char why[SQ_POST_WHY_BYTES]; /* a sentence where it was not taken; never holds the URL */
};

struct sq_poster;

/* stop: when it becomes true, a post that is under way gives up soon. Borrowed. */
int sq_poster_open(struct sq_poster **poster, const atomic_bool *stop, struct sq_err *err);
void sq_poster_close(struct sq_poster *poster);

/* Blocks for at most SQ_POST_TIMEOUT_MS. */
void sq_poster_send(struct sq_poster *poster, const struct sq_post *post, struct sq_post_answer *answer);

#endif
