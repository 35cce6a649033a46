/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/event.pb-c.h"
#include "proto/event_read.h"
#include "proto/pack.h"
#include "proto/unpack.h"

/* proto3 has no way to tell an empty text from none. */
static struct sq_raw text_or_absent(ProtobufCBinaryData data)
{
    if (data.len == 0) return (struct sq_raw){.kind = SQ_RAW_ABSENT};
    return (struct sq_raw){.kind = SQ_RAW_TEXT, .text = sq_unpack_view(data)};
}

struct sq_raw sq_event_protobuf_find(const struct Squall__V1__Event *message, const char *name)
{
    if (strcmp(name, "text") == 0) return (struct sq_raw){.kind = SQ_RAW_TEXT, .text = sq_unpack_view(message->text)};
    if (strcmp(name, "entity") == 0) return text_or_absent(message->entity);
    if (strcmp(name, "author") == 0) return text_or_absent(message->author);
    if (strcmp(name, "id") == 0) return text_or_absent(message->id);
    bool has_ts = message->maybe_ts_ms_case == SQUALL__V1__EVENT__MAYBE_TS_MS_TS_MS;
    if (strcmp(name, "ts") == 0 && has_ts) return (struct sq_raw){.kind = SQ_RAW_INTEGER, .integer = message->ts_ms};
    return (struct sq_raw){.kind = SQ_RAW_ABSENT};
}

int sq_event_encode(const struct sq_event *event, struct sq_buf *out, struct sq_err *err)
{
    Squall__V1__Event message = SQUALL__V1__EVENT__INIT;
    message.text = sq_pack_view(event->text);
    message.entity = sq_pack_view(event->entity);
    message.author = sq_pack_view(event->author);
    message.id = sq_pack_view(event->id);
    if (event->has_ts) message.maybe_ts_ms_case = SQUALL__V1__EVENT__MAYBE_TS_MS_TS_MS;
    message.ts_ms = event->ts_ms;
    return sq_pack_append(&message.base, out, err);
}
