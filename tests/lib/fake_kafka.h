/* SPDX-License-Identifier: Apache-2.0 */
/* A log in memory with a source and a sink on it, for tests of the pipeline without a broker. The test is the group coordinator: it gives
 * partitions, takes them away, and makes commits fail. Source calls are the loop's; the sink's run on a committer; a mutex is between. */
#ifndef SQ_TEST_FAKE_KAFKA_H
#define SQ_TEST_FAKE_KAFKA_H

#include <pthread.h>

#include "worker/io/loop.h"
#include "worker/io/sink.h"

enum { FAKE_PARTITIONS_MAX = 16, FAKE_RECORDS_MAX = 20000 };

struct fake_record {
    char *key, *value; /* owned; NULL: null */
    size_t key_bytes, value_bytes;
    int64_t timestamp_ms;
    struct sq_header headers[SQ_HEADERS_MAX]; /* owned */
    unsigned headers_count;
    bool is_unreadable; /* delivered as SQ_E_UNREADABLE */
};

struct fake_log {
    struct fake_record *records; /* owned; FAKE_RECORDS_MAX */
    int64_t count;
};

struct fake_topic {
    const char *name;
    struct fake_log partitions[FAKE_PARTITIONS_MAX];
    int32_t partitions_count;
    int64_t committed[FAKE_PARTITIONS_MAX]; /* of the one group; -1: none */
    unsigned begun[FAKE_PARTITIONS_MAX];    /* beside it */
};

void fake_topic_init(struct fake_topic *topic, const char *name, int32_t partitions_count);
/* All that the source will tell of it is where it stands. */
void fake_topic_append_unreadable(struct fake_topic *topic, int32_t partition);
void fake_topic_deinit(struct fake_topic *topic);
void fake_topic_append(struct fake_topic *topic, int32_t partition, struct sq_str key, struct sq_str value, int64_t timestamp_ms);
int64_t fake_topic_count(const struct fake_topic *topic);

struct fake_source {
    struct sq_source base; /* first */
    struct fake_topic *topic;
    pthread_mutex_t *mutex;
    struct sq_source_handler handler;
    struct sq_wake *wake;
    struct sq_timer *timer;
    struct sq_source_partition partitions[FAKE_PARTITIONS_MAX];
    int64_t positions[FAKE_PARTITIONS_MAX];
    bool is_owned[FAKE_PARTITIONS_MAX], has_told_end[FAKE_PARTITIONS_MAX];
    uint64_t epoch;
    bool is_started, is_leaving, is_closed;
    unsigned releases; /* how often `release` was called */
};

/* On start all partitions are assigned. */
void fake_source_init(struct fake_source *source, struct sq_loop *loop, struct fake_topic *topic, pthread_mutex_t *mutex);
/* These three do nothing before the source was started and after it left. */
void fake_source_assign(struct fake_source *source); /* all that are not owned */
void fake_source_revoke(struct fake_source *source); /* all; release answers */
void fake_source_lose(struct fake_source *source);   /* all, at once */

struct fake_sink {
    struct sq_sink base; /* first */
    struct fake_topic *topics[SQ_TOPIC_COUNT];
    struct fake_topic *input; /* whose offsets are committed */
    pthread_mutex_t *mutex;
    unsigned prepare_fails;   /* so many times with SQ_E_BROKER */
    unsigned fail_every;      /* each n-th commit times out half way; 0: none */
    unsigned refuse_every;    /* each n-th score is refused for good; 0: none */
    unsigned commits, scores_seen;
    unsigned delay_us;
};
void fake_sink_init(struct fake_sink *sink, struct fake_topic *input, pthread_mutex_t *mutex);

#endif
