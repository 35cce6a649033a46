/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_probe.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "worker/io/kafka_conf.h"
#include "worker/io/kafka_topics.h"

enum { PARTITIONS_MAX = 64, WATERMARK_TIMEOUT_MS = 5000, POLL_MS = 100 };

struct sq_kafka_probe {
    const struct sq_config *config;
    rd_kafka_t *client;
    const struct rd_kafka_metadata *metadata; /* owned */
    double answer_ms;
};

/* What the client complained about while we waited says more than "timed out". */
static void last_complaint(rd_kafka_t *client, char *out, size_t out_bytes)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(client);
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(queue, 0))) {
        rd_kafka_resp_err_t error = rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (error && error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) snprintf(out, out_bytes, "%s", rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
}

static int ask(struct sq_kafka_probe *probe, int timeout_ms, struct sq_err *err)
{
    uint64_t start_ns = sq_clock_monotonic_ns();
    rd_kafka_resp_err_t error = rd_kafka_metadata(probe->client, 1, NULL, &probe->metadata, timeout_ms);
    probe->answer_ms = (double)(sq_clock_monotonic_ns() - start_ns) / 1e6;
    if (!error) return 0;
    char why[512];
    snprintf(why, sizeof why, "%s", rd_kafka_err2str(error));
    last_complaint(probe->client, why, sizeof why);
    return sq_err_set(err, SQ_E_BROKER, "no answer from %s in %d s: %s", probe->config->kafka.brokers, timeout_ms / 1000, why);
}

int sq_kafka_probe_open(struct sq_kafka_probe **out, const struct sq_config *config, int timeout_ms, struct sq_err *err)
{
    rd_kafka_conf_t *conf;
    *out = NULL;
    int status = sq_kafka_conf_consumer(&conf, config, SQ_STAGE_SCORE, err);
    if (status) return status;
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0); /* complaints go into the error instead */
    struct sq_kafka_probe *probe = calloc(1, sizeof *probe);
    if (!probe) {
        rd_kafka_conf_destroy(conf);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a look at the cluster");
    }
    probe->config = config;
    status = sq_kafka_open(&probe->client, RD_KAFKA_CONSUMER, conf, err);
    if (status == 0) status = ask(probe, timeout_ms, err);
    if (status == 0) *out = probe;
    else sq_kafka_probe_close(probe);
    return status;
}

void sq_kafka_probe_close(struct sq_kafka_probe *probe)
{
    if (!probe) return;
    if (probe->metadata) rd_kafka_metadata_destroy(probe->metadata);
    if (probe->client) rd_kafka_destroy(probe->client);
    free(probe);
}

unsigned sq_kafka_probe_brokers(const struct sq_kafka_probe *probe) { return (unsigned)probe->metadata->broker_cnt; }
double sq_kafka_probe_answer_ms(const struct sq_kafka_probe *probe) { return probe->answer_ms; }

int32_t sq_kafka_probe_partitions(const struct sq_kafka_probe *probe, const char *topic)
{
    for (int i = 0; i < probe->metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *found = &probe->metadata->topics[i];
        if (strcmp(found->topic, topic) == 0) return found->err ? 0 : found->partition_cnt;
    }
    return 0;
}

bool sq_kafka_probe_output_is_used(const struct sq_config *config, enum sq_output_topic topic) { return sq_kafka_topic_is_used(config, topic); }

void sq_kafka_probe_output_name(const struct sq_config *config, enum sq_output_topic topic, char *name, size_t name_bytes)
{
    sq_kafka_topic_name(name, name_bytes, config, topic);
}

unsigned sq_kafka_probe_match(const struct sq_kafka_probe *probe, const char *entry, void (*each)(const char *topic, int32_t partitions, void *ctx),
                              void *ctx)
{
    unsigned count = 0;
    regex_t pattern;
    bool is_pattern = entry[0] == '^';
    if (is_pattern && regcomp(&pattern, entry, REG_EXTENDED | REG_NOSUB) != 0) return 0;
    for (int i = 0; i < probe->metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &probe->metadata->topics[i];
        bool is_meant = is_pattern ? regexec(&pattern, topic->topic, 0, NULL, 0) == 0 : strcmp(topic->topic, entry) == 0;
        if (topic->err || !is_meant) continue;
        if (each) each(topic->topic, topic->partition_cnt, ctx);
        count++;
    }
    if (is_pattern) regfree(&pattern);
    return count;
}

/* ---- The sample ---- */

struct sample {
    struct sq_kafka_probe *probe;
    rd_kafka_queue_t *queue;
    struct {
        rd_kafka_topic_t *topic;
        int32_t partition;
        bool is_done;
    } parts[PARTITIONS_MAX];
    unsigned parts_count;
};

static void add_partitions(const char *name, int32_t partitions, void *ctx)
{
    struct sample *sample = ctx;
    for (int32_t p = 0; p < partitions && sample->parts_count < PARTITIONS_MAX; p++) {
        rd_kafka_topic_t *topic = rd_kafka_topic_new(sample->probe->client, name, NULL);
        if (!topic) return;
        sample->parts[sample->parts_count].topic = topic;
        sample->parts[sample->parts_count++].partition = p;
    }
}

/* Starts `records` before the partition's end. An empty partition is done at once. */
static int start_part(struct sample *sample, unsigned index, int64_t records, struct sq_err *err)
{
    const char *name = rd_kafka_topic_name(sample->parts[index].topic);
    int32_t partition = sample->parts[index].partition;
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(sample->probe->client, name, partition, &low, &high, WATERMARK_TIMEOUT_MS);
    if (error) return sq_err_set(err, SQ_E_BROKER, "%s[%d]: %s", name, partition, rd_kafka_err2str(error));
    sample->parts[index].is_done = low >= high;
    if (low >= high) return 0;
    int64_t start = high - low > records ? high - records : low;
    if (rd_kafka_consume_start_queue(sample->parts[index].topic, partition, start, sample->queue) == 0) return 0;
    return sq_err_set(err, SQ_E_BROKER, "%s[%d]: %s", name, partition, rd_kafka_err2str(rd_kafka_last_error()));
}

static bool find_header(const char *name, struct sq_str *value, void *ctx)
{
    rd_kafka_headers_t *headers;
    const void *data;
    size_t bytes;
    if (rd_kafka_message_headers(ctx, &headers) || rd_kafka_header_get_last(headers, name, &data, &bytes)) return false;
    *value = (struct sq_str){data, bytes};
    return true;
}

static void note_end(struct sample *sample, const rd_kafka_message_t *message)
{
    for (unsigned i = 0; i < sample->parts_count; i++)
        if (sample->parts[i].partition == message->partition &&
            strcmp(rd_kafka_topic_name(sample->parts[i].topic), rd_kafka_topic_name(message->rkt)) == 0)
            sample->parts[i].is_done = true;
}

static bool is_complete(const struct sample *sample)
{
    for (unsigned i = 0; i < sample->parts_count; i++)
        if (!sample->parts[i].is_done) return false;
    return true;
}

static void read_sample(struct sample *sample, unsigned records_max, int timeout_ms, sq_kafka_probe_record_fn each, void *ctx)
{
    uint64_t end_ns = sq_clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
    for (unsigned count = 0; count < records_max && !is_complete(sample) && sq_clock_monotonic_ns() < end_ns;) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(sample->queue, POLL_MS);
        if (!message) continue;
        if (message->err && message->rkt) note_end(sample, message); /* its end, or an error that this partition won't get over */
        if (!message->err) {
            const struct sq_kafka_probe_record record = {
                .topic = rd_kafka_topic_name(message->rkt), .partition = message->partition, .offset = message->offset,
                .record = {.key = {message->key, message->key_len}, .value = {message->payload, message->len},
                           .header = find_header, .header_ctx = message},
            };
            each(&record, ctx);
            count++;
        }
        rd_kafka_message_destroy(message);
    }
}

int sq_kafka_probe_sample(struct sq_kafka_probe *probe, unsigned records_max, int timeout_ms, sq_kafka_probe_record_fn each, void *ctx,
                          struct sq_err *err)
{
    struct sample sample = {.probe = probe, .queue = rd_kafka_queue_new(probe->client)};
    for (unsigned i = 0; i < probe->config->input.topics_count; i++)
        sq_kafka_probe_match(probe, probe->config->input.topics[i], add_partitions, &sample);
    int status = 0;
    unsigned started = 0;
    int64_t share = sample.parts_count ? (records_max + sample.parts_count - 1) / sample.parts_count : 1;
    for (; started < sample.parts_count && status == 0; started++) status = start_part(&sample, started, share, err);
    if (status == 0) read_sample(&sample, records_max, timeout_ms, each, ctx);
    for (unsigned i = 0; i < sample.parts_count; i++) {
        if (i < started) rd_kafka_consume_stop(sample.parts[i].topic, sample.parts[i].partition);
        rd_kafka_topic_destroy(sample.parts[i].topic);
    }
    rd_kafka_queue_destroy(sample.queue);
    return status;
}
