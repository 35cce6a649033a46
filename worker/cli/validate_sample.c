/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/validate_sample.h"

#include <stdio.h>

#include "engine/base/json.h"
#include "worker/cli/shown.h"

enum { RECORDS = 100, TIMEOUT_MS = 10000, KEYS_MAX = 12 };

/* Who wrote the configuration for a record that he hasn't seen is helped by its members' names; "" where it is no object. */
static void write_members(struct sq_buf *out, struct sq_str value)
{
    json_t *object = NULL, *member;
    const char *key;
    unsigned count = 0;
    struct sq_err err;
    if (sq_json_parse(&object, "value", value, SQ_E_DECODE, &err) == 0 && json_is_object(object)) {
        json_object_foreach(object, key, member) {
            if (count == KEYS_MAX) break;
            sq_buf_append_text(out, count++ ? ", " : "; it has ");
            sq_shown_append(out, sq_str_view(key));
        }
    }
    json_decref(object);
}

static void note_first(struct sq_sample *sample, const struct sq_kafka_probe_record *record, const struct sq_err *bad)
{
    struct sq_buf members;
    sq_buf_init(&members);
    if (bad->code == SQ_E_MISSING_FIELD) write_members(&members, record->record.value);
    snprintf(sample->first, sizeof sample->first, "%s[%d]@%lld: %s: %s%s", record->topic, record->partition, (long long)record->offset,
             sq_err_word(bad->code), bad->message, members.data && !sq_buf_failed(&members) ? members.data : "");
    sq_buf_deinit(&members);
}

void sq_sample_add(struct sq_sample *sample, const struct sq_event_format *format, const struct sq_kafka_probe_record *record, struct sq_arena *arena)
{
    struct sq_event_format without_default = *format;
    struct sq_record without_key = record->record;
    struct sq_event event;
    struct sq_err err;
    sample->taken++;
    if (sq_event_decode(format, &record->record, arena, &event, &err)) {
        if (sample->bad++ == 0) note_first(sample, record, &err);
        return;
    }
    sample->with_ts += event.has_ts;
    sample->with_author += event.author.bytes > 0;
    without_default.default_entity[0] = '\0';
    without_key.key = (struct sq_str){0};
    sample->with_entity += sq_event_decode(&without_default, &record->record, arena, &event, &err) == 0;
    sample->with_entity_field += sq_event_decode(&without_default, &without_key, arena, &event, &err) == 0;
}

struct taking {
    struct sq_sample *sample;
    const struct sq_event_format *format;
    struct sq_arena arena;
};

static void on_record(const struct sq_kafka_probe_record *record, void *ctx)
{
    struct taking *taking = ctx;
    sq_arena_rewind(&taking->arena, 0);
    sq_sample_add(taking->sample, taking->format, record, &taking->arena);
}

int sq_sample_take(struct sq_sample *sample, const struct sq_event_format *format, struct sq_kafka_probe *probe, struct sq_err *err)
{
    struct taking taking = {.sample = sample, .format = format};
    *sample = (struct sq_sample){0};
    int status = sq_arena_init(&taking.arena, 2 * sq_event_room_bytes(format), err);
    if (status == 0) status = sq_kafka_probe_sample(probe, RECORDS, TIMEOUT_MS, on_record, &taking, err);
    sq_arena_deinit(&taking.arena);
    return status;
}
