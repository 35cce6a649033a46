/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_topics.h"

#include <regex.h>
#include <stdio.h>
#include <unistd.h>

#include "worker/io/kafka_policy.h"
#include "worker/io/log.h"

enum {
    METADATA_TIMEOUT_MS = 2000,
    CREATE_TIMEOUT_MS = 10000,
    POLL_SLICE_MS = 200,
    SETTLE_TRIES = 20, /* new topics take a moment to show in the metadata */
    DLQ_PARTITIONS = 3,
    SETTINGS_MAX = 8,
};

struct setting {
    const char *name, *value;
};

static const struct {
    const char *suffix;
    bool is_fixed; /* as many partitions as output.partitions */
    struct setting settings[SETTINGS_MAX];
} specs[SQ_TOPIC_COUNT] = {
    [SQ_TOPIC_SCORES] = {"scores", true, {{"cleanup.policy", "delete"}, {"retention.ms", "604800000"}}},
    /* The broker's clock, since a dead letter keeps its record's timestamp, and retention would delete an old one at once. */
    [SQ_TOPIC_DLQ] = {"dlq", false, {{"cleanup.policy", "delete"}, {"retention.ms", "1209600000"},
                                     {"message.timestamp.type", "LogAppendTime"}, {"max.message.bytes", "4194304"}}},
    [SQ_TOPIC_ALERTS] = {"alerts", true, {{"cleanup.policy", "delete"}, {"retention.ms", "2592000000"}}},
    /* One value an entity and rule; compacted soon, since a restore reads what is left: the segment that is being written isn't compacted,
     * and a busy worker writes 16 MiB in minutes. */
    [SQ_TOPIC_STATE] = {"alert-state", true, {{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0.2"}, {"segment.ms", "1800000"},
                                              {"segment.bytes", "16777216"},
                                              {"max.compaction.lag.ms", "21600000"}, {"delete.retention.ms", "86400000"},
                                              {"max.message.bytes", "4194304"}}},
};

bool sq_kafka_topic_is_used(const struct sq_config *config, enum sq_output_topic topic)
{
    return topic != SQ_TOPIC_STATE || config->delivery == SQ_DELIVERY_EXACTLY_ONCE;
}

void sq_kafka_topic_name(char *out, size_t out_bytes, const struct sq_config *config, enum sq_output_topic topic)
{
    snprintf(out, out_bytes, "%s.%s", config->app, specs[topic].suffix);
}

/* As librdkafka reads it: a leading ^ makes an extended regular expression, anything else is a name. */
static int match(const char *pattern, const char *name, bool *is_match, struct sq_err *err)
{
    regex_t regex;
    char why[128];
    *is_match = strcmp(pattern, name) == 0;
    if (pattern[0] != '^') return 0;
    int status = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
    if (status) {
        regerror(status, &regex, why, sizeof why);
        return sq_err_set(err, SQ_E_CONFIG, "input.topics: %s is no regular expression: %s", pattern, why);
    }
    *is_match = regexec(&regex, name, 0, NULL, 0) == 0;
    regfree(&regex);
    return 0;
}

int sq_kafka_topics_check_input(const struct sq_config *config, struct sq_err *err)
{
    for (unsigned i = 0; i < config->input.topics_count; i++)
        for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++) {
            char name[SQ_TOPIC_NAME_BYTES];
            bool is_match;
            sq_kafka_topic_name(name, sizeof name, config, topic);
            int status = match(config->input.topics[i], name, &is_match, err);
            if (status) return status;
            if (is_match)
                return sq_err_set(err, SQ_E_CONFIG, "input.topics: %s takes in %s, which Squall itself writes: choose another pattern or app",
                                  config->input.topics[i], name);
        }
    return 0;
}

/* Partition counts as the cluster has them, 0: no such topic. All topics are asked for: asking for one by name may create it, with
 * the broker's defaults. */
static int look(rd_kafka_t *rk, const struct sq_config *config, int32_t partitions[SQ_TOPIC_COUNT], struct sq_err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 1, NULL, &metadata, METADATA_TIMEOUT_MS);
    if (error) return sq_err_set(err, SQ_E_BROKER, "no answer from %s: %s", config->kafka.brokers, rd_kafka_err2str(error));
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++) {
        char name[SQ_TOPIC_NAME_BYTES];
        sq_kafka_topic_name(name, sizeof name, config, topic);
        partitions[topic] = 0;
        if (!sq_kafka_topic_is_used(config, topic)) continue;
        for (int i = 0; i < metadata->topic_cnt; i++)
            if (strcmp(metadata->topics[i].topic, name) == 0 && !metadata->topics[i].err) partitions[topic] = metadata->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

static rd_kafka_NewTopic_t *new_topic(const struct sq_config *config, enum sq_output_topic topic)
{
    char name[SQ_TOPIC_NAME_BYTES], why[256];
    sq_kafka_topic_name(name, sizeof name, config, topic);
    int partitions = specs[topic].is_fixed ? (int)config->output.partitions : DLQ_PARTITIONS;
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(name, partitions, config->output.replication, why, sizeof why);
    for (size_t i = 0; made && i < SETTINGS_MAX && specs[topic].settings[i].name; i++)
        rd_kafka_NewTopic_set_config(made, specs[topic].settings[i].name, specs[topic].settings[i].value);
    if (made) sq_log(SQ_LOG_INFO, SQ_L("creating topic"), SQ_LS("topic", name), SQ_LI("partitions", partitions));
    return made;
}

static int created(const rd_kafka_CreateTopics_result_t *result, struct sq_err *err)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);
        if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue; /* another worker was quicker */
        const char *why = rd_kafka_topic_result_error_string(topics[i]);
        bool is_ours = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
                       error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR || error == RD_KAFKA_RESP_ERR_POLICY_VIOLATION ||
                       error == RD_KAFKA_RESP_ERR_INVALID_CONFIG;
        return sq_err_set(err, is_ours ? SQ_E_CONFIG : SQ_E_BROKER, "can't create topic %s: %s%s", rd_kafka_topic_result_name(topics[i]),
                          why ? why : rd_kafka_err2str(error),
                          is_ours ? "; create it by hand and set output.create_topics: false" : "");
    }
    return 0;
}

static int create(rd_kafka_t *rk, const struct sq_config *config, const int32_t partitions[SQ_TOPIC_COUNT],
                  const _Atomic bool *is_interrupted, struct sq_err *err)
{
    rd_kafka_NewTopic_t *topics[SQ_TOPIC_COUNT];
    size_t count = 0;
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++)
        if (!partitions[topic] && sq_kafka_topic_is_used(config, topic) && (topics[count] = new_topic(config, topic))) count++;
    if (count == 0) return 0;
    char why[128];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, CREATE_TIMEOUT_MS, why, sizeof why);
    rd_kafka_CreateTopics(rk, topics, count, options, queue);
    rd_kafka_event_t *event = NULL;
    for (int waited_ms = 0; !event && waited_ms < 2 * CREATE_TIMEOUT_MS && !*is_interrupted; waited_ms += POLL_SLICE_MS)
        event = rd_kafka_queue_poll(queue, POLL_SLICE_MS);
    int status;
    if (!event) status = sq_err_set(err, SQ_E_BROKER, "no answer to the creation of topics");
    else if (rd_kafka_event_error(event)) status = sq_err_set(err, SQ_E_BROKER, "can't create topics: %s", rd_kafka_event_error_string(event));
    else status = created(rd_kafka_event_CreateTopics_result(event), err);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy_array(topics, count);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return status;
}

static int missing(const struct sq_config *config, const int32_t partitions[SQ_TOPIC_COUNT])
{
    for (int topic = 0; topic < SQ_TOPIC_COUNT; topic++)
        if (!partitions[topic] && sq_kafka_topic_is_used(config, (enum sq_output_topic)topic)) return topic;
    return -1;
}

/* Every entity's scores must stay in one partition for the app's life, so its count may not change under it. */
static int check_counts(const struct sq_config *config, const int32_t partitions[SQ_TOPIC_COUNT], struct sq_err *err)
{
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++) {
        if (!specs[topic].is_fixed || !sq_kafka_topic_is_used(config, topic) || partitions[topic] == (int32_t)config->output.partitions) continue;
        char name[SQ_TOPIC_NAME_BYTES];
        sq_kafka_topic_name(name, sizeof name, config, topic);
        return sq_err_set(err, SQ_E_CONFIG, "topic %s has %d partitions, but output.partitions is %u: set output.partitions to what the topic "
                          "has, or choose another app", name, (int)partitions[topic], config->output.partitions);
    }
    return 0;
}

static int check_policy(rd_kafka_t *rk, const struct sq_config *config, const _Atomic bool *is_interrupted, struct sq_err *err)
{
    char name[SQ_TOPIC_NAME_BYTES];
    if (!sq_kafka_topic_is_used(config, SQ_TOPIC_STATE)) return 0;
    sq_kafka_topic_name(name, sizeof name, config, SQ_TOPIC_STATE);
    return sq_kafka_policy_check(rk, name, is_interrupted, err);
}

int sq_kafka_topics_prepare(rd_kafka_t *rk, const struct sq_config *config, const _Atomic bool *is_interrupted,
                            int32_t partitions[SQ_TOPIC_COUNT], struct sq_err *err)
{
    int status = look(rk, config, partitions, err);
    if (status) return status;
    int topic = missing(config, partitions);
    if (topic >= 0 && !config->output.create_topics) {
        char name[SQ_TOPIC_NAME_BYTES];
        sq_kafka_topic_name(name, sizeof name, config, (enum sq_output_topic)topic);
        return sq_err_set(err, SQ_E_CONFIG, "topic %s does not exist: create it, or set output.create_topics: true", name);
    }
    if (topic >= 0) {
        int create_status = create(rk, config, partitions, is_interrupted, err);
        for (int i = 0; i < SETTLE_TRIES && !*is_interrupted && topic >= 0; i++) {
            struct sq_err quiet;
            if (look(rk, config, partitions, &quiet) == 0) topic = missing(config, partitions);
            if (topic >= 0 && create_status) return create_status;
            if (topic >= 0) usleep(100000);
        }
        if (topic >= 0) return sq_err_set(err, SQ_E_BROKER, "new topics don't show up yet");
    }
    status = check_counts(config, partitions, err);
    return status ? status : check_policy(rk, config, is_interrupted, err);
}
