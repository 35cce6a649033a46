/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_membership.h"

#include <string.h>

static const struct sq_membership nobody = {.generation = -1};

/* The next string of the rest; NULL when no NUL ends it. */
static const char *next_string(const char **at, const char *end)
{
    const char *found = *at;
    const char *nul = memchr(found, '\0', (size_t)(end - found));
    if (!nul) return NULL;
    *at = nul + 1;
    return found;
}

static bool copy(char out[SQ_MEMBER_BYTES], const char *text)
{
    size_t bytes = text ? strlen(text) + 1 : SIZE_MAX;
    if (bytes > SQ_MEMBER_BYTES) return false;
    memcpy(out, text, bytes);
    return true;
}

bool sq_kafka_membership_parse(const void *data, size_t bytes, struct sq_membership *membership)
{
    static const char magic[] = "CGMDv2:";
    enum { MAGIC_BYTES = sizeof magic - 1 };
    const char *at = data, *end = at + bytes;
    *membership = nobody;
    if (bytes < MAGIC_BYTES + sizeof(int32_t) || memcmp(at, magic, MAGIC_BYTES) != 0) return false;
    struct sq_membership found = {0};
    memcpy(&found.generation, at + MAGIC_BYTES, sizeof found.generation);
    at += MAGIC_BYTES + sizeof found.generation;
    if (!next_string(&at, end) || !copy(found.member, next_string(&at, end))) return false;
    bool has_instance = at < end && *at++ == 0;
    if (has_instance && !copy(found.instance, next_string(&at, end))) return false;
    *membership = found;
    return true;
}

void sq_kafka_membership_read(rd_kafka_t *consumer, struct sq_membership *membership)
{
    void *data = NULL;
    size_t bytes = 0;
    *membership = nobody;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(consumer);
    if (!metadata) return; /* closed */
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(metadata, &data, &bytes);
    if (error) rd_kafka_error_destroy(error);
    else sq_kafka_membership_parse(data, bytes, membership);
    if (data) rd_kafka_mem_free(consumer, data);
    rd_kafka_consumer_group_metadata_destroy(metadata);
}

rd_kafka_consumer_group_metadata_t *sq_kafka_membership_metadata(const char *group, const struct sq_membership *membership)
{
    const char *instance = membership->instance[0] ? membership->instance : NULL;
    return rd_kafka_consumer_group_metadata_new_with_genid(group, membership->generation, membership->member, instance);
}
