/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_producer.h"

#include "engine/base/metrics.h"
#include "engine/base/murmur2.h"
#include "worker/io/kafka_topics.h"

enum { POLL_SLICE_MS = 50 };

static int status_of(rd_kafka_resp_err_t error)
{
    if (!error) return 0;
    return sq_kafka_error_class(error) == SQ_CLASS_POISON ? SQ_E_PRODUCE : SQ_E_TIMEOUT;
}

/* From rd_kafka_poll and its like. What was purged was given up by ourselves. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct sq_kafka_producer *producer = opaque;
    struct sq_output *output = message->_private;
    bool is_purged = message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    producer->unanswered--;
    output->status = status_of(message->err);
    if (!message->err) sq_metric_add(SQ_M_RECORDS_PRODUCED, output->topic, 1);
    else if (!is_purged) sq_kafka_error_note(producer->stage, message->err, NULL);
}

static rd_kafka_headers_t *headers_of(const struct sq_output *output)
{
    if (!output->headers_count) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(output->headers_count);
    for (unsigned i = 0; i < output->headers_count; i++) {
        const struct sq_header *header = &output->headers[i];
        rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.bytes, header->value.data, (ssize_t)header->value.bytes);
    }
    return headers;
}

/* Queues one output. The value is not copied: the batch outlives its delivery report. */
static rd_kafka_resp_err_t produce(struct sq_kafka_producer *producer, struct sq_output *output)
{
    int32_t partition = output->partition >= 0 ? output->partition : sq_partition_of(output->key, producer->partitions[output->topic]);
    rd_kafka_headers_t *headers = headers_of(output);
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topics[output->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)output->key.data, output->key.bytes}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)output->value.data, output->value.bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = output->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = output},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    enum { ALL = sizeof arguments / sizeof *arguments };
    rd_kafka_error_t *error = rd_kafka_produceva(producer->rk, arguments, headers ? ALL : ALL - 1);
    if (!error) {
        producer->unanswered++;
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers) rd_kafka_headers_destroy(headers);
    return code;
}

void sq_kafka_producer_send(struct sq_kafka_producer *producer, struct sq_output *output)
{
    rd_kafka_resp_err_t error;
    while ((error = produce(producer, output)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !*producer->is_interrupted)
        rd_kafka_poll(producer->rk, POLL_SLICE_MS);
    if (!error) return;
    sq_kafka_error_note(producer->stage, error, NULL);
    output->status = status_of(error);
}

static void purge(struct sq_kafka_producer *producer) { rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); }

void sq_kafka_producer_wait(struct sq_kafka_producer *producer)
{
    bool is_purged = false;
    while (producer->unanswered) {
        rd_kafka_poll(producer->rk, POLL_SLICE_MS);
        if (!*producer->is_interrupted || is_purged) continue;
        purge(producer);
        is_purged = true;
    }
}

int sq_kafka_producer_prepare(struct sq_kafka_producer *producer, struct sq_err *err)
{
    rd_kafka_poll(producer->rk, 0);
    int status = sq_kafka_topics_prepare(producer->rk, producer->config, producer->is_interrupted, producer->partitions, err);
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT && status == 0; topic++) {
        char name[SQ_TOPIC_NAME_BYTES];
        if (!producer->partitions[topic]) continue; /* not needed */
        sq_kafka_topic_name(name, sizeof name, producer->config, topic);
        if (!producer->topics[topic]) producer->topics[topic] = rd_kafka_topic_new(producer->rk, name, NULL);
        if (!producer->topics[topic])
            status = sq_err_set(err, SQ_E_KAFKA_FATAL, "topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    }
    return status;
}

int sq_kafka_producer_open(struct sq_kafka_producer *producer, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_producer(&conf, producer->config, producer->stage, err);
    if (status) return status;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, producer);
    return sq_kafka_open(&producer->rk, RD_KAFKA_PRODUCER, conf, err);
}

void sq_kafka_producer_close(struct sq_kafka_producer *producer)
{
    if (!producer->rk) return;
    purge(producer);
    while (producer->unanswered) rd_kafka_poll(producer->rk, POLL_SLICE_MS);
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++) {
        if (producer->topics[topic]) rd_kafka_topic_destroy(producer->topics[topic]);
        producer->topics[topic] = NULL;
    }
    rd_kafka_destroy(producer->rk);
    producer->rk = NULL;
}
