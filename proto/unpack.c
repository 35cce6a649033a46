/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/unpack.h"

#include <stdint.h>

enum { ALIGN_BYTES = 16 }; /* what malloc gives */

/* Zeroed, because protobuf-c 1.4 reads fields it never wrote when an unpack fails. */
static void *take(void *ctx, size_t bytes)
{
    struct sq_unpack *unpack = ctx;
    size_t room = (size_t)(unpack->top - unpack->floor);
    if (bytes > room - ALIGN_BYTES || room < ALIGN_BYTES) return NULL;
    unpack->top -= (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
    return memset(unpack->top, 0, bytes);
}

static void give_back(void *ctx, void *block)
{
    (void)ctx;
    (void)block;
}

void sq_unpack_init(struct sq_unpack *unpack, const struct sq_arena *arena, size_t budget_bytes)
{
    unsigned char *top = arena->base + (arena->capacity_bytes & ~(size_t)(ALIGN_BYTES - 1));
    *unpack = (struct sq_unpack){
        .allocator = {take, give_back, unpack},
        .floor = top - budget_bytes,
        .top = top,
    };
}

void *sq_unpack_message(struct sq_unpack *unpack, const ProtobufCMessageDescriptor *descriptor, struct sq_str value)
{
    return protobuf_c_message_unpack(descriptor, &unpack->allocator, value.bytes, (const uint8_t *)value.data);
}

bool sq_unpack_keep(struct sq_arena *arena, struct sq_str *text)
{
    if (text->bytes == 0) {
        *text = (struct sq_str){"", 0};
        return true;
    }
    char *copy = sq_arena_alloc(arena, text->bytes);
    if (!copy) return false;
    memcpy(copy, text->data, text->bytes);
    text->data = copy;
    return true;
}
