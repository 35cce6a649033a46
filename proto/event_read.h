/* SPDX-License-Identifier: Apache-2.0 */
/* Between the encodings and the rules: what a record holds for each part of an event, before anyone judged it. Private to proto/. */
#ifndef SQ_PROTO_EVENT_READ_H
#define SQ_PROTO_EVENT_READ_H

#include "engine/base/json.h"
#include "proto/codec.h"

enum sq_raw_kind { SQ_RAW_ABSENT, SQ_RAW_TEXT, SQ_RAW_INTEGER, SQ_RAW_REAL, SQ_RAW_OTHER };

struct sq_raw {
    enum sq_raw_kind kind;
    struct sq_str text; /* borrowed from the record, the JSON tree or the scratch */
    int64_t integer;
    double real;
};

/* The value of a record as JSON; the caller owns *root. DECODE, INVALID_UTF8 or WRONG_TYPE (no object); no record text in the message. */
int sq_event_json_parse(json_t **root, struct sq_str value, struct sq_err *err);

/* What stands at a dotted path below root. */
struct sq_raw sq_event_json_find(const json_t *root, const char *path);

/* A time in ms, kept within the years 1 to 9999. False: it is not what the unit asks for. */
bool sq_event_ts_read(const struct sq_raw *raw, enum sq_ts_unit unit, int64_t *ms);

struct Squall__V1__Event; /* generated */
/* A field of a squall.v1.Event by its name. */
struct sq_raw sq_event_protobuf_find(const struct Squall__V1__Event *message, const char *name);

#endif
