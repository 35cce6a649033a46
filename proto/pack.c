/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/pack.h"

#include <stdint.h>

ProtobufCBinaryData sq_pack_view(struct sq_str text)
{
    union { /* protobuf-c only reads what it packs, but its type can't say so */
        const char *from;
        uint8_t *to;
    } cast = {.from = text.data};
    return (ProtobufCBinaryData){text.bytes, cast.to};
}

ProtobufCBinaryData sq_pack_text(const char *text) { return sq_pack_view(sq_str_view(text)); }

int sq_pack_append(const ProtobufCMessage *message, struct sq_buf *out, struct sq_err *err)
{
    size_t bytes = protobuf_c_message_get_packed_size(message);
    char *to = sq_buf_reserve(out, bytes);
    if (!to) return sq_err_set(err, SQ_E_NOMEM, "no memory to encode a record of %zu bytes", bytes);
    out->bytes += protobuf_c_message_pack(message, (uint8_t *)to);
    out->data[out->bytes] = '\0';
    return 0;
}
