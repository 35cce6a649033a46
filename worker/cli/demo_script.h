/* SPDX-License-Identifier: Apache-2.0 */
/* What happens in the demo: 18 hours of posts about eight made-up entities. About one of them, for an hour, come real complaints; a few
 * records can't be read. Texts are chosen by their human ratings; what the model says of them is its own affair. A pure function of its
 * arguments: the same seed gives the same script. */
#ifndef SQ_CLI_DEMO_SCRIPT_H
#define SQ_CLI_DEMO_SCRIPT_H

#include <stdint.h>

#include "worker/cli/demo_texts.h"

enum {
    SQ_DEMO_ENTITIES = 8,
    SQ_DEMO_SPAN_MS = 18 * 3600 * 1000,
    SQ_DEMO_TEXTS_MIN = 2000, /* fewer give entities too little to have a usual share */
    SQ_DEMO_TEXTS_MAX = 12000, /* what surely stays below the embedded broker's 5 MiB a partition */
};

struct sq_demo_post {
    int64_t ts_ms;
    const char *entity;
    const struct sq_demo_text *text; /* NULL: `bad` */
    const struct sq_str *bad;        /* the record's value as it is; data NULL: none */
    uint32_t author;
};

struct sq_demo_script {
    struct sq_demo_post *posts; /* owned; by time */
    unsigned count;
    unsigned texts_count; /* of them with a text */
};

extern const char sq_demo_entity[]; /* the one that gets the complaints */

/* texts_count within the bounds above; end_ms: event time of the last post. */
int sq_demo_script_init(struct sq_demo_script *script, const struct sq_demo_texts *texts, unsigned texts_count, uint64_t seed, int64_t end_ms,
                        struct sq_err *err);
void sq_demo_script_deinit(struct sq_demo_script *script);

/* Replaces out with the record's value; its data is NULL for a record without one. */
struct sq_str sq_demo_post_write(const struct sq_demo_post *post, struct sq_buf *out);

#endif
