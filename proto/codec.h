/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to records and back. Pure: no I/O, no clock, no state; every call is safe from any thread that owns the arena or buffer it hands
 * in. Nothing from outside is trusted: sizes are bounded before parsing, and every string that comes out is valid UTF-8. */
#ifndef SQ_PROTO_CODEC_H
#define SQ_PROTO_CODEC_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "proto/records.h"

enum {
    SQ_FIELD_NAME_BYTES = 128,
    SQ_EVENT_BYTES_MAX = 1 << 20, /* the most that input.max_bytes may ask for */
    SQ_DECODE_SCRATCH_BYTES = 1 << 20, /* what protobuf-c may use to unpack one record */
};

/* ---- Events: what the input topics hold ---- */

enum sq_event_encoding { SQ_EVENT_JSON, SQ_EVENT_TEXT, SQ_EVENT_PROTOBUF };
enum sq_ts_unit { SQ_TS_AUTO, SQ_TS_MS, SQ_TS_S, SQ_TS_RFC3339 };

/* Where a part of an event is found. */
enum sq_field_kind {
    SQ_FIELD_NONE,   /* nowhere */
    SQ_FIELD_PATH,   /* member of the value: name is a dotted path, such as "user.name" */
    SQ_FIELD_KEY,    /* the record's key */
    SQ_FIELD_HEADER, /* the record's header called name */
};
struct sq_field {
    enum sq_field_kind kind;
    char name[SQ_FIELD_NAME_BYTES];
};

struct sq_event_format {
    enum sq_event_encoding encoding;
    struct sq_field text, entity, ts, author, id; /* TEXT: a text path is the whole value, other paths don't exist. PROTOBUF: paths are the fields of squall.v1.Event */
    enum sq_ts_unit ts_unit;
    char default_entity[SQ_ENTITY_BYTES_MAX + 1]; /* "": an event without entity and key is refused */
    size_t bytes_max;                             /* of a record's value */
};

/* JSON with the members text, entity, ts, author, id; entity "all" where there is none; 64 KB. */
extern const struct sq_event_format sq_event_format_default;

/* Reads "user.name", "key", "header:NAME" or "" (nowhere). SQ_E_CONFIG: too long, or an empty name in it. */
int sq_field_parse(struct sq_field *field, struct sq_str spec, struct sq_err *err);

/* A record as it came. A NULL data of key or value: there is none. */
struct sq_record {
    struct sq_str key;
    struct sq_str value;
    bool (*header)(const char *name, struct sq_str *value, void *ctx); /* the last one of that name; NULL: no headers */
    void *header_ctx;
};

/* Decodes one record. All strings of the event are copied into the arena and live as long as it; on failure the arena is as before.
 *
 * Fails with exactly one of the POISON codes, each with a message that names the field and holds none of the record's text:
 *   EMPTY         no value; text "" or white space
 *   TOO_LARGE     value over format->bytes_max; entity over SQ_ENTITY_BYTES_MAX (a cut one would be another entity)
 *   DECODE        not JSON, not a squall.v1.Event
 *   MISSING_FIELD text absent or null; no entity, no key and no default
 *   WRONG_TYPE    text no string; entity, author or id neither string nor whole number; ts not as ts_unit says; the value no JSON object
 *   INVALID_UTF8  in any of the five, or anywhere in a JSON value
 * or with SQ_E_FULL when the arena has less room than sq_event_room_bytes. An id is cut to SQ_ID_BYTES_MAX, at a character. A ts out of
 * the years 1 to 9999 becomes the nearest end: clamping is the caller's, as it knows the append time. U+0000 is a character like others. */
int sq_event_decode(const struct sq_event_format *format, const struct sq_record *record, struct sq_arena *arena, struct sq_event *event,
                    struct sq_err *err);

/* Free room in the arena with which sq_event_decode never fails for lack of it. What a decoded event keeps is far less: its strings. */
size_t sq_event_room_bytes(const struct sq_event_format *format);

/* squall.v1.Event, appended. SQ_E_NOMEM only. */
int sq_event_encode(const struct sq_event *event, struct sq_buf *out, struct sq_err *err);

/* ---- Scores ---- */

/* squall.v1.Score, appended to out. No allocation once the buffer has grown. SQ_E_NOMEM; SQ_E_TOO_LARGE over SQ_RECORD_BYTES_MAX. */
int sq_score_encode(const struct sq_score *score, struct sq_buf *out, struct sq_err *err);

/* The strings of the score live in the arena; on failure the arena is as before. Needs SQ_DECODE_SCRATCH_BYTES of room, else SQ_E_FULL,
 * and keeps a few hundred bytes. SQ_E_DECODE, SQ_E_TOO_LARGE, SQ_E_INVALID_UTF8, SQ_E_MISSING_FIELD (no entity), SQ_E_WRONG_TYPE (a
 * probability that is none, more than SQ_SCORE_LABELS_MAX). */
int sq_score_decode(struct sq_str value, struct sq_arena *arena, struct sq_score *score, struct sq_err *err);

/* ---- State of the alert stage: keys and values of <app>.alert-state ---- */

enum { SQ_STATE_SCRATCH_BYTES = 6 << 20, SQ_STATE_KEY_BYTES_MAX = 1024 }; /* room to decode one value of at most 4 MB */

struct sq_state_record {
    uint32_t version;
    struct sq_str rule, entity;
    int64_t last_event_time_ms;
    uint64_t lineage;
    struct sq_str data;
};
struct sq_state_meta {
    uint32_t version;
    int64_t next_offset;
    int64_t watermark_ms;
    uint64_t lineage;
    struct sq_str data;
};

/* Appended to out. SQ_E_NOMEM only. */
int sq_state_encode(const struct sq_state_record *state, struct sq_buf *out, struct sq_err *err);
int sq_state_meta_encode(const struct sq_state_meta *meta, struct sq_buf *out, struct sq_err *err);

/* Strings live in the arena until it is used again; it needs SQ_STATE_SCRATCH_BYTES of room, else SQ_E_FULL. SQ_E_DECODE. */
int sq_state_decode(struct sq_str value, struct sq_arena *arena, struct sq_state_record *state, struct sq_err *err);
int sq_state_meta_decode(struct sq_str value, struct sq_arena *arena, struct sq_state_meta *meta, struct sq_err *err);

/* The length of the rule in two bytes, high one first, the rule, then the entity alike. At most SQ_STATE_KEY_BYTES_MAX. Appended; SQ_E_NOMEM. */
int sq_state_key_encode(struct sq_str rule, struct sq_str entity, struct sq_buf *out, struct sq_err *err);
/* Views into the key; false: no such key. The meta's key is none. */
bool sq_state_key_decode(struct sq_str key, struct sq_str *rule, struct sq_str *entity);
/* U+0000 "meta". */
struct sq_str sq_state_meta_key(void);

/* ---- Alerts ---- */

/* The proto3 JSON mapping of squall.v1.Alert on one line, without a newline: proto names, RFC 3339 times, 64-bit integers as strings,
 * nine significant digits. Appended to out. SQ_E_NOMEM only. */
int sq_alert_encode_json(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err);

/* The same names flat (baseline_rate, window_start, ...), state in lower case, times in ms, offsets as numbers: `replay --alerts-out`. */
int sq_alert_encode_flat(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err);

/* squall.v1.Alert as protobuf, appended. SQ_E_NOMEM only. */
int sq_alert_encode_protobuf(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err);

/* "FIRING"; "threshold"; "rate"; "critical". */
const char *sq_alert_state_name(enum sq_alert_state state);
const char *sq_alert_reason_word(enum sq_alert_reason reason);
const char *sq_alert_kind_word(enum sq_alert_kind kind);
const char *sq_severity_word(enum sq_severity severity);

#endif
