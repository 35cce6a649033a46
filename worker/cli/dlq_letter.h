/* SPDX-License-Identifier: Apache-2.0 */
/* A dead letter as its headers tell it (worker/pipeline/dead_letter.c writes them). Pure. */
#ifndef SQ_CLI_DLQ_LETTER_H
#define SQ_CLI_DLQ_LETTER_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "worker/io/kafka_reader.h"

/* All strings are views into the record; what a header doesn't tell is empty. */
struct sq_letter {
    const struct sq_reader_record *record;
    struct sq_str topic, reason, message, stage, attempts;
    struct sq_str key;      /* of the original record; data NULL: none */
    int64_t partition, offset, timestamp_ms; /* of the original record; -1: not told */
};

/* `prefix` is dead_letter.header_prefix. Where a record came back several times, the newest headers count. */
void sq_letter_read(struct sq_letter *letter, const struct sq_reader_record *record, const char *prefix);

/* The record had a value that the letter hasn't: nobody could read it, or the broker didn't take the letter with it. So it can't be sent back. */
bool sq_letter_lacks_value(const struct sq_letter *letter);

/* What the original record had, and how often it was tried: what it is sent back with. Returns their count. */
unsigned sq_letter_original_headers(const struct sq_letter *letter, const char *prefix, struct sq_header headers[SQ_HEADERS_MAX]);

/* One line for people, control characters replaced, or one JSON object; with_value adds the record's value (in JSON, bytes that are no UTF-8
 * become U+FFFD). */
void sq_letter_write_line(struct sq_buf *out, const struct sq_letter *letter);
void sq_letter_write_json(struct sq_buf *out, const struct sq_letter *letter, bool with_value);

#endif
