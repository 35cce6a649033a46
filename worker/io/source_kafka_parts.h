/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Kafka source share: source_kafka.c opens, closes and serves; source_kafka_group.c answers the group;
 * source_kafka_records.c takes records; source_kafka_unreadable.c steps over those that can't be read. */
#ifndef SQ_IO_SOURCE_KAFKA_PARTS_H
#define SQ_IO_SOURCE_KAFKA_PARTS_H

#include "worker/io/source_kafka.h"

enum { SQ_SOURCE_LEAKED_MAX = 16 };

struct kafka_partition {
    struct sq_source_partition base; /* first */
    int64_t position;                /* one past the last record that was delivered or stepped over; -1: none was */
    int64_t stuck_offset;            /* where the client says it can't unpack what it fetched; -1: nowhere */
    unsigned stuck_tries;
    uint64_t stuck_since_ns;
    bool is_reset_due;               /* such an error was told, and the client may tell a reset of the offset for it as well */
    uint64_t restart_at_ns;          /* nothing more was heard of it by then: it is assigned anew; 0: records come, or the end was reached */
};

struct kafka_source {
    struct sq_source base; /* first */
    enum sq_stage_name stage;
    const struct sq_config *config;
    struct sq_source_handler handler;
    rd_kafka_t *rk;
    struct sq_kafka_offsets offsets;
    rd_kafka_queue_t *main_queue, *work_queue;
    int pipe[2];
    struct sq_watch *watch;
    struct sq_timer *timer;
    struct sq_source_partition **partitions; /* owned, in no order */
    size_t partitions_count, partitions_capacity;
    struct sq_source_partition *last_found;  /* records come in runs */
    rd_kafka_topic_partition_list_t *assigning; /* ASSIGN not yet answered */
    uint64_t lookup_at_ns;                      /* when to ask again; 0: an answer is awaited */
    rd_kafka_topic_partition_list_t *revoking;  /* REVOKE not yet answered */
    rd_kafka_event_t *leaked[SQ_SOURCE_LEAKED_MAX];       /* records that came by the main queue while there was no room */
    size_t leaked_count;
    struct sq_membership membership;            /* as of the last event served */
    bool is_started, is_leaving, is_closed, is_starved, has_failed;
};

/* source_kafka.c */
void sq_source_kafka_wake(struct kafka_source *source);                         /* serve soon again */
void sq_source_kafka_fail(struct kafka_source *source, const struct sq_err *err); /* once */
void sq_source_kafka_membership(struct kafka_source *source);                     /* reads it anew; after every event was served */

/* source_kafka_group.c */
struct sq_source_partition *sq_source_kafka_find(struct kafka_source *source, const char *topic, int32_t number);
void sq_source_kafka_rebalance(struct kafka_source *source, rd_kafka_event_t *event);
void sq_source_kafka_lookup(struct kafka_source *source); /* asks for the committed offsets of `assigning` */
void sq_source_kafka_offsets(struct kafka_source *source, rd_kafka_event_t *event); /* the answer */
void sq_source_kafka_answer(struct kafka_source *source, bool is_assign, const rd_kafka_topic_partition_list_t *parts);
void sq_source_kafka_release(struct kafka_source *source);
void sq_source_kafka_unpark(struct kafka_source *source, struct sq_source_partition *partition, int64_t start_offset);
/* As librdkafka knows offsets; what was fetched already is dropped. Doesn't wait. */
void sq_source_kafka_seek(struct kafka_source *source, const struct sq_source_partition *partition, int64_t offset);
/* Assigns it anew, where it stands: for one that the client has stopped reading. Nothing while partitions are being given up. */
void sq_source_kafka_restart(struct kafka_source *source, const struct sq_source_partition *partition);
void sq_source_kafka_list_free(rd_kafka_topic_partition_list_t **list);

/* source_kafka_records.c */
void sq_source_kafka_take(struct kafka_source *source); /* while the handler has room, at most so many a turn */
void sq_source_kafka_leak(struct kafka_source *source, rd_kafka_event_t *event); /* owns the event */

/* source_kafka_unreadable.c */
/* Whether the error says that what stands at its offset can't be unpacked. */
bool sq_source_kafka_is_unreadable(const rd_kafka_message_t *error);
/* Notes such an error, and steps over the record once the patience with it is used up. */
void sq_source_kafka_unreadable(struct kafka_source *source, struct sq_source_partition *partition, const rd_kafka_message_t *error);
/* For an error that says that the offset would have to be reset, as there is nothing at `offset`. True: it was for such a record, and reading
 * goes on. */
bool sq_source_kafka_unreset(struct kafka_source *source, struct sq_source_partition *partition, int64_t offset);
/* Asked now and then: partitions that are silent since such an error. */
void sq_source_kafka_restart_silent(struct kafka_source *source);

#endif
