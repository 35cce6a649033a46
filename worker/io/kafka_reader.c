/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "worker/io/kafka_conf.h"

enum { ANSWER_MS = 10000, POLL_MS = 200, SILENCE_MS_MAX = 30000 };

struct reader {
    rd_kafka_t *client;
    const char *topic;
    rd_kafka_topic_partition_list_t *parts; /* owned: where each partition starts */
    int64_t *ends;                          /* owned: by partition; what stands from here on came later */
    int open_count;                         /* partitions with something left to read */
    sq_reader_fn each;
    void *ctx;
};

static void reader_deinit(struct reader *reader)
{
    if (reader->parts) rd_kafka_topic_partition_list_destroy(reader->parts);
    free(reader->ends);
    if (!reader->client) return;
    rd_kafka_consumer_close(reader->client);
    rd_kafka_destroy(reader->client);
}

static int open_client(struct reader *reader, const struct sq_config *config, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_consumer(&conf, config, SQ_STAGE_SCORE, err);
    if (status) return status;
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    rd_kafka_conf_set_events(conf, 0); /* polled as messages */
    status = sq_kafka_open(&reader->client, RD_KAFKA_CONSUMER, conf, err);
    if (status == 0) rd_kafka_poll_set_consumer(reader->client);
    return status;
}

static int count_partitions(struct reader *reader, int *count, struct sq_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->client, reader->topic, NULL);
    rd_kafka_resp_err_t error = topic ? rd_kafka_metadata(reader->client, 0, topic, &metadata, ANSWER_MS) : rd_kafka_last_error();
    if (topic) rd_kafka_topic_destroy(topic);
    if (error) return sq_err_set(err, SQ_E_BROKER, "%s: %s", reader->topic, rd_kafka_err2str(error));
    *count = metadata->topic_cnt == 1 && !metadata->topics[0].err ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return *count > 0 ? 0 : sq_err_set(err, SQ_E_BROKER, "there is no topic %s", reader->topic);
}

/* Where to start and where to end, of every partition. Empty ones are left out. */
static int plan(struct reader *reader, int count, int64_t since_ms, struct sq_err *err)
{
    reader->ends = calloc((size_t)count, sizeof *reader->ends);
    reader->parts = rd_kafka_topic_partition_list_new(count);
    if (!reader->ends) return sq_err_set(err, SQ_E_NOMEM, "no memory for %d partitions", count);
    for (int p = 0; p < count; p++) rd_kafka_topic_partition_list_add(reader->parts, reader->topic, p)->offset = since_ms;
    rd_kafka_resp_err_t error = since_ms > 0 ? rd_kafka_offsets_for_times(reader->client, reader->parts, ANSWER_MS) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = reader->parts->cnt; !error && i-- > 0;) {
        rd_kafka_topic_partition_t *part = &reader->parts->elems[i];
        int64_t low;
        error = rd_kafka_query_watermark_offsets(reader->client, reader->topic, part->partition, &low, &reader->ends[part->partition], ANSWER_MS);
        if (since_ms <= 0 || (part->offset >= 0 && part->offset < low)) part->offset = low;
        bool is_empty = part->offset < 0 || part->offset >= reader->ends[part->partition]; /* below 0: nothing so new */
        if (!error && is_empty) rd_kafka_topic_partition_list_del_by_idx(reader->parts, i);
    }
    reader->open_count = reader->parts->cnt;
    return error ? sq_err_set(err, SQ_E_BROKER, "%s: %s", reader->topic, rd_kafka_err2str(error)) : 0;
}

static void fill_headers(struct sq_reader_record *record, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *data;
    size_t bytes;
    if (rd_kafka_message_headers(message, &headers)) return;
    while (record->headers_count < SQ_HEADERS_MAX && rd_kafka_header_get_all(headers, record->headers_count, &name, &data, &bytes) == 0)
        record->headers[record->headers_count++] = (struct sq_header){sq_str_view(name), {data, bytes}};
}

static bool give(struct reader *reader, const rd_kafka_message_t *message)
{
    struct sq_reader_record record = {
        .partition = message->partition, .offset = message->offset, .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = {message->key, message->key_len}, .value = {message->payload, message->len},
    };
    fill_headers(&record, message);
    return reader->each(&record, reader->ctx);
}

/* One message or event. Returns whether to go on. */
static bool handle(struct reader *reader, const rd_kafka_message_t *message, struct sq_err *err, int *status)
{
    bool has_place = message->rkt != NULL && message->partition >= 0;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return --reader->open_count > 0;
    if (message->err && !has_place) return true; /* brokers that come and go: silence ends it */
    if (message->err) {
        *status = sq_err_set(err, SQ_E_BROKER, "%s[%" PRId32 "] at offset %" PRId64 ": %s", reader->topic, message->partition, message->offset,
                             rd_kafka_message_errstr(message));
        return false;
    }
    if (message->offset >= reader->ends[message->partition]) return true; /* written since; the end of the partition is still told */
    return give(reader, message);
}

static int read_all(struct reader *reader, struct sq_err *err)
{
    int status = 0;
    bool goes_on = reader->open_count > 0;
    uint64_t heard_ns = sq_clock_monotonic_ns();
    rd_kafka_resp_err_t error = goes_on ? rd_kafka_assign(reader->client, reader->parts) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error) return sq_err_set(err, SQ_E_BROKER, "%s: %s", reader->topic, rd_kafka_err2str(error));
    while (goes_on) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client, POLL_MS);
        if (message) {
            heard_ns = sq_clock_monotonic_ns();
            goes_on = handle(reader, message, err, &status);
            rd_kafka_message_destroy(message);
        } else if (sq_clock_monotonic_ns() - heard_ns > (uint64_t)SILENCE_MS_MAX * 1000000) {
            return sq_err_set(err, SQ_E_BROKER, "%s: nothing for %d s", reader->topic, SILENCE_MS_MAX / 1000);
        }
    }
    return status;
}

int sq_kafka_read_topic(const struct sq_config *config, const char *topic, int64_t since_ms, sq_reader_fn each, void *ctx, struct sq_err *err)
{
    struct reader reader = {.topic = topic, .each = each, .ctx = ctx};
    int count = 0;
    int status = open_client(&reader, config, err);
    if (status == 0) status = count_partitions(&reader, &count, err);
    if (status == 0) status = plan(&reader, count, since_ms, err);
    if (status == 0) status = read_all(&reader, err);
    reader_deinit(&reader);
    return status;
}

/* ---- One record ---- */

struct wanted {
    int64_t offset;
    sq_reader_fn each;
    void *ctx;
    bool is_found;
};

/* Offsets have holes: what comes first may be a later one. */
static bool give_wanted(const struct sq_reader_record *record, void *ctx)
{
    struct wanted *wanted = ctx;
    wanted->is_found = record->offset == wanted->offset;
    if (wanted->is_found) wanted->each(record, wanted->ctx);
    return false;
}

int sq_kafka_read_record(const struct sq_config *config, const char *topic, int32_t partition, int64_t offset, sq_reader_fn each, void *ctx,
                         struct sq_err *err)
{
    struct wanted wanted = {offset, each, ctx, false};
    struct reader reader = {.topic = topic, .each = give_wanted, .ctx = &wanted};
    int count = 0;
    int status = open_client(&reader, config, err);
    if (status == 0) status = count_partitions(&reader, &count, err);
    if (status == 0 && partition < count) status = plan(&reader, count, 0, err);
    if (status == 0 && partition < count) {
        for (int i = reader.parts->cnt; i-- > 0;) {
            if (reader.parts->elems[i].partition == partition) reader.parts->elems[i].offset = offset;
            else rd_kafka_topic_partition_list_del_by_idx(reader.parts, i);
        }
        reader.open_count = offset < reader.ends[partition] ? reader.parts->cnt : 0;
        status = read_all(&reader, err);
    }
    reader_deinit(&reader);
    if (status == 0 && !wanted.is_found)
        status = sq_err_set(err, SQ_E_BROKER, "%s has no record at %" PRId32 ":%" PRId64, topic, partition, offset);
    return status;
}
