/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/topics.h"

#include <stdlib.h>

#include "engine/base/hash.h"

struct sq_topic {
    UT_hash_handle hh;
    size_t bytes;
    char name[]; /* ends with a NUL */
};

const char *sq_topics_intern(struct sq_topics *topics, struct sq_str name)
{
    struct sq_topic *topic = topics->last;
    if (topic && sq_str_equal((struct sq_str){topic->name, topic->bytes}, name)) return topic->name;
    if (name.bytes == 0) return "";
    HASH_FIND(hh, topics->table, name.data, name.bytes, topic);
    if (!topic) {
        if (HASH_COUNT(topics->table) >= SQ_TOPICS_MAX || !(topic = calloc(1, sizeof *topic + name.bytes + 1))) return "";
        memcpy(topic->name, name.data, name.bytes);
        topic->bytes = name.bytes;
        HASH_ADD_KEYPTR(hh, topics->table, topic->name, topic->bytes, topic);
        if (!SQ_HASH_ADDED(topic)) {
            free(topic);
            return "";
        }
    }
    topics->last = topic;
    return topic->name;
}

void sq_topics_deinit(struct sq_topics *topics)
{
    struct sq_topic *topic, *next;
    HASH_ITER(hh, topics->table, topic, next)
    {
        HASH_DEL(topics->table, topic);
        free(topic);
    }
    *topics = (struct sq_topics){0};
}
