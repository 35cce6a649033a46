/* SPDX-License-Identifier: Apache-2.0 */
/* What it promises: the handler sees each owned partition's records once and in order from start_offset on, between `assigned` and `gone`;
 * nothing is taken while the handler has no room; the group is served in any case.
 *
 * An assignment is answered in two steps. The ASSIGN event is kept while the group's committed offsets are looked up (a request with its
 * answer on the main queue, 1 to 60 ms; asked again until it is certain, as an open transaction may hide them). Only then the partitions
 * are assigned, each with an explicit start, so that "no offset yet" is our decision and never a silent reset.
 *
 * A revocation is answered late, too: the handler is told, finishes what it has in flight, and calls release. librdkafka waits, and the
 * group with it. A partition that was lost meanwhile is given up at once. */
#include "worker/io/source_kafka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/kafka_topics.h"
#include "worker/io/log.h"

enum {
    RECORDS_PER_TURN = 500,
    NET_INTERVAL_MS = 100,       /* in case a wake-up was missed */
    LOOKUP_TIMEOUT_MS = 10000,
    LOOKUP_RETRY_MS = 300,
    LEAKED_MAX = 16,
};

struct kafka_source {
    struct sq_source base; /* first */
    enum sq_stage_name stage;
    const struct sq_config *config;
    struct sq_source_handler handler;
    rd_kafka_t *rk;
    rd_kafka_queue_t *main_queue, *work_queue;
    int pipe[2];
    struct sq_watch *watch;
    struct sq_timer *timer;
    struct sq_source_partition **partitions; /* owned, in no order */
    size_t partitions_count, partitions_capacity;
    struct sq_source_partition *last_found;  /* records come in runs */
    rd_kafka_topic_partition_list_t *assigning; /* ASSIGN not yet answered */
    uint64_t lookup_at_ns;                      /* when to ask again; 0: an answer is awaited */
    rd_kafka_topic_partition_list_t *revoking;  /* REVOKE not yet answered */
    rd_kafka_event_t *leaked[LEAKED_MAX];       /* records that came by the main queue while there was no room */
    size_t leaked_count;
    bool is_started, is_leaving, is_closed, is_starved, has_failed;
};

static const char *const stages[] = {SQ_STAGES};
static _Atomic uint64_t epochs;

static struct kafka_source *kafka_source(struct sq_source *source) { return (struct kafka_source *)source; }
rd_kafka_t *sq_source_kafka_client(struct sq_source *source) { return kafka_source(source)->rk; }

static void wake(struct kafka_source *source)
{
    ssize_t bytes = write(source->pipe[1], "1", 1); /* a full pipe wakes as well */
    (void)bytes;
}

static void fail(struct kafka_source *source, const struct sq_err *err)
{
    if (source->has_failed) return;
    source->has_failed = true;
    source->handler.failed(err, source->handler.ctx);
}

/* ---- partitions ---- */

static struct sq_source_partition *find(struct kafka_source *source, const char *topic, int32_t number)
{
    struct sq_source_partition *partition = source->last_found;
    if (partition && partition->partition == number && strcmp(partition->topic, topic) == 0) return partition;
    for (size_t i = 0; i < source->partitions_count; i++) {
        partition = source->partitions[i];
        if (partition->partition == number && strcmp(partition->topic, topic) == 0) return source->last_found = partition;
    }
    return NULL;
}

static struct sq_source_partition *add(struct kafka_source *source, const char *topic, int32_t number, int64_t committed_offset)
{
    if (source->partitions_count == source->partitions_capacity) {
        size_t capacity = source->partitions_capacity ? source->partitions_capacity * 2 : 16;
        struct sq_source_partition **grown = realloc(source->partitions, capacity * sizeof *grown);
        if (!grown) return NULL;
        source->partitions = grown;
        source->partitions_capacity = capacity;
    }
    struct sq_source_partition *partition = calloc(1, sizeof *partition);
    char *name = strdup(topic);
    if (!partition || !name) {
        free(partition);
        free(name);
        return NULL;
    }
    bool is_first = committed_offset < 0;
    bool from_end = source->stage == SQ_STAGE_SCORE && source->config->input.start == SQ_START_LATEST;
    *partition = (struct sq_source_partition){
        .topic = name,
        .partition = number,
        .epoch = atomic_fetch_add(&epochs, 1) + 1,
        .committed_offset = is_first ? -1 : committed_offset,
        .start_offset = !is_first ? committed_offset : from_end ? SQ_OFFSET_END : SQ_OFFSET_BEGINNING,
    };
    return source->partitions[source->partitions_count++] = partition;
}

static void drop(struct kafka_source *source, const char *topic, int32_t number, bool is_lost)
{
    struct sq_source_partition *partition = find(source, topic, number);
    if (!partition) return; /* assigned, but never told to the handler */
    source->handler.gone(partition, is_lost, source->handler.ctx);
    for (size_t i = 0; i < source->partitions_count; i++)
        if (source->partitions[i] == partition) source->partitions[i] = source->partitions[--source->partitions_count];
    source->last_found = NULL;
    free((void *)(uintptr_t)partition->topic);
    free(partition);
}

static void forward(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts, rd_kafka_queue_t *to)
{
    for (int i = 0; i < parts->cnt; i++) {
        rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(source->rk, parts->elems[i].topic, parts->elems[i].partition);
        if (!queue) continue;
        rd_kafka_queue_forward(queue, to);
        rd_kafka_queue_destroy(queue);
    }
}

/* Eager assignors hand over everything at once, cooperative ones what changed. */
static void answer(struct kafka_source *source, bool is_assign, const rd_kafka_topic_partition_list_t *parts)
{
    struct sq_err err;
    if (strcmp(rd_kafka_rebalance_protocol(source->rk), "COOPERATIVE") == 0) {
        rd_kafka_error_t *error = is_assign ? rd_kafka_incremental_assign(source->rk, parts)
                                            : rd_kafka_incremental_unassign(source->rk, parts);
        if (!error) return;
        sq_err_set(&err, SQ_E_KAFKA_FATAL, "can't change the assignment: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    } else {
        rd_kafka_resp_err_t error = rd_kafka_assign(source->rk, is_assign ? parts : NULL);
        if (!error) return;
        sq_err_set(&err, SQ_E_KAFKA_FATAL, "can't change the assignment: %s", rd_kafka_err2str(error));
    }
    fail(source, &err);
}

static void list_free(rd_kafka_topic_partition_list_t **list)
{
    if (*list) rd_kafka_topic_partition_list_destroy(*list);
    *list = NULL;
}

/* ---- assignment ---- */

/* Asks the group's coordinator for the committed offsets of `assigning`; the answer comes as an event. */
static void lookup(struct kafka_source *source)
{
    char group[SQ_CONFIG_NAME_BYTES + 16], why[128];
    sq_kafka_group_name(group, sizeof group, source->config, source->stage);
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, source->assigning);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(source->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, LOOKUP_TIMEOUT_MS, why, sizeof why);
    rd_kafka_error_t *error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    if (error) rd_kafka_error_destroy(error); /* a library that can't: nothing here writes in transactions yet */
    source->lookup_at_ns = 0;
    rd_kafka_ListConsumerGroupOffsets(source->rk, &request, 1, options, source->main_queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
}

static void lookup_later(struct kafka_source *source, rd_kafka_resp_err_t error, const char *reason)
{
    sq_kafka_error_note(source->stage, error, reason);
    source->lookup_at_ns = sq_clock_monotonic_ns() + LOOKUP_RETRY_MS * UINT64_C(1000000);
}

static void assign(struct kafka_source *source, const rd_kafka_topic_partition_list_t *committed)
{
    rd_kafka_topic_partition_list_t *parts = source->assigning;
    source->assigning = NULL;
    for (int i = 0; i < parts->cnt; i++) {
        rd_kafka_topic_partition_t *part = &parts->elems[i];
        const rd_kafka_topic_partition_t *known = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)(uintptr_t)committed, part->topic, part->partition);
        struct sq_source_partition *partition = add(source, part->topic, part->partition, known ? known->offset : -1);
        if (!partition) {
            struct sq_err err;
            sq_err_set(&err, SQ_E_NOMEM, "no memory for a partition");
            fail(source, &err);
            break;
        }
        source->handler.assigned(partition, source->handler.ctx);
        part->offset = partition->start_offset == SQ_OFFSET_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING
                       : partition->start_offset == SQ_OFFSET_END     ? RD_KAFKA_OFFSET_END
                                                                      : partition->start_offset;
    }
    forward(source, parts, source->work_queue); /* before and after: else the first records leak into the main queue */
    answer(source, true, parts);
    forward(source, parts, source->work_queue);
    source->handler.assignment((unsigned)parts->cnt, source->handler.ctx);
    rd_kafka_topic_partition_list_destroy(parts);
}

static void on_assign(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts)
{
    sq_metric_add(SQ_M_REBALANCES, 0, 1);
    list_free(&source->assigning);
    if (source->is_leaving || parts->cnt == 0) {
        answer(source, true, parts);
        if (!source->is_leaving) source->handler.assignment(0, source->handler.ctx);
        return;
    }
    source->assigning = rd_kafka_topic_partition_list_copy(parts);
    lookup(source);
}

static void on_offsets(struct kafka_source *source, rd_kafka_event_t *event)
{
    if (!source->assigning) return; /* revoked meanwhile */
    if (rd_kafka_event_error(event)) {
        lookup_later(source, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
        return;
    }
    size_t groups_count = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &groups_count);
    const rd_kafka_error_t *error = groups_count ? rd_kafka_group_result_error(groups[0]) : NULL;
    if (!groups_count || error) {
        lookup_later(source, error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR__FAIL, error ? rd_kafka_error_string(error) : NULL);
        return;
    }
    const rd_kafka_topic_partition_list_t *committed = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; i < committed->cnt; i++)
        if (committed->elems[i].err) { /* unstable while a transaction is open, among others */
            lookup_later(source, committed->elems[i].err, NULL);
            return;
        }
    for (int i = 0; i < source->assigning->cnt; i++)
        if (!rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)committed, source->assigning->elems[i].topic,
                                                source->assigning->elems[i].partition)) {
            lookup_later(source, RD_KAFKA_RESP_ERR__PARTIAL, "an answer without all partitions"); /* (an old one) */
            return;
        }
    assign(source, committed);
}

/* ---- revocation ---- */

static void on_revoke(struct kafka_source *source, const rd_kafka_topic_partition_list_t *parts)
{
    bool is_lost = rd_kafka_assignment_lost(source->rk);
    bool has_told = false;
    sq_metric_add(SQ_M_REBALANCES, is_lost ? 2 : 1, 1);
    list_free(&source->assigning);
    list_free(&source->revoking);
    sq_log(is_lost ? SQ_LOG_WARN : SQ_LOG_INFO, SQ_L(is_lost ? "partitions lost" : "partitions revoked"),
           SQ_LS("stage", stages[source->stage]), SQ_LI("count", parts->cnt));
    source->revoking = rd_kafka_topic_partition_list_copy(parts);
    if (is_lost) {
        for (int i = 0; i < parts->cnt; i++) drop(source, parts->elems[i].topic, parts->elems[i].partition, true);
    } else {
        for (int i = 0; i < parts->cnt; i++) {
            struct sq_source_partition *partition = find(source, parts->elems[i].topic, parts->elems[i].partition);
            if (partition) has_told = partition->is_revoking = true;
        }
    }
    if (has_told) source->handler.revoking(source->handler.ctx);
    else source->base.ops->release(&source->base);
}

static void source_release(struct sq_source *base)
{
    struct kafka_source *source = kafka_source(base);
    rd_kafka_topic_partition_list_t *parts = source->revoking;
    if (!parts) return;
    source->revoking = NULL;
    for (int i = 0; i < parts->cnt; i++) drop(source, parts->elems[i].topic, parts->elems[i].partition, false);
    answer(source, false, parts);
    rd_kafka_topic_partition_list_destroy(parts);
}

/* ---- records ---- */

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
    source->handler.take(&record, source->handler.ctx);
}

static void on_message_error(struct kafka_source *source, const rd_kafka_message_t *message)
{
    sq_kafka_error_note(source->stage, message->err, rd_kafka_message_errstr(message));
    if (message->err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) return;
    struct sq_err err;
    char group[SQ_CONFIG_NAME_BYTES + 16];
    sq_kafka_group_name(group, sizeof group, source->config, source->stage);
    sq_err_set(&err, SQ_E_KAFKA_FATAL, "%s[%d]: the offset of group %s is no longer in the log, so records were deleted before they were read: "
               "set the group's offset to where it should go on, and start again", message->rkt ? rd_kafka_topic_name(message->rkt) : "?",
               (int)message->partition, group);
    fail(source, &err);
}

static void on_message(struct kafka_source *source, const rd_kafka_message_t *message)
{
    struct sq_source_partition *partition =
        message->rkt ? find(source, rd_kafka_topic_name(message->rkt), message->partition) : NULL;
    if (partition && partition->is_revoking) return;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (partition) source->handler.end(partition, message->offset, source->handler.ctx);
    } else if (message->err) {
        on_message_error(source, message);
    } else if (partition) {
        take_record(source, partition, message);
    }
}

/* Records belong into the work queue, but librdkafka is known to let some slip; they must not get lost. */
static void on_leak(struct kafka_source *source, rd_kafka_event_t *event)
{
    if (source->leaked_count < LEAKED_MAX) {
        source->leaked[source->leaked_count++] = event;
        return;
    }
    struct sq_err err;
    rd_kafka_event_destroy(event);
    sq_err_set(&err, SQ_E_STATE, "records came through the wrong queue");
    fail(source, &err);
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

static void take_records(struct kafka_source *source)
{
    if (source->leaked_count) take_leaked(source);
    for (int n = 0; has_room(source); n++) {
        if (n == RECORDS_PER_TURN) {
            wake(source);
            return;
        }
        rd_kafka_message_t *message = rd_kafka_consume_queue(source->work_queue, 0);
        if (!message) return;
        on_message(source, message);
        rd_kafka_message_destroy(message); /* at once: it pins its whole fetch buffer */
    }
}

/* ---- events ---- */

static void on_error(struct kafka_source *source, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    sq_kafka_error_note(source->stage, error, rd_kafka_event_error_string(event));
    if (!rd_kafka_event_error_is_fatal(event) && sq_kafka_error_class(error) != SQ_CLASS_FATAL) return;
    struct sq_err err;
    sq_err_set(&err, SQ_E_KAFKA_FATAL, "the consumer can't go on: %s", rd_kafka_event_error_string(event));
    fail(source, &err);
}

static void on_rebalance(struct kafka_source *source, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *parts = rd_kafka_event_topic_partition_list(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) on_assign(source, parts);
    else if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) on_revoke(source, parts);
    else {
        sq_kafka_error_note(source->stage, rd_kafka_event_error(event), "rebalance");
        rd_kafka_assign(source->rk, NULL);
    }
}

static void serve_events(struct kafka_source *source)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(source->main_queue, 0))) {
        bool is_kept = false;
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_REBALANCE: on_rebalance(source, event); break;
        case RD_KAFKA_EVENT_ERROR: on_error(source, event); break;
        case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT: on_offsets(source, event); break;
        case RD_KAFKA_EVENT_FETCH:
            on_leak(source, event);
            is_kept = true;
            break;
        default: break;
        }
        if (!is_kept) rd_kafka_event_destroy(event);
    }
}

static void serve(struct kafka_source *source)
{
    serve_events(source);
    if (source->is_leaving && !source->is_closed && rd_kafka_consumer_closed(source->rk)) {
        source->is_closed = true;
        source->handler.closed(source->handler.ctx);
        return; /* the handler may have closed us */
    }
    take_records(source);
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
    if (source->assigning && source->lookup_at_ns && sq_clock_monotonic_ns() >= source->lookup_at_ns) lookup(source);
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
    wake(source);
}

static void source_leave(struct sq_source *base)
{
    struct kafka_source *source = kafka_source(base);
    if (source->is_leaving) return;
    source->is_leaving = true;
    if (!source->is_started) {
        source->is_started = true; /* never subscribed: closing is all that is left */
    } else if (source->assigning) {
        answer(source, true, source->assigning); /* an open question would block the close; it comes back as a REVOKE */
        list_free(&source->assigning);
    }
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(source->rk, source->main_queue);
    if (error) rd_kafka_error_destroy(error); /* closing already */
    wake(source);
}

static bool source_watermarks(struct sq_source *base, const struct sq_source_partition *partition, int64_t *low, int64_t *high)
{
    struct kafka_source *source = kafka_source(base);
    return rd_kafka_get_watermark_offsets(source->rk, partition->topic, partition->partition, low, high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           *high >= 0;
}

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
    list_free(&source->assigning);
    list_free(&source->revoking);
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

static const struct sq_source_ops ops = {source_start, source_pull, source_release, source_leave, source_watermarks, source_close};

static int open_client(struct kafka_source *source, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_consumer(&conf, source->config, source->stage, err);
    if (status == 0) status = sq_kafka_open(&source->rk, RD_KAFKA_CONSUMER, conf, err);
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
    *source = (struct kafka_source){.base = {&ops}, .stage = stage, .config = config, .pipe = {-1, -1}};
    int status = stage == SQ_STAGE_SCORE ? sq_kafka_topics_check_input(config, err) : 0;
    if (status == 0 && pipe2(source->pipe, O_NONBLOCK | O_CLOEXEC)) status = sq_err_set(err, SQ_E_IO, "can't make a pipe: %s", strerror(errno));
    if (status == 0) status = open_client(source, err);
    if (status == 0) status = sq_watch_open(&source->watch, loop, source->pipe[0], on_readable, source, err);
    if (status == 0) status = sq_timer_open(&source->timer, loop, NET_INTERVAL_MS, on_net, source, err);
    if (status) source_close(&source->base);
    else *out = &source->base;
    return status;
}
