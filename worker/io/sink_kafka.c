/* SPDX-License-Identifier: Apache-2.0 */
/* What it promises: commit returns 0 only when every output of the batch was acknowledged by all in-sync replicas; offsets are committed
 * after that and never before. An output that was acknowledged is never sent again, whatever the rest of the batch needs.
 *
 * A broker refuses a whole request for one bad record in it. So what is refused is sent once more, alone; only what is refused alone is
 * reported as refused for good. */
#include "worker/io/sink_kafka.h"

#include <stdlib.h>

#include "worker/io/kafka_producer.h"
#include "worker/io/source_kafka.h"

enum {
    POLL_SLICE_MS = 50,
    OFFSETS_TIMEOUT_MS = 15000,
};

struct kafka_sink {
    struct sq_sink base; /* first */
    struct sq_kafka_producer producer;
    rd_kafka_t *consumer; /* the source's */
    _Atomic bool is_interrupted;
};

static struct kafka_sink *kafka_sink(struct sq_sink *sink) { return (struct kafka_sink *)sink; }

static int produce_all(struct kafka_sink *sink, struct sq_batch *batch, struct sq_err *err)
{
    for (size_t i = 0; i < batch->outputs_count; i++)
        if (batch->outputs[i].status) sq_kafka_producer_send(&sink->producer, &batch->outputs[i]);
    sq_kafka_producer_wait(&sink->producer);
    for (size_t i = 0; i < batch->outputs_count; i++)
        if (batch->outputs[i].status == SQ_E_PRODUCE) {
            sq_kafka_producer_send(&sink->producer, &batch->outputs[i]);
            sq_kafka_producer_wait(&sink->producer);
        }
    size_t refused = sq_batch_count(batch, SQ_E_PRODUCE), waiting = sq_batch_count(batch, SQ_E_TIMEOUT);
    char why[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(sink->producer.rk, why, sizeof why);
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
    sq_kafka_error_note(sink->producer.stage, error, "offset commit");
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
    rd_kafka_topic_partition_list_t *parts = sq_kafka_conf_offsets(batch, "");
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

static int sink_prepare(struct sq_sink *base, struct sq_err *err) { return sq_kafka_producer_prepare(&kafka_sink(base)->producer, err); }
static void sink_interrupt(struct sq_sink *base) { kafka_sink(base)->is_interrupted = true; }

static void sink_close(struct sq_sink *base)
{
    sq_kafka_producer_close(&kafka_sink(base)->producer);
    free(base);
}

static const struct sq_sink_ops ops = {sink_prepare, sink_commit, sink_interrupt, sink_close};

int sq_sink_kafka_open(struct sq_sink **out, const struct sq_config *config, enum sq_stage_name stage, struct sq_source *source,
                       struct sq_err *err)
{
    *out = NULL;
    struct kafka_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return sq_err_set(err, SQ_E_NOMEM, "no memory for a sink");
    *sink = (struct kafka_sink){.base = {&ops}, .consumer = sq_source_kafka_client(source)};
    sink->producer = (struct sq_kafka_producer){.stage = stage, .config = config, .is_interrupted = &sink->is_interrupted};
    int status = sq_kafka_producer_open(&sink->producer, err);
    if (status) sink_close(&sink->base);
    else *out = &sink->base;
    return status;
}
