/* SPDX-License-Identifier: Apache-2.0 */
/* Topic names kept once, for as long as the detector lives. */
#ifndef SQ_CORE_TOPICS_H
#define SQ_CORE_TOPICS_H

#include "engine/base/str.h"

enum { SQ_TOPICS_MAX = 4096, SQ_TOPIC_NAME_BYTES_MAX = 249 /* Kafka's bound */ };

struct sq_topic;

struct sq_topics {
    struct sq_topic *table; /* owned */
    struct sq_topic *last;
};

/* The kept copy of a name; "" when there are too many or no memory. */
const char *sq_topics_intern(struct sq_topics *topics, struct sq_str name);
void sq_topics_deinit(struct sq_topics *topics);

#endif
