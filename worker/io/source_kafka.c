/* SPDX-License-Identifier: Apache-2.0 */
/* What it promises: the handler sees each owned partition's records once and in order from start_offset on, between `assigned` and `gone`;
 * nothing is taken while the handler has no room; the group is served in any case. */
#include "worker/io/source_kafka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "worker/io/kafka_membership.h"
#include "worker/io/kafka_topics.h"
#include "worker/io/source_kafka_parts.h"

enum { NET_INTERVAL_MS = 100 }; /* in case a wake-up was missed */

static struct kafka_source *kafka_source(struct sq_source *source) { return (struct kafka_source *)source; }
rd_kafka_t *sq_source_kafka_client(struct sq_source *source) { return kafka_source(source)->rk; }
struct sq_kafka_offsets *sq_source_kafka_offsets_of(struct sq_source *source) { return &kafka_source(source)->offsets; }

void sq_source_kafka_wake(struct kafka_source *source)
{
    ssize_t bytes = write(source->pipe[1], "1", 1); /* a full pipe wakes as well */
    (void)bytes;
}

void sq_source_kafka_fail(struct kafka_source *source, const struct sq_err *err)
{
    if (source->has_failed) return;
    source->has_failed = true;
    source->handler.failed(err, source->handler.ctx);
}

/* ---- events ---- */

static void on_error(struct kafka_source *source, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    sq_kafka_error_note(source->stage, error, rd_kafka_event_error_string(event));
    if (!rd_kafka_event_error_is_fatal(event) && sq_kafka_error_class(error) != SQ_CLASS_FATAL) return;
    struct sq_err err;
    sq_err_set(&err, SQ_E_KAFKA_FATAL, "the consumer can't go on: %s", rd_kafka_event_error_string(event));
    sq_source_kafka_fail(source, &err);
}

void sq_source_kafka_membership(struct kafka_source *source)
{
    if (source->config->delivery == SQ_DELIVERY_EXACTLY_ONCE) sq_kafka_membership_read(source->rk, &source->membership);
}

static void serve_events(struct kafka_source *source)
{
    rd_kafka_event_t *event;
    bool has_served = false;
    while ((event = rd_kafka_queue_poll(source->main_queue, 0))) {
        bool is_kept = false;
        has_served = true;
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_REBALANCE: sq_source_kafka_rebalance(source, event); break;
        case RD_KAFKA_EVENT_ERROR: on_error(source, event); break;
        case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT: sq_source_kafka_offsets(source, event); break;
        case RD_KAFKA_EVENT_FETCH:
            sq_source_kafka_leak(source, event);
            is_kept = true;
            break;
        default: break;
        }
        if (!is_kept) rd_kafka_event_destroy(event);
    }
    if (has_served) sq_source_kafka_membership(source);
}

static void serve(struct kafka_source *source)
{
    serve_events(source);
    if (source->is_leaving && !source->is_closed && rd_kafka_consumer_closed(source->rk)) {
        source->is_closed = true;
        source->handler.closed(source->handler.ctx);
        return; /* the handler may have closed us */
    }
    sq_source_kafka_take(source);
}

static void on_readable(void *ctx)
{
    struct kafka_source *source = ctx;
    char bytes[256];
    while (read(source->pipe[0], bytes, sizeof bytes) > 0) {}
    if (source->is_started) serve(source);
}

static void on_net(void *ctx)
{
    struct kafka_source *source = ctx;
    if (!source->is_started) return;
    if (source->assigning && source->lookup_at_ns && sq_clock_monotonic_ns() >= source->lookup_at_ns) sq_source_kafka_lookup(source);
    sq_source_kafka_restart_silent(source);
    serve_events(source);
    sq_source_kafka_membership(source); /* a generation may pass without an event */
    serve(source);
}

/* ---- operations ---- */

static int subscribe(struct kafka_source *source, struct sq_err *err)
{
    const struct sq_config *config = source->config;
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)config->input.topics_count);
    if (source->stage == SQ_STAGE_ALERT) {
        char scores[SQ_CONFIG_NAME_BYTES + 16];
        snprintf(scores, sizeof scores, "%s.scores", config->app);
        rd_kafka_topic_partition_list_add(topics, scores, RD_KAFKA_PARTITION_UA);
    } else {
        for (unsigned i = 0; i < config->input.topics_count; i++)
            rd_kafka_topic_partition_list_add(topics, config->input.topics[i], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t error = rd_kafka_subscribe(source->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error) return sq_err_set(err, SQ_E_KAFKA_FATAL, "can't subscribe: %s", rd_kafka_err2str(error));
    return 0;
}

static int source_start(struct sq_source *base, const struct sq_source_handler *handler, struct sq_err *err)
{
    struct kafka_source *source = kafka_source(base);
    source->handler = *handler;
    int status = subscribe(source, err);
    if (status == 0) source->is_started = true;
    return status;
}

static void source_pull(struct sq_source *base)
{
    struct kafka_source *source = kafka_source(base);
    if (!source->is_starved) return;
    source->is_starved = false;
    sq_source_kafka_wake(source);
}

static void source_release(struct sq_source *base) { sq_source_kafka_release(kafka_source(base)); }

static void source_unpark(struct sq_source *base, struct sq_source_partition *partition, int64_t start_offset)
{
    sq_source_kafka_unpark(kafka_source(base), partition, start_offset);
}

static void source_leave(struct sq_source *base)
{
    struct kafka_source *source = kafka_source(base);
    if (source->is_leaving) return;
    source->is_leaving = true;
    if (!source->is_started) {
        source->is_started = true; /* never subscribed: closing is all that is left */
    } else if (source->assigning) {
        sq_source_kafka_answer(source, true, source->assigning); /* an open question would block the close; it comes back as a REVOKE */
        sq_source_kafka_list_free(&source->assigning);
    }
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(source->rk, source->main_queue);
    if (error) rd_kafka_error_destroy(error); /* closing already */
    sq_source_kafka_wake(source);
}

static bool source_watermarks(struct sq_source *base, const struct sq_source_partition *partition, int64_t *low, int64_t *high)
{
    struct kafka_source *source = kafka_source(base);
    return rd_kafka_get_watermark_offsets(source->rk, partition->topic, partition->partition, low, high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           *high >= 0;
}

static void source_membership(struct sq_source *base, struct sq_membership *membership) { *membership = kafka_source(base)->membership; }

static void queue_close(rd_kafka_queue_t *queue)
{
    if (!queue) return;
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
    rd_kafka_queue_destroy(queue);
}

static void source_close(struct sq_source *base)
{
    struct kafka_source *source = kafka_source(base);
    sq_watch_close(source->watch);
    sq_timer_close(source->timer);
    for (size_t i = 0; i < source->leaked_count; i++) rd_kafka_event_destroy(source->leaked[i]);
    sq_source_kafka_list_free(&source->assigning);
    sq_source_kafka_list_free(&source->revoking);
    queue_close(source->main_queue);
    queue_close(source->work_queue);
    if (source->rk) rd_kafka_destroy_flags(source->rk, source->is_closed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    for (size_t i = 0; i < source->partitions_count; i++) {
        free((void *)(uintptr_t)source->partitions[i]->topic);
        free(source->partitions[i]);
    }
    free(source->partitions);
    if (source->pipe[0] >= 0) close(source->pipe[0]);
    if (source->pipe[1] >= 0) close(source->pipe[1]);
    free(source);
}

static const struct sq_source_ops ops = {source_start, source_pull,       source_release,    source_unpark,
                                         source_leave, source_watermarks, source_membership, source_close};

static int open_client(struct kafka_source *source, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_consumer(&conf, source->config, source->stage, err);
    if (status == 0) status = sq_kafka_open(&source->rk, RD_KAFKA_CONSUMER, conf, err);
    source->offsets.client = source->rk;
    if (status) return status;
    rd_kafka_poll_set_consumer(source->rk);
    source->main_queue = rd_kafka_queue_get_consumer(source->rk);
    source->work_queue = rd_kafka_queue_new(source->rk);
    rd_kafka_queue_io_event_enable(source->main_queue, source->pipe[1], "1", 1);
    rd_kafka_queue_io_event_enable(source->work_queue, source->pipe[1], "1", 1);
    return 0;
}

int sq_source_kafka_open(struct sq_source **out, struct sq_loop *loop, const struct sq_config *config, enum sq_stage_name stage,
                         struct sq_err *err)
{
    *out = NULL;
    struct kafka_source *source = calloc(1, sizeof *source);
    if (!source) return sq_err_set(err, SQ_E_NOMEM, "no memory for a source");
    *source = (struct kafka_source){.base = {&ops}, .stage = stage, .config = config, .pipe = {-1, -1}, .membership = {.generation = -1}};
    int status = stage == SQ_STAGE_SCORE ? sq_kafka_topics_check_input(config, err) : 0;
    if (status == 0 && pipe2(source->pipe, O_NONBLOCK | O_CLOEXEC)) status = sq_err_set(err, SQ_E_IO, "can't make a pipe: %s", strerror(errno));
    if (status == 0) status = open_client(source, err);
    if (status == 0) status = sq_watch_open(&source->watch, loop, source->pipe[0], on_readable, source, err);
    if (status == 0) status = sq_timer_open(&source->timer, loop, NET_INTERVAL_MS, on_net, source, err);
    if (status) source_close(&source->base);
    else *out = &source->base;
    return status;
}
