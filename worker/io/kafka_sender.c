/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_sender.h"

#include <stdlib.h>

#include "worker/io/kafka_conf.h"

enum { POLL_MS = 100, FINISH_MS = 60000 };

struct sq_sender {
    rd_kafka_t *client;
    unsigned failed_count;
    rd_kafka_resp_err_t last_error;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct sq_sender *sender = opaque;
    (void)client;
    if (!message->err) return;
    sender->failed_count++;
    sender->last_error = message->err;
}

int sq_sender_open(struct sq_sender **out, const struct sq_config *config, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    *out = NULL;
    int status = sq_kafka_conf_sender(&conf, config, err);
    if (status) return status;
    struct sq_sender *sender = calloc(1, sizeof *sender);
    if (!sender) {
        rd_kafka_conf_destroy(conf);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a producer");
    }
    rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
    rd_kafka_conf_set_events(conf, 0);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, sender);
    status = sq_kafka_open(&sender->client, RD_KAFKA_PRODUCER, conf, err);
    if (status == 0) *out = sender;
    else free(sender);
    return status;
}

void sq_sender_close(struct sq_sender *sender)
{
    if (!sender) return;
    rd_kafka_purge(sender->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(sender->client);
    free(sender);
}

static rd_kafka_headers_t *headers_of(const struct sq_sender_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->headers_count);
    for (unsigned i = 0; i < record->headers_count; i++) {
        const struct sq_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.bytes, header->value.data, (ssize_t)header->value.bytes);
    }
    return headers;
}

int sq_sender_send(struct sq_sender *sender, const struct sq_sender_record *record, struct sq_err *err)
{
    rd_kafka_headers_t *headers = headers_of(record);
    const rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = record->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)record->key.data, record->key.bytes}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)record->value.data, record->value.bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    for (;;) {
        rd_kafka_error_t *problem = rd_kafka_produceva(sender->client, fields, sizeof fields / sizeof *fields);
        if (!problem) break; /* the headers are the client's now */
        rd_kafka_resp_err_t error = rd_kafka_error_code(problem);
        rd_kafka_error_destroy(problem);
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_headers_destroy(headers);
            return sq_err_set(err, SQ_E_PRODUCE, "%s: %s", record->topic, rd_kafka_err2str(error));
        }
        rd_kafka_poll(sender->client, POLL_MS);
    }
    rd_kafka_poll(sender->client, 0);
    return 0;
}

int sq_sender_finish(struct sq_sender *sender, struct sq_err *err)
{
    rd_kafka_resp_err_t error = rd_kafka_flush(sender->client, FINISH_MS);
    if (error) return sq_err_set(err, SQ_E_PRODUCE, "%d records are not acknowledged: %s", rd_kafka_outq_len(sender->client), rd_kafka_err2str(error));
    if (sender->failed_count == 0) return 0;
    return sq_err_set(err, SQ_E_PRODUCE, "%u records were refused: %s", sender->failed_count, rd_kafka_err2str(sender->last_error));
}
