/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_plain.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

enum { METADATA_MS = 10000 };

struct setting {
    const char *name, *value;
};

static int open_client(rd_kafka_t **client, rd_kafka_type_t type, const char *brokers, const struct setting *settings, rd_kafka_conf_t *conf,
                       struct sq_err *err)
{
    char reason[256] = "";
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof reason);
    for (; settings->name && result == RD_KAFKA_CONF_OK; settings++)
        result = rd_kafka_conf_set(conf, settings->name, settings->value, reason, sizeof reason);
    *client = result == RD_KAFKA_CONF_OK ? rd_kafka_new(type, conf, reason, sizeof reason) : NULL;
    if (*client) return 0;
    rd_kafka_conf_destroy(conf);
    return sq_err_set(err, SQ_E_FAILED, "kafka client: %s", reason);
}

struct sq_plain_producer {
    rd_kafka_t *client;
    sq_plain_delivered_fn delivered;
    void *ctx;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct sq_plain_producer *producer = opaque;
    int64_t offset = message->err ? -1 : message->offset;
    producer->delivered(message->partition, offset, message->err ? rd_kafka_err2str(message->err) : NULL, producer->ctx);
}

int sq_plain_producer_open(struct sq_plain_producer **out, const char *brokers, sq_plain_delivered_fn delivered, void *ctx,
                           struct sq_err *err)
{
    static const struct setting settings[] = {{"acks", "all"}, {"linger.ms", "5"}, {"message.timeout.ms", "30000"}, {"log_level", "0"}, {0}};
    *out = NULL;
    struct sq_plain_producer *producer = calloc(1, sizeof *producer);
    if (!producer) return sq_err_set(err, SQ_E_NOMEM, "no memory for a producer");
    *producer = (struct sq_plain_producer){.delivered = delivered, .ctx = ctx};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, producer);
    int status = open_client(&producer->client, RD_KAFKA_PRODUCER, brokers, settings, conf, err);
    if (status == 0) *out = producer;
    else free(producer);
    return status;
}

void sq_plain_producer_close(struct sq_plain_producer *producer)
{
    if (!producer) return;
    rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer->client);
    free(producer);
}

int sq_plain_producer_send(struct sq_plain_producer *producer, const char *topic, int32_t partition, struct sq_str key, struct sq_str value,
                           int64_t timestamp_ms, struct sq_err *err)
{
    const rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.bytes}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *problem = rd_kafka_produceva(producer->client, fields, sizeof fields / sizeof *fields);
    if (!problem) return 0;
    rd_kafka_resp_err_t error = rd_kafka_error_code(problem);
    rd_kafka_error_destroy(problem);
    int code = error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? SQ_E_FULL : SQ_E_FAILED;
    return sq_err_set(err, code, "can't produce to %s: %s", topic, rd_kafka_err2str(error));
}

unsigned sq_plain_producer_poll(struct sq_plain_producer *producer, int wait_ms)
{
    rd_kafka_poll(producer->client, wait_ms);
    return (unsigned)rd_kafka_outq_len(producer->client);
}

struct sq_plain_reader {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topics[SQ_PLAIN_TOPICS_MAX];
    int partitions[SQ_PLAIN_TOPICS_MAX]; /* being read */
    unsigned topics_count;
};

static int count_partitions(struct sq_plain_reader *reader, unsigned topic, int *count, struct sq_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(reader->client, 0, reader->topics[topic], &metadata, METADATA_MS);
    const char *name = rd_kafka_topic_name(reader->topics[topic]);
    if (error) return sq_err_set(err, SQ_E_BROKER, "no metadata of %s: %s", name, rd_kafka_err2str(error));
    *count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return *count > 0 ? 0 : sq_err_set(err, SQ_E_BROKER, "there is no topic %s", name);
}

static int start_topic(struct sq_plain_reader *reader, const char *name, struct sq_err *err)
{
    unsigned topic = reader->topics_count;
    reader->topics[topic] = rd_kafka_topic_new(reader->client, name, NULL);
    if (!reader->topics[topic]) return sq_err_set(err, SQ_E_FAILED, "can't read %s", name);
    reader->topics_count++;
    int count = 0;
    int status = count_partitions(reader, topic, &count, err);
    for (; status == 0 && reader->partitions[topic] < count; reader->partitions[topic]++)
        if (rd_kafka_consume_start_queue(reader->topics[topic], reader->partitions[topic], RD_KAFKA_OFFSET_BEGINNING, reader->queue))
            return sq_err_set(err, SQ_E_FAILED, "can't read %s[%d]", name, reader->partitions[topic]);
    return status;
}

int sq_plain_reader_open(struct sq_plain_reader **out, const char *brokers, const char *const *topics, unsigned topics_count,
                         struct sq_err *err)
{
    static const struct setting settings[] = {{"auto.offset.reset", "earliest"}, {"fetch.wait.max.ms", "100"}, {"log_level", "0"}, {0}};
    *out = NULL;
    struct sq_plain_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return sq_err_set(err, SQ_E_NOMEM, "no memory for a reader");
    int status = open_client(&reader->client, RD_KAFKA_CONSUMER, brokers, settings, rd_kafka_conf_new(), err);
    if (status != 0) {
        free(reader);
        return status;
    }
    reader->queue = rd_kafka_queue_new(reader->client);
    for (unsigned i = 0; status == 0 && i < topics_count && i < SQ_PLAIN_TOPICS_MAX; i++) status = start_topic(reader, topics[i], err);
    if (status == 0) *out = reader;
    else sq_plain_reader_close(reader);
    return status;
}

void sq_plain_reader_close(struct sq_plain_reader *reader)
{
    if (!reader) return;
    for (unsigned i = 0; i < reader->topics_count; i++) {
        for (int p = 0; p < reader->partitions[i]; p++) rd_kafka_consume_stop(reader->topics[i], p);
        rd_kafka_topic_destroy(reader->topics[i]);
    }
    rd_kafka_queue_destroy(reader->queue);
    rd_kafka_destroy(reader->client);
    free(reader);
}

static void give(const struct sq_plain_reader *reader, const rd_kafka_message_t *message, sq_plain_record_fn each, void *ctx)
{
    struct sq_plain_record record = {
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
    };
    while (record.topic < reader->topics_count && reader->topics[record.topic] != message->rkt) record.topic++;
    if (record.topic < reader->topics_count) each(&record, ctx);
}

unsigned sq_plain_reader_poll(struct sq_plain_reader *reader, int wait_ms, unsigned limit, sq_plain_record_fn each, void *ctx)
{
    unsigned count = 0;
    rd_kafka_poll(reader->client, 0);
    while (count < limit) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(reader->queue, count ? 0 : wait_ms);
        if (!message) break;
        if (!message->err) give(reader, message, each, ctx); /* others tell of brokers that come and go, or of a partition's end */
        rd_kafka_message_destroy(message);
        count++;
    }
    return count;
}
