/* SPDX-License-Identifier: Apache-2.0 */
/* Each partition has a queue of its own, and of each the next record is held. The oldest of these goes out, and only when every partition that may
 * still have an older one has shown its next. So the sequence is that of the log, whatever the fetches' timing. */
#include "worker/io/kafka_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/clock.h"
#include "worker/io/kafka_conf.h"

enum {
    ANSWER_MS = 10000,
    UNKNOWN_MS_MAX = 3000, /* a topic that was made just now; nobody should wait long to hear of a wrong name */
    POLL_MS = 200,
    SILENCE_MS_MAX = 30000,
};

struct part {
    int32_t number;
    int64_t from, to;          /* to: what stands from here on is not wanted */
    rd_kafka_queue_t *queue;   /* owned; NULL: not read */
    rd_kafka_message_t *next;  /* owned; NULL: not here yet, or none */
    bool is_over;              /* nothing more will come */
    bool is_at_end;            /* while following: nothing is there now */
};

struct reader {
    rd_kafka_t *client;
    const char *brokers, *topic;
    struct part *parts; /* owned */
    int parts_count;
    bool follows;
    rd_kafka_resp_err_t error; /* the latest that a broker gave */
    uint64_t heard_ns;
    uint64_t given;
    sq_reader_fn each;
    void *ctx;
};

static void reader_deinit(struct reader *reader)
{
    for (int i = 0; i < reader->parts_count; i++) {
        if (reader->parts[i].next) rd_kafka_message_destroy(reader->parts[i].next);
        if (reader->parts[i].queue) rd_kafka_queue_destroy(reader->parts[i].queue);
    }
    free(reader->parts);
    if (!reader->client) return;
    rd_kafka_consumer_close(reader->client);
    rd_kafka_destroy(reader->client);
}

/* What a broker says for a moment where a topic was made, or a leader changed, and for how long to ask again. */
static const struct passing_error {
    rd_kafka_resp_err_t error;
    int patience_ms;
} passing_errors[] = {
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, UNKNOWN_MS_MAX},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, UNKNOWN_MS_MAX},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, ANSWER_MS},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ANSWER_MS},
};

static int patience_with(rd_kafka_resp_err_t error)
{
    for (size_t i = 0; i < sizeof passing_errors / sizeof *passing_errors; i++)
        if (passing_errors[i].error == error) return passing_errors[i].patience_ms;
    return 0;
}

static bool has_passed(uint64_t since_ns, int ms) { return sq_clock_monotonic_ns() - since_ns >= (uint64_t)ms * 1000000; }

static int broker_err(struct reader *reader, rd_kafka_resp_err_t error, struct sq_err *err)
{
    reader->error = error;
    return error ? sq_err_set(err, SQ_E_BROKER, "%s: %s", reader->topic, rd_kafka_err2str(error)) : 0;
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

static int find_partitions(struct reader *reader, struct sq_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->client, reader->topic, NULL);
    if (!topic) return broker_err(reader, RD_KAFKA_RESP_ERR__INVALID_ARG, err);
    rd_kafka_resp_err_t error = rd_kafka_metadata(reader->client, 0, topic, &metadata, ANSWER_MS);
    rd_kafka_topic_destroy(topic);
    if (error) return sq_err_set(err, SQ_E_BROKER, "no answer from %s in %d s: %s", reader->brokers, ANSWER_MS / 1000, rd_kafka_err2str(error));
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    int count = error ? 0 : metadata->topics[0].partition_cnt, status = broker_err(reader, error, err);
    rd_kafka_metadata_destroy(metadata);
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return sq_err_set(err, SQ_E_CONFIG, "there is no topic %s: is the name right, or for one of Squall's own `app`? squall run makes these when it starts first",
                          reader->topic);
    if (status) return status;
    reader->parts = calloc((size_t)count, sizeof *reader->parts);
    if (!reader->parts) return sq_err_set(err, SQ_E_NOMEM, "no memory for %d partitions", count);
    reader->parts_count = count;
    for (int i = 0; i < count; i++) reader->parts[i].number = i;
    return 0;
}

/* What the broker says of a time, by partition; NULL without an answer. The caller destroys it. */
static rd_kafka_topic_partition_list_t *ask_for_time(struct reader *reader, const struct sq_kafka_place *place, rd_kafka_resp_err_t *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reader->parts_count);
    for (int i = 0; i < reader->parts_count; i++) rd_kafka_topic_partition_list_add(list, reader->topic, i)->offset = place->value;
    if (place->anchor != SQ_PLACE_TIME) return list;
    *error = rd_kafka_offsets_for_times(reader->client, list, ANSWER_MS);
    for (int i = 0; i < list->cnt && !*error; i++) *error = list->elems[i].err; /* one answer of several is no error of the call's */
    return list;
}

static int plan(struct reader *reader, const struct sq_reader_range *range, struct sq_err *err)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_t *from = ask_for_time(reader, &range->from, &error);
    rd_kafka_topic_partition_list_t *to = error ? NULL : ask_for_time(reader, &range->to, &error);
    for (int i = 0; i < reader->parts_count && !error; i++) {
        struct part *part = &reader->parts[i];
        int64_t low, high;
        error = rd_kafka_query_watermark_offsets(reader->client, reader->topic, i, &low, &high, ANSWER_MS);
        if (error) break;
        part->from = sq_kafka_place_offset(&range->from, low, high, from->elems[i].offset);
        part->to = range->follows ? INT64_MAX : sq_kafka_place_offset(&range->to, low, high, to->elems[i].offset);
        part->is_over = part->from >= part->to;
    }
    rd_kafka_topic_partition_list_destroy(from);
    if (to) rd_kafka_topic_partition_list_destroy(to);
    reader->follows = range->follows;
    return broker_err(reader, error, err);
}

static void rest(void)
{
    const struct timespec time = {.tv_nsec = POLL_MS * 1000000L};
    nanosleep(&time, NULL);
}

/* The partitions and what is wanted of each, asked again for as long as the errors are of the passing kind. */
static int find_range(struct reader *reader, const struct sq_reader_range *range, struct sq_err *err)
{
    uint64_t since_ns = sq_clock_monotonic_ns();
    for (;;) {
        int status = reader->parts ? 0 : find_partitions(reader, err);
        if (status == 0) status = plan(reader, range, err);
        if (status == 0 || has_passed(since_ns, patience_with(reader->error))) return status;
        rest();
    }
}

/* ---- reading ---- */

static int start(struct reader *reader, struct sq_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reader->parts_count);
    for (int i = 0; i < reader->parts_count; i++) {
        struct part *part = &reader->parts[i];
        if (part->is_over) continue;
        rd_kafka_topic_partition_list_add(list, reader->topic, part->number)->offset = part->from;
        part->queue = rd_kafka_queue_get_partition(reader->client, reader->topic, part->number);
        if (part->queue) rd_kafka_queue_forward(part->queue, NULL);
    }
    rd_kafka_resp_err_t error = list->cnt ? rd_kafka_assign(reader->client, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    reader->heard_ns = sq_clock_monotonic_ns();
    return broker_err(reader, error, err);
}

static int refuse(const struct reader *reader, const rd_kafka_message_t *message, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_BROKER, "%s[%" PRId32 "] at offset %" PRId64 ": %s", reader->topic, message->partition, message->offset,
                      rd_kafka_message_errstr(message));
}

/* One message or event of a partition. */
static int hear(struct reader *reader, struct part *part, rd_kafka_message_t *message, struct sq_err *err)
{
    int status = 0;
    bool is_event = message->err != 0, is_passing = !reader->follows && patience_with(message->err) > 0;
    if (is_passing) reader->error = message->err; /* silence ends it */
    else reader->heard_ns = sq_clock_monotonic_ns();
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        part->is_at_end = reader->follows;
        part->is_over = !reader->follows;
    } else if (message->err && !is_passing && message->rkt && message->partition >= 0) {
        status = refuse(reader, message, err);
    } else if (!message->err) {
        part->is_at_end = false;
        part->is_over = message->offset >= part->to; /* offsets have holes */
        if (!part->is_over) part->next = message;
    }
    if (is_event || part->is_over) rd_kafka_message_destroy(message);
    return status;
}

static bool is_awaited(const struct part *part) { return !part->is_over && !part->next && !part->is_at_end; }

/* Looks into the queue of every partition whose next record isn't here. Where all are at their end it waits a while. */
static int look(struct reader *reader, struct sq_err *err)
{
    bool is_idle = true;
    int status = 0;
    for (int i = 0; i < reader->parts_count; i++) is_idle = is_idle && (reader->parts[i].is_over || reader->parts[i].is_at_end);
    for (int i = 0; i < reader->parts_count && status == 0; i++) {
        struct part *part = &reader->parts[i];
        if (part->is_over || part->next) continue;
        int wait_ms = is_awaited(part) ? POLL_MS : is_idle ? POLL_MS / reader->parts_count + 1 : 0;
        rd_kafka_message_t *message = rd_kafka_consume_queue(part->queue, wait_ms);
        if (message) status = hear(reader, part, message, err);
    }
    rd_kafka_message_t *event = rd_kafka_consumer_poll(reader->client, 0); /* brokers that come and go: silence ends it */
    if (event) rd_kafka_message_destroy(event);
    if (status == 0 && has_passed(reader->heard_ns, SILENCE_MS_MAX) && !reader->follows)
        status = sq_err_set(err, SQ_E_BROKER, "%s: nothing for %d s%s%s", reader->topic, SILENCE_MS_MAX / 1000, reader->error ? ": " : "",
                            reader->error ? rd_kafka_err2str(reader->error) : "");
    return status;
}

/* The partition whose record is next; NULL: that can't be told yet, or *is_over. */
static struct part *choose(const struct reader *reader, bool *is_over)
{
    struct part *chosen = NULL;
    *is_over = true;
    for (int i = 0; i < reader->parts_count; i++) {
        struct part *part = &reader->parts[i];
        *is_over = *is_over && part->is_over;
        if (is_awaited(part)) return NULL;
        if (!part->next) continue;
        bool is_older = !chosen || rd_kafka_message_timestamp(part->next, NULL) < rd_kafka_message_timestamp(chosen->next, NULL);
        if (is_older) chosen = part;
    }
    return chosen;
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

static bool give(struct reader *reader, struct part *part)
{
    const rd_kafka_message_t *message = part->next;
    rd_kafka_timestamp_type_t type;
    struct sq_reader_record record = {
        .partition = message->partition, .offset = message->offset, .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .key = {message->key, message->key_len}, .value = {message->payload, message->len},
    };
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_ms = -1;
    record.is_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    fill_headers(&record, message);
    bool goes_on = reader->each(&record, reader->ctx);
    reader->given++;
    part->is_over = message->offset + 1 >= part->to;
    rd_kafka_message_destroy(part->next);
    part->next = NULL;
    return goes_on;
}

static int read_all(struct reader *reader, struct sq_err *err)
{
    bool is_over = false, goes_on = true;
    int status = start(reader, err);
    while (status == 0 && goes_on && !is_over) {
        struct part *part = choose(reader, &is_over);
        if (part) goes_on = give(reader, part);
        else if (!is_over) status = look(reader, err);
    }
    return status;
}

static int open_reader(struct reader *reader, const struct sq_config *config, const struct sq_reader_range *range, struct sq_err *err)
{
    int status = open_client(reader, config, err);
    return status ? status : find_range(reader, range, err);
}

int sq_kafka_read_range(const struct sq_config *config, const char *topic, const struct sq_reader_range *range, sq_reader_fn each, void *ctx,
                        struct sq_err *err)
{
    struct reader reader = {.brokers = config->kafka.brokers, .topic = topic, .each = each, .ctx = ctx};
    int status = open_reader(&reader, config, range, err);
    if (status == 0) status = read_all(&reader, err);
    reader_deinit(&reader);
    return status;
}

int sq_kafka_read_topic(const struct sq_config *config, const char *topic, int64_t since_ms, sq_reader_fn each, void *ctx, struct sq_err *err)
{
    const struct sq_reader_range range = {.from = {since_ms > 0 ? SQ_PLACE_TIME : SQ_PLACE_START, since_ms}, .to = {.anchor = SQ_PLACE_END}};
    return sq_kafka_read_range(config, topic, &range, each, ctx, err);
}

int sq_kafka_read_record(const struct sq_config *config, const char *topic, int32_t partition, int64_t offset, sq_reader_fn each, void *ctx,
                         struct sq_err *err)
{
    const struct sq_reader_range range = {.from = {SQ_PLACE_OFFSET, offset}, .to = {SQ_PLACE_OFFSET, offset + 1}};
    struct reader reader = {.brokers = config->kafka.brokers, .topic = topic, .each = each, .ctx = ctx};
    int status = open_reader(&reader, config, &range, err);
    for (int i = 0; i < reader.parts_count; i++) reader.parts[i].is_over |= i != partition;
    if (status == 0) status = read_all(&reader, err);
    reader_deinit(&reader);
    if (status == 0 && reader.given == 0)
        status = sq_err_set(err, SQ_E_BROKER, "%s has no record at %" PRId32 ":%" PRId64, topic, partition, offset);
    return status;
}
