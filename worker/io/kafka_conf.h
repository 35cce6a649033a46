/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's settings out of the configuration: ours first, then what the user passes through. Also its logs into ours, and its errors
 * into our classes. */
#ifndef SQ_IO_KAFKA_CONF_H
#define SQ_IO_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "worker/io/config.h"
#include "worker/io/sink.h"

/* The caller owns *conf until rd_kafka_new takes it. SQ_E_CONFIG names the property that librdkafka refuses. */
int sq_kafka_conf_consumer(rd_kafka_conf_t **conf, const struct sq_config *config, enum sq_stage_name stage, struct sq_err *err);
int sq_kafka_conf_producer(rd_kafka_conf_t **conf, const struct sq_config *config, enum sq_stage_name stage, struct sq_err *err);

/* A consumer of <app>.alerts in the group <app>-notify-<sink>, for rd_kafka_consumer_poll. */
int sq_kafka_conf_notify(rd_kafka_conf_t **conf, const struct sq_config *config, const char *sink, struct sq_err *err);

/* A producer of a command's own: no transactions, since a worker's transactional id would fence that worker. */
int sq_kafka_conf_sender(rd_kafka_conf_t **conf, const struct sq_config *config, struct sq_err *err);

/* rd_kafka_new, with the conf given up in any case. */
int sq_kafka_open(rd_kafka_t **rk, rd_kafka_type_t type, rd_kafka_conf_t *conf, struct sq_err *err);

/* "<app>-<stage>-<instance>": unique among live workers, the same after a restart. */
enum { SQ_CLIENT_ID_BYTES = 2 * SQ_CONFIG_NAME_BYTES + 16 };
void sq_kafka_client_id(char out[SQ_CLIENT_ID_BYTES], const struct sq_config *config, enum sq_stage_name stage);

/* "<app>-score", "<app>-alert". */
void sq_kafka_group_name(char *out, size_t out_bytes, const struct sq_config *config, enum sq_stage_name stage);

/* The batch's offsets as librdkafka's list, which the caller destroys; as metadata each has its note (offset_note.h) with the tag. */
rd_kafka_topic_partition_list_t *sq_kafka_conf_offsets(const struct sq_batch *batch, const char *tag);

/* Counts the error by its class and logs it, at most once in five seconds. */
void sq_kafka_error_note(enum sq_stage_name stage, rd_kafka_resp_err_t error, const char *reason);

/* What an error means for the work in hand. */
enum sq_err_class sq_kafka_error_class(rd_kafka_resp_err_t error);

#endif
