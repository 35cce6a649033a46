/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking hostile protobuf with protobuf-c: everything it allocates comes from the far end of an arena, up to a budget, and is gone
 * when the caller is done. Nothing is freed one by one, so a failed unpack leaves nothing to clean up: after it, touch nothing. */
#ifndef SQ_PROTO_UNPACK_H
#define SQ_PROTO_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "engine/base/arena.h"
#include "engine/base/str.h"

struct sq_unpack {
    ProtobufCAllocator allocator;
    unsigned char *floor; /* the budget's end */
    unsigned char *top;   /* allocations grow down from here */
};

/* The arena must have budget_bytes of room. What is taken from its front meanwhile must not reach into the last budget_bytes. */
void sq_unpack_init(struct sq_unpack *unpack, const struct sq_arena *arena, size_t budget_bytes);

/* NULL: not such a message, or over the budget. */
void *sq_unpack_message(struct sq_unpack *unpack, const ProtobufCMessageDescriptor *descriptor, struct sq_str value);

static inline struct sq_str sq_unpack_view(ProtobufCBinaryData data) { return (struct sq_str){(const char *)data.data, data.len}; }

/* Copies text to the front of the arena; false when it is full. An empty text needs no room. */
bool sq_unpack_keep(struct sq_arena *arena, struct sq_str *text);

#endif
