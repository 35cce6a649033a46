/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_policy.h"

#include <string.h>

#include "worker/io/log.h"

enum { REQUEST_TIMEOUT_MS = 10000, POLL_SLICE_MS = 50 };

int sq_kafka_policy_judge(const char *topic, const char *policy, struct sq_err *err)
{
    if (strcmp(policy, "compact") == 0) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "topic %s has cleanup.policy=%s, so states that alerts rest on are deleted by age or size: set cleanup.policy="
                      "compact on it", topic, policy);
}

/* The answer's cleanup.policy, borrowed; NULL: there is none, and *error says why. */
static const char *policy_of(rd_kafka_event_t *event, rd_kafka_resp_err_t *error)
{
    size_t resources_count = 0, entries_count = 0;
    *error = rd_kafka_event_error(event);
    if (*error) return NULL;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &resources_count);
    *error = resources_count ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (*error) return NULL;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &entries_count);
    for (size_t i = 0; i < entries_count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0) return rd_kafka_ConfigEntry_value(entries[i]);
    *error = RD_KAFKA_RESP_ERR__FAIL;
    return NULL;
}

static rd_kafka_event_t *ask(rd_kafka_t *rk, const char *topic, rd_kafka_queue_t *queue, const _Atomic bool *is_interrupted)
{
    char why[128];
    rd_kafka_event_t *event = NULL;
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof why);
    rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
    for (int waited_ms = 0; !event && waited_ms < 2 * REQUEST_TIMEOUT_MS && !*is_interrupted; waited_ms += POLL_SLICE_MS)
        event = rd_kafka_queue_poll(queue, POLL_SLICE_MS);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    return event;
}

int sq_kafka_policy_check(rd_kafka_t *rk, const char *topic, const _Atomic bool *is_interrupted, struct sq_err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk); /* of this call alone, so that a late answer can't be taken for another's */
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_event_t *event = ask(rk, topic, queue, is_interrupted);
    const char *policy = event ? policy_of(event, &error) : NULL;
    int status = 0;
    if (policy)
        status = sq_kafka_policy_judge(topic, policy, err);
    else if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        sq_log(SQ_LOG_WARN, SQ_L("may not look whether the topic of states is compacted: see to it that it is"), SQ_LS("topic", topic));
    else
        status = sq_err_set(err, SQ_E_BROKER, "can't look at the settings of topic %s: %s", topic, rd_kafka_err2str(error));
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return status;
}
