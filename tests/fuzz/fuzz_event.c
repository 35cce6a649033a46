/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a record, in each encoding: a decoded event holds what codec.h promises, a refused one leaves the arena as it was. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/utf8.h"
#include "proto/codec.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static bool find_header(const char *name, struct sq_str *value, void *ctx)
{
    (void)name;
    *value = *(struct sq_str *)ctx;
    return value->data != NULL;
}

static void check(const struct sq_event *event)
{
    const struct sq_str texts[] = {event->text, event->entity, event->author, event->id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) REQUIRE(sq_utf8_valid_bytes(texts[i]) == texts[i].bytes);
    REQUIRE(event->text.bytes > 0 && event->entity.bytes > 0 && event->entity.bytes <= SQ_ENTITY_BYTES_MAX);
    REQUIRE(event->author.bytes <= SQ_ID_BYTES_MAX && event->id.bytes <= SQ_ID_BYTES_MAX);
}

/* What was decoded can be encoded, and comes back the same. */
static void check_round_trip(struct sq_event_format format, struct sq_arena *arena, const struct sq_event *event)
{
    struct sq_event again;
    struct sq_err err;
    struct sq_buf buf;
    sq_buf_init(&buf);
    REQUIRE(sq_event_encode(event, &buf, &err) == 0);
    format.encoding = SQ_EVENT_PROTOBUF;
    format.bytes_max = SQ_EVENT_BYTES_MAX;
    format.text = sq_event_format_default.text;
    format.entity = sq_event_format_default.entity;
    struct sq_record record = {.value = sq_buf_view(&buf)};
    REQUIRE(sq_event_decode(&format, &record, arena, &again, &err) == 0);
    REQUIRE(sq_str_equal(again.text, event->text) && sq_str_equal(again.entity, event->entity));
    sq_buf_deinit(&buf);
}

/* The first byte chooses the encoding, the unit and where the fields are; up to 16 bytes behind it are the key and header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sq_arena arena;
    struct sq_err err;
    if (bytes < 2) return 0;
    if (!arena.base) REQUIRE(sq_arena_init(&arena, 8u << 20, &err) == 0);
    sq_arena_rewind(&arena, 0);

    struct sq_event_format format = sq_event_format_default;
    format.encoding = (enum sq_event_encoding)(data[0] % 3);
    format.ts_unit = (enum sq_ts_unit)(data[0] / 3 % 4);
    if (data[0] & 0x40) REQUIRE(sq_field_parse(&format.ts, SQ_STR("header:when"), &err) == 0);
    if (data[0] & 0x80) REQUIRE(sq_field_parse(&format.author, SQ_STR("user.name"), &err) == 0);
    size_t key_bytes = data[1] % 17 < bytes - 2 ? data[1] % 17 : 0;
    struct sq_str key = {key_bytes ? (const char *)data + 2 : NULL, key_bytes};
    struct sq_record record = {.key = key, .value = {(const char *)data + 2 + key_bytes, bytes - 2 - key_bytes}, .header = find_header, .header_ctx = &key};
    struct sq_event event;
    int code = sq_event_decode(&format, &record, &arena, &event, &err);
    if (code == 0) {
        check(&event);
        check_round_trip(format, &arena, &event);
        return 0;
    }
    REQUIRE(code == err.code && sq_err_class(code) == SQ_CLASS_POISON && err.message[0] && arena.used_bytes == 0);
    return 0;
}
