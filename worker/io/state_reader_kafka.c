/* SPDX-License-Identifier: Apache-2.0 */
/* The end to read to is the high watermark, asked for with a read_uncommitted client: a read_committed one gives the last stable offset,
 * behind which newer state may lie under an open transaction of anybody. Reading itself is read_committed: it stops at an open transaction
 * and goes on when that is decided. What counts is the position and not the last record, which may be a marker or aborted.
 *
 * The thread hands records over in chunks and waits until the loop has taken a chunk, so memory is bounded. */
#include "worker/io/state_reader_kafka.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/io/kafka_conf.h"
#include "worker/io/kafka_topics.h"
#include "worker/io/log.h"

enum {
    CHUNK_RECORDS = 500,
    POLL_MS = 100,
    WATERMARK_TIMEOUT_MS = 5000,
    RETRY_MS = 500,
    TROUBLE_LOG_MS = 10000,
};

struct request {
    struct request *next;
    int32_t partition;
    void *cookie; /* NULL: cancelled */
};

struct kafka_reader {
    struct sq_state_reader base; /* first */
    const struct sq_config *config;
    struct sq_state_handler handler;
    struct sq_wake *wake;
    char topic[SQ_TOPIC_NAME_BYTES];
    rd_kafka_t *uncommitted, *committed; /* the thread's; NULL: not yet needed */
    struct sq_log_limit limit;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    struct request *first; /* owned; the one being read, then those that wait */
    bool is_closing;
    rd_kafka_message_t *chunk[CHUNK_RECORDS]; /* owned */
    size_t chunk_count;
    int64_t offset, end_offset;
    bool has_chunk, is_done; /* for the loop to take */
};

static struct kafka_reader *kafka_reader(struct sq_state_reader *reader) { return (struct kafka_reader *)reader; }

/* ---- the thread ---- */

static int open_client(const struct kafka_reader *reader, const char *isolation, rd_kafka_t **client, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    int status = sq_kafka_conf_consumer(&conf, reader->config, SQ_STAGE_ALERT, err);
    if (status) return status;
    rd_kafka_conf_set(conf, "isolation.level", isolation, NULL, 0);
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0); /* compaction moves the beginning */
    rd_kafka_conf_set(conf, "group.instance.id", "", NULL, 0);
    rd_kafka_conf_set(conf, "queued.min.messages", "100000", NULL, 0); /* with that many it pauses for a second; the bound in bytes stays */
    rd_kafka_conf_set_events(conf, 0);
    status = sq_kafka_open(client, RD_KAFKA_CONSUMER, conf, err);
    if (status == 0) rd_kafka_poll_set_consumer(*client);
    return status;
}

static int open_clients(struct kafka_reader *reader, struct sq_err *err)
{
    int status = reader->uncommitted ? 0 : open_client(reader, "read_uncommitted", &reader->uncommitted, err);
    if (status == 0 && !reader->committed) status = open_client(reader, "read_committed", &reader->committed, err);
    return status;
}

static bool is_wanted(struct kafka_reader *reader)
{
    pthread_mutex_lock(&reader->mutex);
    bool is_wanted = !reader->is_closing && reader->first->cookie;
    pthread_mutex_unlock(&reader->mutex);
    return is_wanted;
}

static void note_trouble(struct kafka_reader *reader, int32_t partition, const char *why)
{
    if (sq_log_allow(&reader->limit, TROUBLE_LOG_MS, NULL))
        sq_log(SQ_LOG_WARN, SQ_L("waiting for the state"), SQ_LS("topic", reader->topic), SQ_LI("partition", partition), SQ_LS("reason", why));
}

static void rest(void)
{
    const struct timespec time = {.tv_nsec = RETRY_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* False: not wanted any more. */
static bool find_ends(struct kafka_reader *reader, int32_t partition, int64_t *low, int64_t *high)
{
    while (is_wanted(reader)) {
        struct sq_err err;
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__FAIL;
        if (open_clients(reader, &err) == 0) {
            error = rd_kafka_query_watermark_offsets(reader->uncommitted, reader->topic, partition, low, high, WATERMARK_TIMEOUT_MS);
            if (!error) return true;
            sq_err_set(&err, SQ_E_BROKER, "%s", rd_kafka_err2str(error));
        }
        note_trouble(reader, partition, err.message);
        rest();
    }
    return false;
}

/* Gives what was gathered to the loop and waits until it is taken. */
static void hand_over(struct kafka_reader *reader, int64_t offset, int64_t end_offset, bool is_done)
{
    pthread_mutex_lock(&reader->mutex);
    reader->offset = offset;
    reader->end_offset = end_offset;
    reader->is_done = is_done;
    reader->has_chunk = true;
    sq_wake_send(reader->wake);
    while (reader->has_chunk && !reader->is_closing) pthread_cond_wait(&reader->changed, &reader->mutex);
    pthread_mutex_unlock(&reader->mutex);
}

static void assign(struct kafka_reader *reader, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    if (offset >= 0) rd_kafka_topic_partition_list_add(parts, reader->topic, partition)->offset = offset;
    rd_kafka_assign(reader->committed, offset >= 0 ? parts : NULL);
    rd_kafka_topic_partition_list_destroy(parts);
}

/* Takes one message into the chunk; the position after it. */
static int64_t gather(struct kafka_reader *reader, rd_kafka_message_t *message, int32_t partition, int64_t offset)
{
    bool is_ours = message->rkt && message->partition == partition; /* (not one of an assignment before) */
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && is_ours) {
        if (message->offset > offset) offset = message->offset;
    } else if (message->err) {
        note_trouble(reader, partition, rd_kafka_message_errstr(message));
    } else if (is_ours && message->offset >= offset) {
        reader->chunk[reader->chunk_count++] = message;
        return message->offset + 1;
    }
    rd_kafka_message_destroy(message);
    return offset;
}

static void read_partition(struct kafka_reader *reader, int32_t partition)
{
    int64_t offset, end_offset;
    if (!find_ends(reader, partition, &offset, &end_offset)) return;
    assign(reader, partition, offset);
    while (offset < end_offset && is_wanted(reader)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->committed, reader->chunk_count ? 0 : POLL_MS);
        if (message) offset = gather(reader, message, partition, offset);
        if (reader->chunk_count == CHUNK_RECORDS || (!message && reader->chunk_count)) hand_over(reader, offset, end_offset, false);
    }
    assign(reader, partition, -1);
    if (offset >= end_offset) hand_over(reader, offset, end_offset, true);
}

static void drop_chunk(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->chunk_count; i++) rd_kafka_message_destroy(reader->chunk[i]);
    reader->chunk_count = 0;
}

/* Called with the mutex, which is let go meanwhile. */
static void answer_first(struct kafka_reader *reader)
{
    struct request *request = reader->first;
    pthread_mutex_unlock(&reader->mutex);
    if (is_wanted(reader)) read_partition(reader, request->partition);
    pthread_mutex_lock(&reader->mutex);
    drop_chunk(reader);
    reader->has_chunk = false;
    reader->first = request->next;
    free(request);
}

static void *run(void *ctx)
{
    struct kafka_reader *reader = ctx;
    pthread_mutex_lock(&reader->mutex);
    while (!reader->is_closing) {
        while (reader->first && !reader->is_closing) answer_first(reader);
        pthread_mutex_unlock(&reader->mutex);
        malloc_trim(0); /* some ten MiB went through the client's queue: glibc would keep them for the next time */
        pthread_mutex_lock(&reader->mutex);
        while (!reader->first && !reader->is_closing) pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    pthread_mutex_unlock(&reader->mutex);
    return NULL;
}

/* ---- the loop ---- */

static void give_records(struct kafka_reader *reader, void *cookie)
{
    for (size_t i = 0; i < reader->chunk_count; i++) {
        const rd_kafka_message_t *message = reader->chunk[i];
        reader->handler.record(cookie, (struct sq_str){message->key, message->key_len}, (struct sq_str){message->payload, message->len},
                               reader->handler.ctx);
    }
    reader->handler.progress(cookie, reader->offset, reader->end_offset, reader->handler.ctx);
}

static void on_wake(void *ctx)
{
    struct kafka_reader *reader = ctx;
    pthread_mutex_lock(&reader->mutex);
    bool has_chunk = reader->has_chunk, is_done = reader->is_done;
    void *cookie = has_chunk ? reader->first->cookie : NULL;
    pthread_mutex_unlock(&reader->mutex);
    if (!has_chunk) return;
    if (cookie) give_records(reader, cookie); /* the thread waits, so the chunk is ours */
    pthread_mutex_lock(&reader->mutex);
    drop_chunk(reader);
    if (is_done) reader->first->cookie = NULL; /* it has heard all */
    reader->has_chunk = false;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    if (cookie && is_done) reader->handler.done(cookie, reader->handler.ctx);
}

static void reader_start(struct sq_state_reader *base, const struct sq_state_handler *handler) { kafka_reader(base)->handler = *handler; }

static int reader_read(struct sq_state_reader *base, int32_t partition, void *cookie, struct sq_err *err)
{
    struct kafka_reader *reader = kafka_reader(base);
    struct request *request = calloc(1, sizeof *request);
    if (!request) return sq_err_set(err, SQ_E_NOMEM, "no memory to ask for the state");
    *request = (struct request){.partition = partition, .cookie = cookie};
    pthread_mutex_lock(&reader->mutex);
    struct request **link = &reader->first;
    while (*link) link = &(*link)->next;
    *link = request;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    return 0;
}

static void reader_cancel(struct sq_state_reader *base, void *cookie)
{
    struct kafka_reader *reader = kafka_reader(base);
    pthread_mutex_lock(&reader->mutex);
    for (struct request *request = reader->first; request; request = request->next)
        if (request->cookie == cookie) request->cookie = NULL;
    pthread_mutex_unlock(&reader->mutex);
}

static void reader_close(struct sq_state_reader *base)
{
    struct kafka_reader *reader = kafka_reader(base);
    pthread_mutex_lock(&reader->mutex);
    reader->is_closing = true;
    pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    if (reader->has_thread) pthread_join(reader->thread, NULL);
    while (reader->first) {
        struct request *next = reader->first->next;
        free(reader->first);
        reader->first = next;
    }
    drop_chunk(reader);
    if (reader->committed) rd_kafka_destroy_flags(reader->committed, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (reader->uncommitted) rd_kafka_destroy_flags(reader->uncommitted, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    sq_wake_close(reader->wake);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
    free(reader);
}

/* Signals are the loop's. */
static int start_thread(struct kafka_reader *reader, struct sq_err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&reader->thread, NULL, run, reader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    reader->has_thread = status == 0;
    return status ? sq_err_set(err, SQ_E_FAILED, "can't start a thread to read the state") : 0;
}

int sq_state_reader_kafka_open(struct sq_state_reader **out, struct sq_loop *loop, const struct sq_config *config, struct sq_err *err)
{
    static const struct sq_state_reader_ops ops = {reader_start, reader_read, reader_cancel, reader_close};
    *out = NULL;
    struct kafka_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return sq_err_set(err, SQ_E_NOMEM, "no memory for a reader of the state");
    reader->base.ops = &ops;
    reader->config = config;
    sq_kafka_topic_name(reader->topic, sizeof reader->topic, config, SQ_TOPIC_STATE);
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_cond_init(&reader->changed, NULL);
    int status = sq_wake_open(&reader->wake, loop, on_wake, reader, err);
    if (status == 0) status = start_thread(reader, err);
    if (status) reader_close(&reader->base);
    else *out = &reader->base;
    return status;
}
