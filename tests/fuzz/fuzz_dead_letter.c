/* SPDX-License-Identifier: Apache-2.0 */
/* A dead letter of anybody: lines NAME=VALUE are its headers, what follows the first empty line is its value. Whatever it holds, `squall dlq`
 * shows one line without control characters, or a JSON object, and sends back no more headers than the record had. */
#include <stdint.h>
#include <string.h>

#include "engine/base/json.h"
#include "tests/fuzz/require.h"
#include "worker/cli/dlq_letter.h"

#define PREFIX "p."

static void read_headers(struct sq_reader_record *record, const char *data, size_t bytes)
{
    const char *end = data + bytes;
    while (data < end && *data != '\n') {
        const char *line_end = memchr(data, '\n', (size_t)(end - data));
        if (!line_end) line_end = end;
        const char *equal = memchr(data, '=', (size_t)(line_end - data));
        const char *name_end = equal ? equal : line_end;
        if (record->headers_count < SQ_HEADERS_MAX)
            record->headers[record->headers_count++] = (struct sq_header){
                {data, (size_t)(name_end - data)}, {equal ? equal + 1 : NULL, equal ? (size_t)(line_end - equal - 1) : 0}};
        data = line_end < end ? line_end + 1 : end;
    }
    if (data < end) record->value = (struct sq_str){data + 1, (size_t)(end - data - 1)};
}

static void check_line(const struct sq_letter *letter)
{
    struct sq_buf out;
    sq_buf_init(&out);
    sq_letter_write_line(&out, letter);
    for (size_t i = 0; i + 1 < out.bytes; i++) REQUIRE((unsigned char)out.data[i] >= ' ' && out.data[i] != 0x7f);
    REQUIRE(out.data[out.bytes - 1] == '\n');
    sq_buf_deinit(&out);
}

static void check_json(const struct sq_letter *letter)
{
    struct sq_buf out;
    struct sq_err err;
    json_t *root;
    sq_buf_init(&out);
    sq_letter_write_json(&out, letter, true);
    REQUIRE(sq_json_parse(&root, "letter", sq_buf_view(&out), SQ_E_DECODE, &err) == 0);
    json_decref(root);
    sq_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_header back[SQ_HEADERS_MAX];
    struct sq_reader_record record = {.timestamp_ms = -1};
    struct sq_letter letter;
    read_headers(&record, (const char *)data, bytes);
    sq_letter_read(&letter, &record, PREFIX);
    REQUIRE(letter.partition >= -1 && letter.offset >= -1 && letter.timestamp_ms >= -1);
    REQUIRE(sq_letter_original_headers(&letter, PREFIX, back) <= record.headers_count);
    check_line(&letter);
    check_json(&letter);
    return 0;
}
