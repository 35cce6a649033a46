/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_owners.h"

#include <stdio.h>

#include "worker/io/kafka_conf.h"

enum { PARTITIONS_MAX = 1024 };

/* Client ids are "<app>-<stage>-<instance>", and "<app>-<stage>" is the group's name. */
static const char *instance_of(const char *client_id, const char *group)
{
    size_t bytes = strlen(group);
    return strncmp(client_id, group, bytes) == 0 && client_id[bytes] == '-' ? client_id + bytes + 1 : client_id;
}

/* Brokers written in Java tell an address as "/10.0.0.2". */
static const char *host_of(const rd_kafka_MemberDescription_t *member)
{
    const char *host = rd_kafka_MemberDescription_host(member);
    return host[0] == '/' ? host + 1 : host;
}

static void tell(const rd_kafka_MemberDescription_t *member, const char *group, sq_kafka_owner_fn each, void *ctx)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *parts = assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
    int32_t partitions[PARTITIONS_MAX];
    unsigned count = 0;
    for (int i = 0; parts && i < parts->cnt && count < PARTITIONS_MAX; i++) partitions[count++] = parts->elems[i].partition;
    const struct sq_kafka_owner owner = {
        .instance = instance_of(rd_kafka_MemberDescription_client_id(member), group), .host = host_of(member),
        .partitions = partitions, .partitions_count = count,
    };
    each(&owner, ctx);
}

static int take_answer(rd_kafka_event_t *event, const char *group, sq_kafka_owner_fn each, void *ctx, struct sq_err *err)
{
    if (!event || rd_kafka_event_error(event))
        return sq_err_set(err, SQ_E_BROKER, "who is in the group %s: %s", group, event ? rd_kafka_event_error_string(event) : "no answer");
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    const rd_kafka_error_t *problem = count ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
    if (!count || problem) return sq_err_set(err, SQ_E_BROKER, "who is in the group %s: %s", group, problem ? rd_kafka_error_string(problem) : "unknown");
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); i++)
        tell(rd_kafka_ConsumerGroupDescription_member(groups[0], i), group, each, ctx);
    return 0;
}

static int ask(rd_kafka_t *client, const char *group, int timeout_ms, sq_kafka_owner_fn each, void *ctx, struct sq_err *err)
{
    char why[128];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
    rd_kafka_DescribeConsumerGroups(client, &group, 1, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    int status = take_answer(event, group, each, ctx, err);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return status;
}

int sq_kafka_owners(const struct sq_config *config, enum sq_stage_name stage, int timeout_ms, sq_kafka_owner_fn each, void *ctx, struct sq_err *err)
{
    char group[SQ_CONFIG_NAME_BYTES + 16];
    rd_kafka_conf_t *conf;
    rd_kafka_t *client;
    sq_kafka_group_name(group, sizeof group, config, stage);
    int status = sq_kafka_conf_sender(&conf, config, err);
    if (status) return status;
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    status = sq_kafka_open(&client, RD_KAFKA_PRODUCER, conf, err);
    if (status) return status;
    status = ask(client, group, timeout_ms, each, ctx, err);
    rd_kafka_destroy(client);
    return status;
}
