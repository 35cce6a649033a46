/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/dlq_letter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/time_text.h"
#include "worker/cli/shown.h"

static bool has_prefix(const struct sq_header *header, const char *prefix)
{
    size_t bytes = strlen(prefix);
    return header->name.bytes >= bytes && memcmp(header->name.data, prefix, bytes) == 0;
}

/* The last one of that name, since later attempts append theirs. */
static struct sq_str find(const struct sq_reader_record *record, const char *prefix, const char *name)
{
    size_t prefix_bytes = strlen(prefix);
    for (unsigned i = record->headers_count; i-- > 0;) {
        const struct sq_header *header = &record->headers[i];
        struct sq_str rest = {header->name.data + prefix_bytes, header->name.bytes - prefix_bytes};
        if (has_prefix(header, prefix) && sq_str_equal(rest, sq_str_view(name))) return header->value;
    }
    return (struct sq_str){0};
}

static int64_t number_of(struct sq_str text)
{
    char digits[24] = "";
    char *end;
    if (text.bytes == 0 || text.bytes >= sizeof digits) return -1;
    memcpy(digits, text.data, text.bytes);
    int64_t number = strtoll(digits, &end, 10);
    return *end || number < 0 ? -1 : number;
}

void sq_letter_read(struct sq_letter *letter, const struct sq_reader_record *record, const char *prefix)
{
    *letter = (struct sq_letter){
        .record = record,
        .topic = find(record, prefix, "topic"),
        .reason = find(record, prefix, "reason"),
        .message = find(record, prefix, "message"),
        .stage = find(record, prefix, "stage"),
        .attempts = find(record, prefix, "attempts"),
        .key = find(record, prefix, "key"),
        .partition = number_of(find(record, prefix, "partition")),
        .offset = number_of(find(record, prefix, "offset")),
        .timestamp_ms = number_of(find(record, prefix, "timestamp")),
    };
}

bool sq_letter_lacks_value(const struct sq_letter *letter)
{
    return !letter->record->value.data && !sq_str_equal(letter->reason, sq_str_view(sq_err_word(SQ_E_EMPTY)));
}

unsigned sq_letter_original_headers(const struct sq_letter *letter, const char *prefix, struct sq_header headers[SQ_HEADERS_MAX])
{
    const struct sq_reader_record *record = letter->record;
    unsigned count = 0, attempts_at = record->headers_count;
    for (unsigned i = 0; i < record->headers_count; i++) {
        if (!has_prefix(&record->headers[i], prefix)) headers[count++] = record->headers[i];
        else if (record->headers[i].value.data == letter->attempts.data) attempts_at = i;
    }
    if (letter->attempts.data && attempts_at < record->headers_count) headers[count++] = record->headers[attempts_at];
    return count;
}

void sq_letter_write_line(struct sq_buf *out, const struct sq_letter *letter)
{
    char time[SQ_TIME_TEXT_BYTES], place[32];
    sq_time_text_format(letter->record->timestamp_ms, time);
    snprintf(place, sizeof place, "%" PRId32 ":%" PRId64, letter->record->partition, letter->record->offset);
    sq_buf_printf(out, "%-10s  %-24s  ", place, time);
    sq_shown_append(out, letter->reason);
    sq_buf_append_text(out, "  ");
    sq_shown_append(out, letter->topic);
    sq_buf_printf(out, "/%" PRId64 "/%" PRId64 "  ", letter->partition, letter->offset);
    sq_shown_append(out, letter->message);
    sq_buf_append_char(out, '\n');
}

static void write_text(struct sq_buf *out, const char *key, struct sq_str text)
{
    sq_json_write_key(out, key);
    if (text.data) sq_json_write_str(out, text);
    else sq_buf_append_text(out, "null");
}

static void write_number(struct sq_buf *out, const char *key, int64_t number)
{
    sq_json_write_key(out, key);
    sq_buf_printf(out, "%" PRId64, number);
}

void sq_letter_write_json(struct sq_buf *out, const struct sq_letter *letter, bool with_value)
{
    const struct sq_reader_record *record = letter->record;
    sq_buf_append_char(out, '{');
    write_number(out, "partition", record->partition);
    write_number(out, "offset", record->offset);
    write_number(out, "ts", record->timestamp_ms);
    write_text(out, "reason", letter->reason);
    write_text(out, "message", letter->message);
    write_text(out, "stage", letter->stage);
    write_number(out, "attempts", number_of(letter->attempts));
    sq_json_write_key(out, "source");
    sq_buf_append_char(out, '{');
    write_text(out, "topic", letter->topic);
    write_number(out, "partition", letter->partition);
    write_number(out, "offset", letter->offset);
    write_number(out, "ts", letter->timestamp_ms);
    write_text(out, "key", letter->key);
    sq_buf_append_char(out, '}');
    if (with_value) write_text(out, "value", record->value);
    sq_buf_append_text(out, "}\n");
}
