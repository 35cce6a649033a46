/* SPDX-License-Identifier: Apache-2.0 */
/* What it promises: commit returns 0 only when every output of the batch was acknowledged by all in-sync replicas; offsets are committed
 * after that and never before. An output that was acknowledged is never sent again, whatever the rest of the batch needs.
 *
 * A broker refuses a whole request for one bad record in it. So what is refused is sent once more, alone; only what is refused alone is
 * reported as refused for good. */
#include "worker/io/sink_kafka.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "engine/base/murmur2.h"
#include "worker/io/kafka_topics.h"
#include "worker/io/log.h"
#include "worker/io/source_kafka.h"

enum {
    POLL_SLICE_MS = 50,
    OFFSETS_TIMEOUT_MS = 15000,
};

struct kafka_sink {
    struct sq_sink base; /* first */
    enum sq_stage_name stage;
    const struct sq_config *config;
    rd_kafka_t *rk;       /* the producer */
    rd_kafka_t *consumer; /* the source's */
    rd_kafka_topic_t *topics[SQ_TOPIC_COUNT];
    int32_t partitions[SQ_TOPIC_COUNT];
    size_t unanswered;    /* messages without a delivery report */
    _Atomic bool is_interrupted;
};

static struct kafka_sink *kafka_sink(struct sq_sink *sink) { return (struct kafka_sink *)sink; }

static int status_of(rd_kafka_resp_err_t error)
{
    if (!error) return 0;
    return sq_kafka_error_class(error) == SQ_CLASS_POISON ? SQ_E_PRODUCE : SQ_E_TIMEOUT;
}

/* On the committer, from rd_kafka_poll. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    struct kafka_sink *sink = opaque;
    struct sq_output *output = message->_private;
    sink->unanswered--;
    output->status = status_of(message->err);
    if (message->err) sq_kafka_error_note(sink->stage, message->err, NULL);
    else sq_metric_add(SQ_M_RECORDS_PRODUCED, output->topic, 1);
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
static rd_kafka_resp_err_t produce(struct kafka_sink *sink, struct sq_output *output)
{
    int32_t partition = output->partition >= 0 ? output->partition : sq_partition_of(output->key, sink->partitions[output->topic]);
    rd_kafka_headers_t *headers = headers_of(output);
    const rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = sink->topics[output->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)output->key.data, output->key.bytes}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)output->value.data, output->value.bytes}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = output->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = output},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    enum { ALL = sizeof arguments / sizeof *arguments };
    rd_kafka_error_t *error = rd_kafka_produceva(sink->rk, arguments, headers ? ALL : ALL - 1);
    if (!error) {
        sink->unanswered++;
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers) rd_kafka_headers_destroy(headers);
    return code;
}

/* Every message gets its report: message.timeout.ms bounds the wait, an interruption shortens it. */
static void wait_all(struct kafka_sink *sink)
{
    bool is_purged = false;
    while (sink->unanswered) {
        rd_kafka_poll(sink->rk, POLL_SLICE_MS);
        if (!sink->is_interrupted || is_purged) continue;
        rd_kafka_purge(sink->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        is_purged = true;
    }
}

static void send_output(struct kafka_sink *sink, struct sq_output *output)
{
    rd_kafka_resp_err_t error;
    while ((error = produce(sink, output)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !sink->is_interrupted) rd_kafka_poll(sink->rk, POLL_SLICE_MS);
    if (!error) return;
    sq_kafka_error_note(sink->stage, error, NULL);
    output->status = status_of(error);
}

static int produce_all(struct kafka_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    for (size_t i = 0; i < batch->outputs_count; i++)
        if (batch->outputs[i].status) send_output(sink, &batch->outputs[i]);
    wait_all(sink);
    for (size_t i = 0; i < batch->outputs_count; i++)
        if (batch->outputs[i].status == SQ_E_PRODUCE) {
            send_output(sink, &batch->outputs[i]);
            wait_all(sink);
        }
    size_t refused = 0, waiting = 0;
    for (size_t i = 0; i < batch->outputs_count; i++) {
        refused += batch->outputs[i].status == SQ_E_PRODUCE;
        waiting += batch->outputs[i].status && batch->outputs[i].status != SQ_E_PRODUCE;
    }
    char why[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(sink->rk, why, sizeof why);
    if (fatal) return sq_err_set(err, SQ_E_KAFKA_FATAL, "the producer can't go on: %s", why);
    if (sink->is_interrupted && waiting) return sq_err_set(err, SQ_E_CLOSED, "interrupted");
    if (waiting) return sq_err_set(err, SQ_E_TIMEOUT, "%zu of %zu outputs are not acknowledged", waiting, batch->outputs_count);
    if (refused) return sq_err_set(err, SQ_E_PRODUCE, "the broker refused %zu of %zu outputs", refused, batch->outputs_count);
    return 0;
}

/* The group moved on: these offsets are another member's to commit, or ours again later. The outputs are safe either way. */
static bool has_moved_on(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

static int offsets_result(struct kafka_sink *sink, struct sq_batch *batch, rd_kafka_resp_err_t error, struct sq_err *err)
{
    if (!error || error == RD_KAFKA_RESP_ERR__NO_OFFSET) {
        batch->offsets_are_committed = true;
        return 0;
    }
    sq_kafka_error_note(sink->stage, error, "offset commit");
    if (has_moved_on(error)) return 0;
    int code = sq_kafka_error_class(error) == SQ_CLASS_FATAL ? SQ_E_KAFKA_FATAL : SQ_E_TIMEOUT;
    return sq_err_set(err, code, "offsets are not committed: %s", rd_kafka_err2str(error));
}

static rd_kafka_resp_err_t first_error(rd_kafka_event_t *event)
{
    if (rd_kafka_event_error(event)) return rd_kafka_event_error(event);
    const rd_kafka_topic_partition_list_t *parts = rd_kafka_event_topic_partition_list(event);
    for (int i = 0; parts && i < parts->cnt; i++)
        if (parts->elems[i].err) return parts->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int commit_offsets(struct kafka_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)batch->offsets_count);
    for (size_t i = 0; i < batch->offsets_count; i++)
        rd_kafka_topic_partition_list_add(parts, batch->offsets[i].topic, batch->offsets[i].partition)->offset = batch->offsets[i].next_offset;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(sink->consumer); /* of this call alone, so that a late answer can't be taken for another's */
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(sink->consumer, parts, queue, NULL, NULL);
    rd_kafka_event_t *event = NULL;
    if (!error) {
        error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        for (int waited_ms = 0; !event && waited_ms < OFFSETS_TIMEOUT_MS && !sink->is_interrupted; waited_ms += POLL_SLICE_MS)
            event = rd_kafka_queue_poll(queue, POLL_SLICE_MS);
        if (event) error = first_error(event);
    }
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(parts);
    return offsets_result(sink, batch, error, err);
}

static int sink_commit(struct sq_sink *base, struct sq_batch *batch, struct sq_err *err)
{
    struct kafka_sink *sink = kafka_sink(base);
    int status = produce_all(sink, batch, err);
    if (status == 0 && batch->offsets_count) status = commit_offsets(sink, batch, err);
    return status;
}

static int sink_prepare(struct sq_sink *base, struct sq_err *err)
{
    struct kafka_sink *sink = kafka_sink(base);
    rd_kafka_poll(sink->rk, 0);
    int status = sq_kafka_topics_prepare(sink->rk, sink->config, &sink->is_interrupted, sink->partitions, err);
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT && status == 0; topic++) {
        char name[SQ_TOPIC_NAME_BYTES];
        sq_kafka_topic_name(name, sizeof name, sink->config, topic);
        if (!sink->topics[topic]) sink->topics[topic] = rd_kafka_topic_new(sink->rk, name, NULL);
        if (!sink->topics[topic]) status = sq_err_set(err, SQ_E_KAFKA_FATAL, "topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    }
    return status;
}

static void sink_interrupt(struct sq_sink *base) { kafka_sink(base)->is_interrupted = true; }

static void sink_close(struct sq_sink *base)
{
    struct kafka_sink *sink = kafka_sink(base);
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++)
        if (sink->topics[topic]) rd_kafka_topic_destroy(sink->topics[topic]);
    if (sink->rk) rd_kafka_destroy(sink->rk);
    free(sink);
}

static const struct sq_sink_ops ops = {sink_prepare, sink_commit, sink_interrupt, sink_close};

int sq_sink_kafka_open(struct sq_sink **out, const struct sq_config *config, enum sq_stage_name stage, struct sq_source *source,
                       struct sq_err *err)
{
    *out = NULL;
    struct kafka_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return sq_err_set(err, SQ_E_NOMEM, "no memory for a sink");
    *sink = (struct kafka_sink){.base = {&ops}, .stage = stage, .config = config, .consumer = sq_source_kafka_client(source)};
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_producer(&conf, config, stage, err);
    if (status == 0) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, sink);
        status = sq_kafka_open(&sink->rk, RD_KAFKA_PRODUCER, conf, err);
    }
    if (status) sink_close(&sink->base);
    else *out = &sink->base;
    return status;
}
