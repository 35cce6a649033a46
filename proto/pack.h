/* SPDX-License-Identifier: Apache-2.0 */
/* Packing protobuf-c messages that borrow their texts. */
#ifndef SQ_PROTO_PACK_H
#define SQ_PROTO_PACK_H

#include <protobuf-c/protobuf-c.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

/* A view for a message that is only packed. */
ProtobufCBinaryData sq_pack_view(struct sq_str text);
ProtobufCBinaryData sq_pack_text(const char *text);

/* Appends the packed message. SQ_E_NOMEM. */
int sq_pack_append(const ProtobufCMessage *message, struct sq_buf *out, struct sq_err *err);

#endif
