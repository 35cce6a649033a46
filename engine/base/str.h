/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed byte strings. Text from outside may hold NUL bytes, so its length travels with it. */
#ifndef SQ_BASE_STR_H
#define SQ_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sq_str {
    const char *data; /* not owned, not NUL-terminated; may be NULL when bytes is 0 */
    size_t bytes;
};

/* A string literal as a sq_str. */
#define SQ_STR(literal) ((struct sq_str){(literal), sizeof(literal) - 1})

static inline struct sq_str sq_str_view(const char *text) { return (struct sq_str){text, text ? strlen(text) : 0}; }

static inline bool sq_str_equal(struct sq_str a, struct sq_str b)
{
    return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

/* Byte order, shorter first among equals: the order of Kafka keys and of evaluation. */
static inline int sq_str_compare(struct sq_str a, struct sq_str b)
{
    size_t bytes = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = bytes ? memcmp(a.data, b.data, bytes) : 0;
    return order ? order : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

#endif
