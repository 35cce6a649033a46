/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_conf.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/config_value.h"
#include "worker/io/kafka_oauth.h"
#include "worker/io/kafka_trouble.h"
#include "worker/io/kafka_version.h"
#include "worker/io/log.h"
#include "worker/io/offset_note.h"

static const char *const stages[] = {SQ_STAGES};

struct setting {
    const char *name, *value;
};

/* Three kinds: what a user may change, set before the pass-through; what the guarantees rest on, set after it. */
static const struct setting common_defaults[] = {
    {"metadata.max.age.ms", "60000"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
    {NULL, NULL},
};
static const struct setting consumer_defaults[] = {
    {"metadata.max.age.ms", "15000"}, /* so long it may ask a coordinator that isn't any more: kafka_offsets.h */
    {"topic.metadata.refresh.interval.ms", "10000"},
    {"queued.min.messages", "2000"},
    {"queued.max.messages.kbytes", "16384"},
    {"fetch.message.max.bytes", "262144"},
    {"fetch.max.bytes", "8388608"},
    {"fetch.wait.max.ms", "100"},
    {"max.poll.interval.ms", "60000"},
    {NULL, NULL},
};
/* Only where the members agree among themselves who reads what. With group.protocol=consumer the broker says, and librdkafka takes neither
 * these nor partition.assignment.strategy. */
static const struct setting classic_group_defaults[] = {
    {"session.timeout.ms", "30000"},
    {"heartbeat.interval.ms", "3000"},
    {NULL, NULL},
};
static const char *const newer_group_properties[] = {"group.protocol", "group.remote.assignor"};
static const struct setting consumer_guarantees[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"isolation.level", "read_committed"},
    {"auto.offset.reset", "error"}, /* a silent reset is loss or a full replay; where to start at first is told in the assignment */
    {"check.crcs", "true"},
    {"allow.auto.create.topics", "false"},
    {"enable.partition.eof", "true"},
    {NULL, NULL},
};
static const struct setting producer_defaults[] = {
    {"linger.ms", "5"},
    {"compression.type", "lz4"},
    {"queue.buffering.max.kbytes", "65536"},
    {"message.max.bytes", "4194304"},
    {"message.timeout.ms", "20000"},
    {"retry.backoff.ms", "10"},
    {"max.in.flight.requests.per.connection", "1"}, /* retries must not reorder the transitions of an alert */
    {NULL, NULL},
};
static const struct setting producer_guarantees[] = {
    {"acks", "all"},
    {NULL, NULL},
};
/* A transaction that its worker left open holds up the next owner until it times out, so that is short; what doesn't fit into it is aborted
 * and tried again. The producer is idempotent, so more than one request in flight keeps its order. */
static const struct setting transaction_defaults[] = {
    {"transaction.timeout.ms", "15000"},
    {"message.timeout.ms", "12000"},
    {"max.in.flight.requests.per.connection", "5"},
    {NULL, NULL},
};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct sq_err *err)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "kafka: %s", why);
}

static int set_all(rd_kafka_conf_t *conf, const struct setting *settings, struct sq_err *err)
{
    int status = 0;
    for (; settings->name && status == 0; settings++) status = set(conf, settings->name, settings->value, err);
    return status;
}

static int set_pairs(rd_kafka_conf_t *conf, const struct sq_config_pairs *pairs, struct sq_err *err)
{
    int status = 0;
    for (unsigned i = 0; i < pairs->count && status == 0; i++) status = set(conf, pairs->items[i].name, pairs->items[i].value, err);
    return status;
}

static bool is_newer_group_property(const char *name)
{
    for (size_t i = 0; i < sizeof newer_group_properties / sizeof *newer_group_properties; i++)
        if (strcmp(newer_group_properties[i], name) == 0) return true;
    return false;
}

/* The pass-through of a consumer; one that stays with the classic protocol leaves out what asks for the newer. */
static int set_consumer_pairs(rd_kafka_conf_t *conf, const struct sq_config *config, bool stays_classic, struct sq_err *err)
{
    const struct sq_config_pairs *const both[] = {&config->kafka.properties, &config->kafka.consumer};
    int status = 0;
    for (size_t i = 0; i < 2; i++)
        for (unsigned j = 0; j < both[i]->count && status == 0; j++) {
            const char *name = both[i]->items[j].name, *value = both[i]->items[j].value;
            if (stays_classic && is_newer_group_property(name)) continue;
            status = sq_kafka_version_check_property(rd_kafka_version(), name, value, err);
            if (status == 0) status = set(conf, name, value, err);
        }
    return status;
}

static int set_group_protocol(rd_kafka_conf_t *conf, const struct sq_config *config, struct sq_err *err)
{
    const char *protocol = sq_config_pair_find(&config->kafka.consumer, "group.protocol");
    if (!protocol) protocol = sq_config_pair_find(&config->kafka.properties, "group.protocol");
    if (protocol && strcmp(protocol, "consumer") == 0) return 0;
    int status = set_all(conf, classic_group_defaults, err);
    return status ? status : set(conf, "partition.assignment.strategy", sq_kafka_version_assignor(rd_kafka_version()), err);
}

/* syslog's levels, as librdkafka has them. */
static enum sq_log_level level_of(int syslog_level)
{
    static const enum sq_log_level map[] = {SQ_LOG_ERROR, SQ_LOG_ERROR, SQ_LOG_ERROR, SQ_LOG_WARN, SQ_LOG_WARN, SQ_LOG_INFO, SQ_LOG_INFO};
    return syslog_level < 7 ? map[syslog_level] : SQ_LOG_DEBUG;
}

/* Called on any of librdkafka's threads. A broker that is away says so many times a second. */
static void on_log(const rd_kafka_t *rk, int syslog_level, const char *facility, const char *text)
{
    static struct sq_log_limit away, other;
    bool is_away = strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0;
    uint64_t suppressed = 0;
    if (!sq_log_allow(is_away ? &away : &other, is_away ? 10000 : 100, &suppressed)) return;
    const char *hint = sq_kafka_version_hint(rd_kafka_version(), text);
    sq_log(level_of(syslog_level), SQ_L("librdkafka"), SQ_LS("client", rd_kafka_name(rk)), SQ_LS("about", facility), SQ_LS("text", text),
           SQ_LS("hint", hint ? hint : ""), SQ_LI("suppressed", suppressed));
}

void sq_kafka_client_id(char out[SQ_CLIENT_ID_BYTES], const struct sq_config *config, enum sq_stage_name stage)
{
    snprintf(out, SQ_CLIENT_ID_BYTES, "%s-%s-%s", config->app, stages[stage], config->instance);
}

static int conf_common(rd_kafka_conf_t *conf, const struct sq_config *config, enum sq_stage_name stage, struct sq_err *err)
{
    char client_id[SQ_CLIENT_ID_BYTES];
    sq_kafka_client_id(client_id, config, stage);
    rd_kafka_conf_set_log_cb(conf, on_log);
    int status = set(conf, "bootstrap.servers", config->kafka.brokers, err);
    if (status == 0) status = set(conf, "client.id", client_id, err);
    if (status == 0) status = set_all(conf, common_defaults, err);
    if (status == 0 && *config->kafka.sasl_token_file) status = sq_kafka_oauth_use_file(conf, config->kafka.sasl_token_file, err);
    return status;
}

void sq_kafka_group_name(char *out, size_t out_bytes, const struct sq_config *config, enum sq_stage_name stage)
{
    snprintf(out, out_bytes, "%s-%s", config->app, stages[stage]);
}

static int conf_finish(rd_kafka_conf_t **conf, int status)
{
    if (status == 0) return 0;
    rd_kafka_conf_destroy(*conf);
    *conf = NULL;
    return status;
}

int sq_kafka_conf_consumer(rd_kafka_conf_t **conf, const struct sq_config *config, enum sq_stage_name stage, struct sq_err *err)
{
    char group[SQ_CONFIG_NAME_BYTES + 16];
    sq_kafka_group_name(group, sizeof group, config, stage);
    *conf = rd_kafka_conf_new();
    int status = conf_common(*conf, config, stage, err);
    if (status == 0) status = set_all(*conf, consumer_defaults, err);
    if (status == 0) status = set_group_protocol(*conf, config, err);
    if (status == 0) status = set_consumer_pairs(*conf, config, false, err);
    if (status == 0) status = set_all(*conf, consumer_guarantees, err);
    if (status == 0) status = set(*conf, "group.id", group, err);
    rd_kafka_conf_set_events(*conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_FETCH);
    return conf_finish(conf, status);
}

int sq_kafka_conf_notify(rd_kafka_conf_t **conf, const struct sq_config *config, const char *sink, struct sq_err *err)
{
    char group[SQ_CONFIG_NAME_BYTES + 32];
    snprintf(group, sizeof group, "%s-notify-%s", config->app, sink);
    const struct setting own[] = {
        {"group.id", group},
        {"client.id", group},
        {"partition.assignment.strategy", "range"},
        {"auto.offset.reset", "earliest"}, /* alerts that retention took before they were delivered */
        {"topic.metadata.refresh.interval.ms", "5000"}, /* the topic may be made after we ask for it */
        {NULL, NULL},
    };
    *conf = rd_kafka_conf_new();
    int status = conf_common(*conf, config, SQ_STAGE_ALERT, err);
    if (status == 0) status = set_all(*conf, consumer_defaults, err);
    if (status == 0) status = set_all(*conf, classic_group_defaults, err);
    if (status == 0) status = set_consumer_pairs(*conf, config, true, err);
    if (status == 0) status = set_all(*conf, consumer_guarantees, err);
    if (status == 0) status = set_all(*conf, own, err);
    return conf_finish(conf, status);
}

/* transactional_id NULL: without transactions. */
static int conf_producer(rd_kafka_conf_t **conf, const struct sq_config *config, enum sq_stage_name stage, const char *transactional_id,
                         struct sq_err *err)
{
    *conf = rd_kafka_conf_new();
    int status = conf_common(*conf, config, stage, err);
    if (status == 0) status = set_all(*conf, producer_defaults, err);
    if (status == 0 && transactional_id) status = set_all(*conf, transaction_defaults, err);
    if (status == 0) status = set_pairs(*conf, &config->kafka.properties, err);
    if (status == 0) status = set_pairs(*conf, &config->kafka.producer, err);
    if (status == 0) status = set_all(*conf, producer_guarantees, err);
    if (status == 0 && transactional_id) status = set(*conf, "transactional.id", transactional_id, err);
    return conf_finish(conf, status);
}

int sq_kafka_conf_producer(rd_kafka_conf_t **conf, const struct sq_config *config, enum sq_stage_name stage, struct sq_err *err)
{
    char transactional_id[SQ_CLIENT_ID_BYTES];
    sq_kafka_client_id(transactional_id, config, stage);
    return conf_producer(conf, config, stage, config->delivery == SQ_DELIVERY_EXACTLY_ONCE ? transactional_id : NULL, err);
}

int sq_kafka_conf_sender(rd_kafka_conf_t **conf, const struct sq_config *config, struct sq_err *err)
{
    return conf_producer(conf, config, SQ_STAGE_SCORE, NULL, err);
}

int sq_kafka_open(rd_kafka_t **rk, rd_kafka_type_t type, rd_kafka_conf_t *conf, struct sq_err *err)
{
    char why[512];
    *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (*rk) {
        sq_kafka_oauth_start(*rk);
        return 0;
    }
    rd_kafka_conf_destroy(conf);
    return sq_err_set(err, SQ_E_CONFIG, "kafka: %s", why);
}

rd_kafka_topic_partition_list_t *sq_kafka_conf_offsets(const struct sq_batch *batch, const char *tag)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)batch->offsets_count);
    for (size_t i = 0; i < batch->offsets_count; i++) {
        const struct sq_next_offset *offset = &batch->offsets[i];
        rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(parts, offset->topic, offset->partition);
        part->offset = offset->next_offset;
        char note[SQ_OFFSET_NOTE_BYTES];
        sq_offset_note_write(note, tag, offset->begun);
        part->metadata = note[0] ? strdup(note) : NULL;
        part->metadata_size = part->metadata ? strlen(note) : 0;
    }
    return parts;
}

/* What is not here is RETRY: librdkafka itself goes on trying, and so do we. */
static const struct {
    rd_kafka_resp_err_t error;
    enum sq_err_class class;
} classes[] = {
    {RD_KAFKA_RESP_ERR__FATAL, SQ_CLASS_FATAL},
    {RD_KAFKA_RESP_ERR__FENCED, SQ_CLASS_FATAL},
    {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, SQ_CLASS_FATAL},
    {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, SQ_CLASS_FATAL},
    {RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, SQ_CLASS_FATAL},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR__BAD_MSG, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, SQ_CLASS_POISON},
    {RD_KAFKA_RESP_ERR__STATE, SQ_CLASS_BUG},
    {RD_KAFKA_RESP_ERR__CONFLICT, SQ_CLASS_BUG},
};

enum sq_err_class sq_kafka_error_class(rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return SQ_CLASS_OK;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].error == error) return classes[i].class;
    return SQ_CLASS_RETRY;
}

void sq_kafka_error_note(enum sq_stage_name stage, rd_kafka_resp_err_t error, const char *reason)
{
    static struct sq_log_limit limit;
    uint64_t suppressed = 0;
    enum sq_err_class class = sq_kafka_error_class(error);
    if (class == SQ_CLASS_OK) return;
    sq_metric_add(SQ_M_KAFKA_ERRORS, (unsigned)class - SQ_CLASS_RETRY, 1);
    if (!reason) reason = rd_kafka_err2str(error);
    if (class == SQ_CLASS_RETRY) sq_kafka_trouble_note(reason, sq_clock_monotonic_ns());
    if (!sq_log_allow(&limit, 5000, &suppressed)) return;
    sq_log(class == SQ_CLASS_RETRY ? SQ_LOG_WARN : SQ_LOG_ERROR, SQ_L("Kafka client error"), SQ_LS("stage", stages[stage]),
           SQ_LS("error", rd_kafka_err2name(error)), SQ_LS("reason", reason), SQ_LI("suppressed", suppressed));
}
