/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/notify.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/kafka_conf.h"
#include "worker/io/log.h"
#include "worker/io/notify_sender.h"

enum { POLL_MS = 100, ASK_MS = 10000, START_SLACK_MS = 5000 };

struct part {
    int32_t partition;
    int64_t committed_offset; /* below it all was delivered before */
    int64_t next_offset;      /* to be read */
    bool is_fresh;            /* nothing was delivered before */
};

/* One receiver's thread and all it works with. */
struct line {
    const struct sq_config *config;
    const struct sq_receiver *to;
    _Atomic int64_t waiting; /* transitions in the log beyond those delivered */
    struct sq_notify_sender *sender;
    rd_kafka_t *client;
    char topic[SQ_CONFIG_NAME_BYTES + 16];
    struct part *parts; /* of the assignment; owned */
    int parts_count;
    int64_t started_at_ms;
    bool has_pending, is_paused;
    int32_t pending_partition;
    int64_t pending_offset;
    uint64_t next_try_ns;
    atomic_bool stop;
    pthread_t thread;
    bool is_running;
};

struct sq_notify {
    struct line lines[SQ_RECEIVERS_MAX];
    unsigned lines_count;
};

/* ---- The assignment ---- */

/* Where each partition begins: behind what was delivered. Without that (the sink is new) at the log's beginning, from where take() passes
 * over what is older than this worker. */
static void find_starts(struct line *line, rd_kafka_topic_partition_list_t *list)
{
    while (rd_kafka_committed(line->client, list, ASK_MS) && !atomic_load(&line->stop)) {}
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].offset < 0) list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
}

static void pause_all(struct line *line, bool pauses)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    if (line->is_paused == pauses || rd_kafka_assignment(line->client, &list)) return;
    if (pauses) rd_kafka_pause_partitions(line->client, list);
    else rd_kafka_resume_partitions(line->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    line->is_paused = pauses;
}

static void forget(struct line *line)
{
    pause_all(line, false); /* the client would keep a partition paused that comes back */
    free(line->parts);
    line->parts = NULL;
    line->parts_count = 0;
    line->has_pending = line->is_paused = false;
    sq_notify_sender_drop(line->sender);
}

static void assign(struct line *line, rd_kafka_topic_partition_list_t *list)
{
    find_starts(line, list);
    line->parts = calloc((size_t)list->cnt + 1, sizeof *line->parts);
    line->parts_count = line->parts ? list->cnt : 0;
    for (int i = 0; i < line->parts_count; i++) {
        bool is_fresh = list->elems[i].offset < 0;
        int64_t start = is_fresh ? 0 : list->elems[i].offset;
        line->parts[i] = (struct part){list->elems[i].partition, start, start, is_fresh};
        if (line->to->type != SQ_NOTIFY_ALERTMANAGER) continue;
        line->parts[i].next_offset = 0;
        list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING; /* what is still open is told in the log alone */
    }
    rd_kafka_assign(line->client, list);
}

/* Inside rd_kafka_consumer_poll. */
static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t *list, void *ctx)
{
    struct line *line = ctx;
    forget(line);
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) assign(line, list);
    else rd_kafka_assign(client, NULL);
}

static struct part *part_of(struct line *line, int32_t partition)
{
    for (int i = 0; i < line->parts_count; i++)
        if (line->parts[i].partition == partition) return &line->parts[i];
    return NULL;
}

/* Everything that was in the log when the partitions came has been read. */
static bool has_caught_up(const struct line *line)
{
    for (int i = 0; i < line->parts_count; i++)
        if (line->parts[i].next_offset < line->parts[i].committed_offset) return false;
    return true;
}

/* ---- Deliveries ---- */

static void commit(struct line *line, int32_t partition, int64_t next_offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, line->topic, partition)->offset = next_offset;
    rd_kafka_resp_err_t error = rd_kafka_commit(line->client, list, 0);
    if (error) /* delivered again by whoever owns the partition by now, under the same key */
        sq_log(SQ_LOG_WARN, SQ_L("a delivery could not be committed"), SQ_LS("sink", line->to->name), SQ_LS("why", rd_kafka_err2str(error)));
    rd_kafka_topic_partition_list_destroy(list);
}

static void done(struct line *line, int32_t partition, int64_t offset)
{
    struct part *part = part_of(line, partition);
    line->has_pending = false;
    if (part && part->committed_offset <= offset) part->committed_offset = offset + 1;
    commit(line, partition, offset + 1);
    pause_all(line, false);
}

static void try_pending(struct line *line)
{
    int64_t wait_ms;
    enum sq_notify_result result = sq_notify_sender_try(line->sender, sq_clock_wall_ms(), &wait_ms);
    if (result != SQ_NOTIFY_RETRIED) {
        done(line, line->pending_partition, line->pending_offset);
        return;
    }
    line->next_try_ns = sq_clock_monotonic_ns() + (uint64_t)wait_ms * UINT64_C(1000000);
    pause_all(line, true);
}

static void take(struct line *line, const rd_kafka_message_t *message)
{
    struct part *part = part_of(line, message->partition);
    struct sq_str value = {message->payload, message->payload ? message->len : 0};
    int64_t at_ms = rd_kafka_message_timestamp(message, NULL);
    if (!part) return;
    part->next_offset = message->offset + 1;
    if (part->is_fresh && at_ms < line->started_at_ms - START_SLACK_MS && part->committed_offset <= message->offset)
        part->committed_offset = message->offset + 1;
    if (message->offset < part->committed_offset) {
        sq_notify_sender_remember(line->sender, value, at_ms);
        return;
    }
    line->pending_partition = message->partition;
    line->pending_offset = message->offset;
    line->has_pending = sq_notify_sender_take(line->sender, value, at_ms);
    if (line->has_pending) try_pending(line);
    else done(line, message->partition, message->offset);
}

static void take_message(struct line *line, const rd_kafka_message_t *message)
{
    struct part *part = part_of(line, message->partition);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(line, message);
    else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && part && part->next_offset < message->offset) part->next_offset = message->offset;
    else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) sq_kafka_error_note(SQ_STAGE_ALERT, message->err, rd_kafka_message_errstr(message));
}

/* Transitions in the log beyond those delivered, as far as the client knows. */
static void note_queue(struct line *line)
{
    int64_t waiting = 0, low, high;
    for (int i = 0; i < line->parts_count; i++)
        if (rd_kafka_get_watermark_offsets(line->client, line->topic, line->parts[i].partition, &low, &high) == 0 && high > line->parts[i].committed_offset &&
            line->parts[i].committed_offset >= 0)
            waiting += high - line->parts[i].committed_offset;
    atomic_store_explicit(&line->waiting, waiting, memory_order_relaxed);
}

static void *work(void *ctx)
{
    struct line *line = ctx;
    while (!atomic_load(&line->stop)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(line->client, POLL_MS);
        if (message) {
            take_message(line, message);
            rd_kafka_message_destroy(message);
        }
        if (line->has_pending && sq_clock_monotonic_ns() >= line->next_try_ns) try_pending(line);
        if (!line->has_pending && line->parts_count && has_caught_up(line)) sq_notify_sender_refresh(line->sender, sq_clock_wall_ms());
        note_queue(line);
    }
    rd_kafka_consumer_close(line->client);
    return NULL;
}

/* ---- Open and close ---- */

static int open_client(struct line *line, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_notify(&conf, line->config, line->to->name, err);
    if (status) return status;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_opaque(conf, line);
    status = sq_kafka_open(&line->client, RD_KAFKA_CONSUMER, conf, err);
    if (status) return status;
    rd_kafka_poll_set_consumer(line->client);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, line->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(line->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error ? sq_err_set(err, SQ_E_FAILED, "can't read %s: %s", line->topic, rd_kafka_err2str(error)) : 0;
}

static int open_line(struct line *line, const struct sq_config *config, const struct sq_receiver *to, struct sq_err *err)
{
    line->config = config;
    line->to = to;
    line->started_at_ms = sq_clock_wall_ms();
    snprintf(line->topic, sizeof line->topic, "%s.alerts", config->app);
    int status = sq_notify_sender_open(&line->sender, to, &line->stop, err);
    if (status == 0) status = open_client(line, err);
    if (status) return status;
    if (pthread_create(&line->thread, NULL, work, line) != 0) return sq_err_set(err, SQ_E_FAILED, "no thread to deliver alerts");
    line->is_running = true;
    sq_log(SQ_LOG_INFO, SQ_L("alerts are delivered"), SQ_LS("sink", to->name), SQ_LS("from", line->topic));
    return 0;
}

static void close_line(struct line *line)
{
    atomic_store(&line->stop, true);
    if (line->is_running) pthread_join(line->thread, NULL);
    if (line->client) rd_kafka_destroy(line->client);
    sq_notify_sender_close(line->sender);
    free(line->parts);
}

static void collect(struct sq_buf *out, void *ctx)
{
    static const char *const results[] = {"delivered", "retried", "rejected", "skipped"};
    const struct sq_notify *notify = ctx;
    sq_metrics_write_family(out, SQ_MD_ALERT_DELIVERIES);
    for (unsigned i = 0; i < notify->lines_count; i++)
        for (unsigned result = 0; result < SQ_NOTIFY_RESULTS_COUNT; result++) {
            const struct sq_str values[] = {sq_str_view(notify->lines[i].to->name), sq_str_view(results[result])};
            sq_metrics_write_sample(out, SQ_MD_ALERT_DELIVERIES, values, (double)sq_notify_sender_count(notify->lines[i].sender, result));
        }
    sq_metrics_write_family(out, SQ_MD_DELIVERY_QUEUE);
    for (unsigned i = 0; i < notify->lines_count; i++) {
        const struct sq_str name = sq_str_view(notify->lines[i].to->name);
        sq_metrics_write_sample(out, SQ_MD_DELIVERY_QUEUE, &name, (double)atomic_load_explicit(&notify->lines[i].waiting, memory_order_relaxed));
    }
}

int sq_notify_open(struct sq_notify **out, const struct sq_config *config, struct sq_err *err)
{
    *out = NULL;
    struct sq_notify *notify = calloc(1, sizeof *notify);
    if (!notify) return sq_err_set(err, SQ_E_NOMEM, "no memory to deliver alerts");
    int status = 0;
    for (; notify->lines_count < config->notify_count && status == 0; notify->lines_count++)
        status = open_line(&notify->lines[notify->lines_count], config, &config->notify[notify->lines_count], err);
    if (status == 0) status = sq_metrics_collector_add(collect, notify);
    if (status) sq_notify_close(notify);
    else *out = notify;
    return status;
}

void sq_notify_close(struct sq_notify *notify)
{
    if (!notify) return;
    sq_metrics_collector_remove(notify);
    for (unsigned i = 0; i < notify->lines_count; i++) atomic_store(&notify->lines[i].stop, true);
    for (unsigned i = 0; i < notify->lines_count; i++) close_line(&notify->lines[i]);
    free(notify);
}
