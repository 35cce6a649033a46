/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_offsets.h"

#include <stdlib.h>
#include <time.h>

#include "engine/base/clock.h"

enum {
    REQUEST_TIMEOUT_MS = 10000,
    POLL_SLICE_MS = 50,
    FORGET_MORE_MS = 2000, /* librdkafka looks each second for what is older than metadata.max.age.ms */
};

void sq_kafka_offsets_ask(const struct sq_kafka_offsets *offsets, const char *group, const rd_kafka_topic_partition_list_t *parts,
                          rd_kafka_queue_t *queue)
{
    rd_kafka_t *client = offsets->client;
    char why[128];
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, parts);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof why);
    rd_kafka_error_t *error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    if (error) rd_kafka_error_destroy(error); /* (every version from 2.0 on can) */
    rd_kafka_ListConsumerGroupOffsets(client, &request, 1, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
}

static const rd_kafka_topic_partition_list_t *parts_of(rd_kafka_event_t *event, rd_kafka_resp_err_t *error, const char **reason)
{
    size_t groups_count = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &groups_count);
    const rd_kafka_error_t *problem = groups_count ? rd_kafka_group_result_error(groups[0]) : NULL;
    if (groups_count && !problem) return rd_kafka_group_result_partitions(groups[0]);
    *error = problem ? rd_kafka_error_code(problem) : RD_KAFKA_RESP_ERR__FAIL;
    *reason = problem ? rd_kafka_error_string(problem) : NULL;
    return NULL;
}

/* How long nobody must ask until another coordinator is looked for. */
static uint64_t forgets_after_ns(rd_kafka_t *client)
{
    char value[32] = "";
    size_t bytes = sizeof value;
    rd_kafka_conf_get(rd_kafka_conf(client), "metadata.max.age.ms", value, &bytes);
    return (strtoull(value, NULL, 10) + FORGET_MORE_MS) * UINT64_C(1000000);
}

const rd_kafka_topic_partition_list_t *sq_kafka_offsets_answer(struct sq_kafka_offsets *offsets, rd_kafka_event_t *event, rd_kafka_resp_err_t *error,
                                                               const char **reason)
{
    *error = rd_kafka_event_error(event);
    *reason = *error ? rd_kafka_event_error_string(event) : NULL;
    const rd_kafka_topic_partition_list_t *parts = *error ? NULL : parts_of(event, error, reason);
    bool is_another = *error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR || *error == RD_KAFKA_RESP_ERR__TIMED_OUT; /* it moved, or it is gone */
    if (is_another) offsets->ask_at_ns = sq_clock_monotonic_ns() + forgets_after_ns(offsets->client);
    for (int i = 0; parts && i < parts->cnt; i++)
        if (parts->elems[i].err) { /* UNSTABLE_OFFSET_COMMIT while a transaction is open or its markers are being written, among others */
            *error = parts->elems[i].err;
            return NULL;
        }
    return parts;
}

static void wait_to_ask(const struct sq_kafka_offsets *offsets, const _Atomic bool *is_interrupted)
{
    const struct timespec slice = {.tv_nsec = POLL_SLICE_MS * 1000000L};
    while (sq_clock_monotonic_ns() < offsets->ask_at_ns && !*is_interrupted) nanosleep(&slice, NULL);
}

int sq_kafka_offsets_stable(struct sq_kafka_offsets *offsets, const char *group, const rd_kafka_topic_partition_list_t *parts,
                            const _Atomic bool *is_interrupted, rd_kafka_topic_partition_list_t **found, struct sq_err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(offsets->client); /* of this call alone, so that a late answer can't be taken for another's */
    rd_kafka_event_t *event = NULL;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    const char *reason = NULL;
    *found = NULL;
    wait_to_ask(offsets, is_interrupted);
    sq_kafka_offsets_ask(offsets, group, parts, queue);
    for (int waited_ms = 0; !event && waited_ms < 2 * REQUEST_TIMEOUT_MS && !*is_interrupted; waited_ms += POLL_SLICE_MS)
        event = rd_kafka_queue_poll(queue, POLL_SLICE_MS);
    const rd_kafka_topic_partition_list_t *answer = event ? sq_kafka_offsets_answer(offsets, event, &error, &reason) : NULL;
    if (answer) *found = rd_kafka_topic_partition_list_copy(answer);
    int status = answer ? 0 : sq_err_set(err, *is_interrupted ? SQ_E_CLOSED : SQ_E_TIMEOUT, "no stable offsets of group %s: %s", group,
                                         reason ? reason : rd_kafka_err2str(error));
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return status;
}
