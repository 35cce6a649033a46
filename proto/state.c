/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"
#include "proto/pack.h"
#include "proto/state.pb-c.h"
#include "proto/unpack.h"

enum { VALUE_BYTES_MAX = 4 << 20, LENGTH_BYTES = 2 };

int sq_state_encode(const struct sq_state_record *state, struct sq_buf *out, struct sq_err *err)
{
    Squall__V1__State message = SQUALL__V1__STATE__INIT;
    message.version = state->version;
    message.rule = sq_pack_view(state->rule);
    message.entity = sq_pack_view(state->entity);
    message.last_event_time_ms = state->last_event_time_ms;
    message.lineage = state->lineage;
    message.data = sq_pack_view(state->data);
    return sq_pack_append(&message.base, out, err);
}

int sq_state_meta_encode(const struct sq_state_meta *meta, struct sq_buf *out, struct sq_err *err)
{
    Squall__V1__Meta message = SQUALL__V1__META__INIT;
    message.version = meta->version;
    message.next_offset = meta->next_offset;
    message.watermark_ms = meta->watermark_ms;
    message.lineage = meta->lineage;
    message.data = sq_pack_view(meta->data);
    return sq_pack_append(&message.base, out, err);
}

static const void *unpack(struct sq_str value, struct sq_arena *arena, const ProtobufCMessageDescriptor *descriptor, struct sq_err *err)
{
    struct sq_unpack unpack;
    if (arena->capacity_bytes - arena->used_bytes < SQ_STATE_SCRATCH_BYTES) {
        sq_err_set(err, SQ_E_FULL, "a state needs %d bytes of room", SQ_STATE_SCRATCH_BYTES);
        return NULL;
    }
    sq_unpack_init(&unpack, arena, SQ_STATE_SCRATCH_BYTES);
    const void *message = value.bytes <= VALUE_BYTES_MAX ? sq_unpack_message(&unpack, descriptor, value) : NULL;
    if (!message) sq_err_set(err, SQ_E_DECODE, "not a %s", descriptor->name);
    return message;
}

int sq_state_decode(struct sq_str value, struct sq_arena *arena, struct sq_state_record *state, struct sq_err *err)
{
    *state = (struct sq_state_record){0};
    const Squall__V1__State *message = unpack(value, arena, &squall__v1__state__descriptor, err);
    if (!message) return err->code;
    *state = (struct sq_state_record){
        .version = message->version, .rule = sq_unpack_view(message->rule), .entity = sq_unpack_view(message->entity),
        .last_event_time_ms = message->last_event_time_ms, .lineage = message->lineage, .data = sq_unpack_view(message->data),
    };
    return 0;
}

int sq_state_meta_decode(struct sq_str value, struct sq_arena *arena, struct sq_state_meta *meta, struct sq_err *err)
{
    *meta = (struct sq_state_meta){0};
    const Squall__V1__Meta *message = unpack(value, arena, &squall__v1__meta__descriptor, err);
    if (!message) return err->code;
    *meta = (struct sq_state_meta){
        .version = message->version, .next_offset = message->next_offset, .watermark_ms = message->watermark_ms,
        .lineage = message->lineage, .data = sq_unpack_view(message->data),
    };
    return 0;
}

static void put_text(struct sq_str text, struct sq_buf *out)
{
    const char length[LENGTH_BYTES] = {(char)(text.bytes >> 8), (char)text.bytes};
    sq_buf_append(out, length, LENGTH_BYTES);
    sq_buf_append_str(out, text);
}

int sq_state_key_encode(struct sq_str rule, struct sq_str entity, struct sq_buf *out, struct sq_err *err)
{
    if (rule.bytes + entity.bytes + 2 * LENGTH_BYTES > SQ_STATE_KEY_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "the key of a state is too long");
    put_text(rule, out);
    put_text(entity, out);
    return sq_buf_failed(out) ? sq_err_set(err, SQ_E_NOMEM, "no memory for a key") : 0;
}

static bool take_text(struct sq_str *rest, struct sq_str *text)
{
    if (rest->bytes < LENGTH_BYTES) return false;
    size_t bytes = (size_t)(unsigned char)rest->data[0] << 8 | (unsigned char)rest->data[1];
    if (rest->bytes - LENGTH_BYTES < bytes) return false;
    *text = (struct sq_str){rest->data + LENGTH_BYTES, bytes};
    *rest = (struct sq_str){text->data + bytes, rest->bytes - LENGTH_BYTES - bytes};
    return true;
}

bool sq_state_key_decode(struct sq_str key, struct sq_str *rule, struct sq_str *entity)
{
    return take_text(&key, rule) && take_text(&key, entity) && key.bytes == 0;
}

struct sq_str sq_state_meta_key(void) { return (struct sq_str){"\0meta", 5}; }
