/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/base/metrics.h"
#include "worker/io/source_kafka_parts.h"

enum { RECORDS_PER_TURN = 500 };

static void fill_headers(struct sq_delivery_record *out, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char *name;
    const void *value;
    size_t bytes;
    while (out->headers_count < SQ_HEADERS_MAX &&
           rd_kafka_header_get_all(headers, out->headers_count, &name, &value, &bytes) == RD_KAFKA_RESP_ERR_NO_ERROR)
        out->headers[out->headers_count++] = (struct sq_header){sq_str_view(name), {value, bytes}};
}

static bool find_header(const char *name, struct sq_str *value, void *ctx)
{
    const struct sq_delivery_record *record = ctx;
    for (unsigned i = record->headers_count; i-- > 0;)
        if (record->headers[i].value.data && sq_str_equal(record->headers[i].name, sq_str_view(name))) {
            *value = record->headers[i].value;
            return true;
        }
    return false;
}

static void take_record(struct kafka_source *source, struct sq_source_partition *partition, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    struct sq_delivery_record record;
    record.code = 0;
    record.partition = partition;
    record.offset = message->offset;
    record.timestamp_ms = rd_kafka_message_timestamp(message, &type);
    record.is_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_ms = -1;
    record.headers_count = 0;
    fill_headers(&record, message);
    record.record = (struct sq_record){.key = {message->key, message->key_len}, .value = {message->payload, message->len},
                                       .header = find_header, .header_ctx = &record};
    sq_metric_add(SQ_M_RECORDS_CONSUMED, source->stage, 1);
    sq_metric_add(SQ_M_CONSUMED_BYTES, source->stage, message->key_len + message->len);
    struct kafka_partition *taken = (struct kafka_partition *)partition;
    taken->position = message->offset + 1;
    taken->is_reset_due = false;
    taken->restart_at_ns = 0;
    source->handler.take(&record, source->handler.ctx);
}

static void fail_for_reset(struct kafka_source *source, const rd_kafka_message_t *message)
{
    struct sq_err err;
    char group[SQ_CONFIG_NAME_BYTES + 16];
    sq_kafka_group_name(group, sizeof group, source->config, source->stage);
    sq_err_set(&err, SQ_E_KAFKA_FATAL, "%s[%d]: the offset of group %s is no longer in the log, so records were deleted before they were read: "
               "set the group's offset to where it should go on, and start again", message->rkt ? rd_kafka_topic_name(message->rkt) : "?",
               (int)message->partition, group);
    sq_source_kafka_fail(source, &err);
}

/* partition NULL: not ours. */
static void on_message_error(struct kafka_source *source, struct sq_source_partition *partition, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        if (!partition || !sq_source_kafka_unreset(source, partition, message->offset)) fail_for_reset(source, message);
        return;
    }
    sq_kafka_error_note(source->stage, message->err, rd_kafka_message_errstr(message));
    if (partition && sq_source_kafka_is_unreadable(message)) sq_source_kafka_unreadable(source, partition, message);
}

static void reached_end(struct kafka_source *source, struct sq_source_partition *partition, int64_t offset)
{
    ((struct kafka_partition *)partition)->restart_at_ns = 0;
    source->handler.end(partition, offset, source->handler.ctx);
}

static void on_message(struct kafka_source *source, const rd_kafka_message_t *message)
{
    struct sq_source_partition *partition =
        message->rkt ? sq_source_kafka_find(source, rd_kafka_topic_name(message->rkt), message->partition) : NULL;
    if (partition && partition->is_revoking) return;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (partition) reached_end(source, partition, message->offset);
    } else if (message->err) {
        on_message_error(source, partition, message);
    } else if (partition) {
        take_record(source, partition, message);
    }
}

/* Records belong into the work queue, but librdkafka is known to let some slip; they must not get lost. */
void sq_source_kafka_leak(struct kafka_source *source, rd_kafka_event_t *event)
{
    if (source->leaked_count < SQ_SOURCE_LEAKED_MAX) {
        source->leaked[source->leaked_count++] = event;
        return;
    }
    struct sq_err err;
    rd_kafka_event_destroy(event);
    sq_err_set(&err, SQ_E_STATE, "records came through the wrong queue");
    sq_source_kafka_fail(source, &err);
}

static bool has_room(struct kafka_source *source)
{
    if (source->is_leaving) return false;
    source->is_starved = !source->handler.has_room(source->handler.ctx);
    return !source->is_starved;
}

static void take_leaked(struct kafka_source *source)
{
    size_t taken = 0;
    for (; taken < source->leaked_count; taken++) {
        const rd_kafka_message_t *message = NULL;
        while (has_room(source) && (message = rd_kafka_event_message_next(source->leaked[taken]))) on_message(source, message);
        if (message || !has_room(source)) break;
        rd_kafka_event_destroy(source->leaked[taken]);
    }
    source->leaked_count -= taken;
    memmove(source->leaked, source->leaked + taken, source->leaked_count * sizeof *source->leaked);
}

void sq_source_kafka_take(struct kafka_source *source)
{
    if (source->leaked_count) take_leaked(source);
    for (int n = 0; has_room(source); n++) {
        if (n == RECORDS_PER_TURN) {
            sq_source_kafka_wake(source);
            return;
        }
        rd_kafka_message_t *message = rd_kafka_consume_queue(source->work_queue, 0);
        if (!message) return;
        on_message(source, message);
        rd_kafka_message_destroy(message); /* at once: it pins its whole fetch buffer */
    }
}
