/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/metrics.h"

enum {
    HEADERS_ADDED = 12,
    AHEAD_MS_MAX = 3600 * 1000, /* brokers refuse timestamps further ahead */
    ATTEMPTS_MAX = 1000000,
    TEXT_BYTES = 64,
};

static const char *const stages[] = {SQ_STAGES};

unsigned sq_dead_letter_reason(int code)
{
    return code <= SQ_E_DECODE && code >= SQ_E_PRODUCE ? (unsigned)(SQ_E_DECODE - code) : 0; /* the error table has the same order */
}

void sq_dead_letters_init(struct sq_dead_letters *letters, const struct sq_config *config)
{
    struct sq_buf text;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    sq_buf_init(&text);
    sq_config_show_json(config, &text);
    for (size_t i = 0; i < text.bytes; i++) hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    sq_buf_deinit(&text);
    *letters = (struct sq_dead_letters){.header_prefix = config->dead_letter.header_prefix, .instance = config->instance};
    snprintf(letters->config_hash, sizeof letters->config_hash, "%016" PRIx64, hash);
}

/* One that was sent back from the dead letters knows how often it was tried. */
static long attempts_before(const struct sq_dead_letters *letters, const struct sq_origin *origin)
{
    char name[SQ_CONFIG_NAME_BYTES + 16], digits[16] = "";
    snprintf(name, sizeof name, "%sattempts", letters->header_prefix);
    for (unsigned i = origin->headers_count; i-- > 0;) {
        const struct sq_header *header = &origin->headers[i];
        if (!sq_str_equal(header->name, sq_str_view(name)) || header->value.bytes >= sizeof digits) continue;
        if (header->value.bytes) memcpy(digits, header->value.data, header->value.bytes);
        break;
    }
    long attempts = strtol(digits, NULL, 10);
    return attempts > 0 && attempts < ATTEMPTS_MAX ? attempts : 0;
}

struct writer {
    const struct sq_dead_letters *letters;
    struct sq_batch *batch;
    struct sq_header *headers;
    unsigned count;
    bool has_failed;
};

static void add(struct writer *writer, const char *name, struct sq_str value)
{
    char full[SQ_CONFIG_NAME_BYTES + 32];
    struct sq_header *header = &writer->headers[writer->count++];
    snprintf(full, sizeof full, "%s%s", writer->letters->header_prefix, name);
    writer->has_failed |= !sq_batch_copy(writer->batch, sq_str_view(full), &header->name);
    writer->has_failed |= !sq_batch_copy(writer->batch, value, &header->value);
}

static void add_number(struct writer *writer, const char *name, int64_t number)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%" PRId64, number);
    add(writer, name, sq_str_view(text));
}

static void add_all(struct writer *writer, const struct sq_origin *origin, enum sq_stage_name stage, int code, const char *message)
{
    add(writer, "topic", sq_str_view(origin->topic));
    add_number(writer, "partition", origin->partition);
    add_number(writer, "offset", origin->offset);
    add_number(writer, "timestamp", origin->timestamp_ms);
    if (origin->key.data) add(writer, "key", origin->key);
    add(writer, "stage", sq_str_view(stages[stage]));
    add(writer, "reason", sq_str_view(sq_err_word(code)));
    add(writer, "message", sq_str_view(message));
    add(writer, "host", sq_str_view(writer->letters->instance));
    add(writer, "version", sq_str_view(SQUALL_VERSION));
    add(writer, "config.hash", sq_str_view(writer->letters->config_hash));
    add_number(writer, "attempts", attempts_before(writer->letters, origin) + 1);
}

int sq_dead_letter_fill(const struct sq_dead_letters *letters, struct sq_batch *batch, struct sq_output *output,
                        const struct sq_origin *origin, enum sq_stage_name stage, int code, const char *message, int64_t now_ms,
                        struct sq_err *err)
{
    char key[512];
    struct sq_header *headers = sq_batch_alloc(batch, (origin->headers_count + HEADERS_ADDED) * sizeof *headers);
    if (!headers) return sq_err_set(err, SQ_E_NOMEM, "no memory for a dead letter");
    if (origin->headers_count) memcpy(headers, origin->headers, origin->headers_count * sizeof *headers);
    struct writer writer = {letters, batch, headers, origin->headers_count, false};
    add_all(&writer, origin, stage, code, message);
    snprintf(key, sizeof key, "%s/%" PRId32 "/%" PRId64, origin->topic, origin->partition, origin->offset);
    output->topic = SQ_TOPIC_DLQ;
    output->partition = -1;
    output->value = origin->value;
    output->headers = headers;
    output->headers_count = writer.count;
    output->timestamp_ms = origin->timestamp_ms > 0 && origin->timestamp_ms <= now_ms + AHEAD_MS_MAX ? origin->timestamp_ms : 0;
    if (!sq_batch_copy(batch, sq_str_view(key), &output->key) || writer.has_failed)
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a dead letter");
    sq_batch_account(batch, output);
    return 0;
}
