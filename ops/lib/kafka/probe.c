/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe BOOTSTRAP NODES
 *
 * Asks a Kafka cluster once whether it is ready to work: NODES brokers in the metadata, and a group coordinator and
 * a transaction coordinator that answer. Exits 0, or 1 with a line on stderr that says what doesn't answer yet; no
 * step takes longer than ATTEMPT_MS, and no topic of ours stays behind. ops/kafka repeats it.
 *
 * An open port would say little: a broker listens before it has joined its cluster, and the coordinators load their
 * topics a second longer. The first client to come would pay for that; here the probe is the first.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { ATTEMPT_MS = 10000, TEXT_BYTES = 512 };

static bool complain(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return false;
}

/*
 * A client named by the one property its kind needs. Its log would only repeat our line, so it has none. It tries again at once: by default
 * a client that was refused waits longer each time, up to 10 s, and a cluster would be found ready that much too late.
 */
static rd_kafka_t *client_open(rd_kafka_type_t type, const char *bootstrap, const char *name_property)
{
    char why[TEXT_BYTES];
    rd_kafka_t *client = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof why) == RD_KAFKA_CONF_OK &&
        rd_kafka_conf_set(conf, name_property, "squall-probe", why, sizeof why) == RD_KAFKA_CONF_OK &&
        rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "200", why, sizeof why) == RD_KAFKA_CONF_OK)
        client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client) {
        complain("client", why);
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static bool brokers_ready(rd_kafka_t *client, int nodes)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, NULL, &metadata, ATTEMPT_MS);
    if (err)
        return complain("metadata", rd_kafka_err2str(err));
    int count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (count < nodes)
        fprintf(stderr, "metadata: %d of %d brokers\n", count, nodes);
    return count >= nodes;
}

/* Asking for any offset makes the cluster create the topic of offsets and load it. */
static bool groups_ready(const char *bootstrap)
{
    rd_kafka_t *client = client_open(RD_KAFKA_CONSUMER, bootstrap, "group.id");
    if (!client)
        return false;
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(partitions, "squall-probe", 0);
    rd_kafka_resp_err_t err = rd_kafka_committed(client, partitions, ATTEMPT_MS);
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_destroy(client);
    return !err || complain("group coordinator", rd_kafka_err2str(err));
}

static bool transactions_ready(rd_kafka_t *producer)
{
    rd_kafka_error_t *error = rd_kafka_init_transactions(producer, ATTEMPT_MS);
    if (!error)
        return true;
    complain("transaction coordinator", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: probe BOOTSTRAP NODES\n");
        return 2;
    }
    rd_kafka_t *producer = client_open(RD_KAFKA_PRODUCER, argv[1], "transactional.id");
    if (!producer)
        return EXIT_FAILURE;
    bool ready = brokers_ready(producer, atoi(argv[2])) && groups_ready(argv[1]) && transactions_ready(producer);
    rd_kafka_destroy(producer);
    return ready ? EXIT_SUCCESS : EXIT_FAILURE;
}
