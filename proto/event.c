/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding an event, in three steps: unwrap the value (JSON tree, protobuf message, or nothing to unwrap), find the raw thing for each of
 * the five fields, judge it. The last step is the same for all encodings, so a record is refused for the same reason in each. */
#include <stdio.h>

#include "engine/base/utf8.h"
#include "proto/event.pb-c.h"
#include "proto/event_read.h"
#include "proto/unpack.h"

enum { SMALL_STRINGS_BYTES = 3 * (SQ_ENTITY_BYTES_MAX + SQ_ARENA_ALIGN_BYTES) + SQ_ARENA_ALIGN_BYTES };

const struct sq_event_format sq_event_format_default = {
    .encoding = SQ_EVENT_JSON,
    .text = {SQ_FIELD_PATH, "text"},
    .entity = {SQ_FIELD_PATH, "entity"},
    .ts = {SQ_FIELD_PATH, "ts"},
    .author = {SQ_FIELD_PATH, "author"},
    .id = {SQ_FIELD_PATH, "id"},
    .ts_unit = SQ_TS_AUTO,
    .default_entity = "all",
    .bytes_max = SQ_RECORD_BYTES_MAX,
};

static bool path_is_whole(struct sq_str path)
{
    bool empty = true;
    for (size_t i = 0; i < path.bytes; i++) {
        if (path.data[i] == '.' && empty) return false;
        empty = path.data[i] == '.';
    }
    return !empty;
}

int sq_field_parse(struct sq_field *field, struct sq_str spec, struct sq_err *err)
{
    static const struct sq_str header = {"header:", 7};
    *field = (struct sq_field){0};
    if (spec.bytes == 0) return 0;
    field->kind = SQ_FIELD_PATH;
    if (sq_str_equal(spec, SQ_STR("key"))) field->kind = SQ_FIELD_KEY;
    if (spec.bytes >= header.bytes && memcmp(spec.data, header.data, header.bytes) == 0) {
        field->kind = SQ_FIELD_HEADER;
        spec = (struct sq_str){spec.data + header.bytes, spec.bytes - header.bytes};
        if (spec.bytes == 0) return sq_err_set(err, SQ_E_CONFIG, "a header needs a name, as in header:source");
    }
    if (spec.bytes >= sizeof field->name) return sq_err_set(err, SQ_E_CONFIG, "a field is at most %zu bytes long", sizeof field->name - 1);
    if (memchr(spec.data, '\0', spec.bytes)) return sq_err_set(err, SQ_E_CONFIG, "a field can't hold a NUL byte");
    if (field->kind == SQ_FIELD_PATH && !path_is_whole(spec))
        return sq_err_set(err, SQ_E_CONFIG, "a dotted path has a name on both sides of each dot, as in user.name");
    memcpy(field->name, spec.data, spec.bytes);
    return 0;
}

size_t sq_event_room_bytes(const struct sq_event_format *format)
{
    size_t strings = format->bytes_max + SQ_ARENA_ALIGN_BYTES + SMALL_STRINGS_BYTES;
    return format->encoding == SQ_EVENT_PROTOBUF ? strings + SQ_DECODE_SCRATCH_BYTES + format->bytes_max : strings;
}

/* ---- Finding ---- */

/* A record whose value is unwrapped. */
struct source {
    const struct sq_event_format *format;
    const struct sq_record *record;
    const json_t *json;
    const Squall__V1__Event *message;
};

static struct sq_raw find(const struct source *source, const struct sq_field *field)
{
    struct sq_raw raw = {.kind = SQ_RAW_ABSENT};
    const struct sq_record *record = source->record;
    switch (field->kind) {
    case SQ_FIELD_NONE: break;
    case SQ_FIELD_KEY:
        raw.text = record->key;
        if (record->key.data) raw.kind = SQ_RAW_TEXT;
        break;
    case SQ_FIELD_HEADER:
        if (record->header && record->header(field->name, &raw.text, record->header_ctx) && raw.text.data) raw.kind = SQ_RAW_TEXT;
        break;
    case SQ_FIELD_PATH:
        if (source->json) return sq_event_json_find(source->json, field->name);
        if (source->message) return sq_event_protobuf_find(source->message, field->name);
        if (field == &source->format->text) raw = (struct sq_raw){.kind = SQ_RAW_TEXT, .text = record->value};
        break;
    }
    return raw;
}

static const char *place_of(const struct sq_field *field)
{
    static const char *const words[] = {"(no field)", "field ", "the record's key", "header "};
    return words[field->kind];
}

/* ---- Judging: each returns 0 or the reason, and names the field as the configuration does ---- */

static int refuse(int code, const char *part, const struct sq_field *field, const char *what, struct sq_err *err)
{
    return sq_err_set(err, code, "%s: %s%s %s (input.fields.%s)", part, place_of(field), field->name, what, part);
}

static bool text_is_blank(struct sq_str text)
{
    for (size_t at = 0; at < text.bytes;) {
        uint32_t code_point;
        at += sq_utf8_decode(text.data + at, text.bytes - at, &code_point);
        if (!sq_utf8_is_white(code_point) && !sq_utf8_is_invisible(code_point)) return false;
    }
    return true;
}

static int judge_text(const struct sq_event_format *format, const struct sq_raw *raw, struct sq_str *text, struct sq_err *err)
{
    if (raw->kind == SQ_RAW_ABSENT) return refuse(SQ_E_MISSING_FIELD, "text", &format->text, "is absent or null", err);
    if (raw->kind != SQ_RAW_TEXT) return refuse(SQ_E_WRONG_TYPE, "text", &format->text, "is not a string", err);
    if (raw->text.bytes > format->bytes_max) return refuse(SQ_E_TOO_LARGE, "text", &format->text, "is over input.max_bytes", err);
    if (sq_utf8_valid_bytes(raw->text) != raw->text.bytes) return refuse(SQ_E_INVALID_UTF8, "text", &format->text, "is not valid UTF-8", err);
    if (text_is_blank(raw->text)) return refuse(SQ_E_EMPTY, "text", &format->text, "is empty or only white space", err);
    *text = raw->text;
    return 0;
}

/* A short name: a string, or a whole number in decimal. `digits` backs the latter. Absent gives "". */
static int judge_name(const char *part, const struct sq_field *field, const struct sq_raw *raw, char digits[24], struct sq_str *name,
                      struct sq_err *err)
{
    *name = (struct sq_str){"", 0};
    if (raw->kind == SQ_RAW_ABSENT) return 0;
    if (raw->kind == SQ_RAW_INTEGER) {
        snprintf(digits, 24, "%lld", (long long)raw->integer);
        *name = sq_str_view(digits);
        return 0;
    }
    if (raw->kind != SQ_RAW_TEXT) return refuse(SQ_E_WRONG_TYPE, part, field, "is neither a string nor a whole number", err);
    if (sq_utf8_valid_bytes(raw->text) != raw->text.bytes) return refuse(SQ_E_INVALID_UTF8, part, field, "is not valid UTF-8", err);
    *name = raw->text;
    return 0;
}

static struct sq_str cut(struct sq_str name, size_t bytes_max)
{
    if (name.bytes <= bytes_max) return name;
    return (struct sq_str){name.data, sq_utf8_valid_bytes((struct sq_str){name.data, bytes_max})};
}

/* Field, else the record's key, else the default. */
static int judge_entity(const struct source *source, char digits[24], struct sq_str *entity, struct sq_err *err)
{
    static const struct sq_field key = {SQ_FIELD_KEY, ""};
    const struct sq_event_format *format = source->format;
    const struct sq_field *field = &format->entity;
    struct sq_raw raw = find(source, field);
    int code = judge_name("entity", field, &raw, digits, entity, err);
    if (code == 0 && entity->bytes == 0) {
        field = &key;
        raw = find(source, field);
        code = judge_name("entity", field, &raw, digits, entity, err);
    }
    if (code != 0) return code;
    if (entity->bytes == 0) *entity = sq_str_view(format->default_entity);
    if (entity->bytes == 0)
        return refuse(SQ_E_MISSING_FIELD, "entity", &format->entity, "is absent, and so are a key and input.default_entity", err);
    /* A cut entity would be another one, so the record goes instead. */
    if (entity->bytes > SQ_ENTITY_BYTES_MAX) return refuse(SQ_E_TOO_LARGE, "entity", field, "is over 256 bytes", err);
    return 0;
}

static int judge_ts(const struct source *source, const struct sq_raw *raw, struct sq_event *event, struct sq_err *err)
{
    static const char *const wanted[] = {"is neither RFC 3339 with a zone nor a number", "is not a number of milliseconds",
                                         "is not a number of seconds", "is not an RFC 3339 time with a zone"};
    const struct sq_field *field = &source->format->ts;
    enum sq_ts_unit unit = source->message && field->kind == SQ_FIELD_PATH ? SQ_TS_MS : source->format->ts_unit; /* ts_ms says so itself */
    if (raw->kind == SQ_RAW_ABSENT) return 0;
    event->has_ts = true;
    if (sq_event_ts_read(raw, unit, &event->ts_ms)) return 0;
    return refuse(SQ_E_WRONG_TYPE, "ts", field, wanted[unit], err);
}

static int judge(struct source *source, struct sq_arena *arena, struct sq_event *event, struct sq_err *err)
{
    const struct sq_event_format *format = source->format;
    char entity_digits[24], author_digits[24], id_digits[24];
    struct sq_raw raw = find(source, &format->text);
    int code = judge_text(format, &raw, &event->text, err);
    if (code == 0) code = judge_entity(source, entity_digits, &event->entity, err);
    raw = find(source, &format->author);
    if (code == 0) code = judge_name("author", &format->author, &raw, author_digits, &event->author, err);
    raw = find(source, &format->id);
    if (code == 0) code = judge_name("id", &format->id, &raw, id_digits, &event->id, err);
    raw = find(source, &format->ts);
    if (code == 0) code = judge_ts(source, &raw, event, err);
    if (code != 0) return code;
    event->author = cut(event->author, SQ_ID_BYTES_MAX);
    event->id = cut(event->id, SQ_ID_BYTES_MAX);

    struct sq_str *strings[] = {&event->text, &event->entity, &event->author, &event->id};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (!sq_unpack_keep(arena, strings[i])) return sq_err_set(err, SQ_E_FULL, "no room for the strings of an event");
    return 0;
}

/* ---- The record ---- */

static int unpack_and_judge(struct source *source, struct sq_arena *arena, struct sq_event *event, struct sq_err *err)
{
    struct sq_unpack unpack;
    sq_unpack_init(&unpack, arena, SQ_DECODE_SCRATCH_BYTES + source->format->bytes_max);
    source->message = sq_unpack_message(&unpack, &squall__v1__event__descriptor, source->record->value);
    if (!source->message) return sq_err_set(err, SQ_E_DECODE, "the record is not a squall.v1.Event");
    return judge(source, arena, event, err);
}

static int parse_and_judge(struct source *source, struct sq_arena *arena, struct sq_event *event, struct sq_err *err)
{
    json_t *root;
    int code = sq_event_json_parse(&root, source->record->value, err);
    if (code != 0) return code;
    source->json = root;
    code = judge(source, arena, event, err);
    json_decref(root);
    return code;
}

int sq_event_decode(const struct sq_event_format *format, const struct sq_record *record, struct sq_arena *arena, struct sq_event *event,
                    struct sq_err *err)
{
    static int (*const decoders[])(struct source *, struct sq_arena *, struct sq_event *, struct sq_err *) = {
        [SQ_EVENT_JSON] = parse_and_judge,
        [SQ_EVENT_TEXT] = judge,
        [SQ_EVENT_PROTOBUF] = unpack_and_judge,
    };
    *event = (struct sq_event){0};
    if (!record->value.data) return sq_err_set(err, SQ_E_EMPTY, "the record has no value");
    if (record->value.bytes == 0) return sq_err_set(err, SQ_E_EMPTY, "the record's value is empty");
    if (record->value.bytes > format->bytes_max)
        return sq_err_set(err, SQ_E_TOO_LARGE, "the record's value has %zu bytes, input.max_bytes is %zu", record->value.bytes, format->bytes_max);
    if (arena->capacity_bytes - arena->used_bytes < sq_event_room_bytes(format))
        return sq_err_set(err, SQ_E_FULL, "an event needs %zu bytes of room", sq_event_room_bytes(format));

    struct source source = {.format = format, .record = record};
    size_t mark_bytes = arena->used_bytes;
    int code = decoders[format->encoding](&source, arena, event, err);
    if (code != 0) sq_arena_rewind(arena, mark_bytes);
    return code;
}
