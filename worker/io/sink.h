/* SPDX-License-Identifier: Apache-2.0 */
/* Where a stage's outputs and offsets go: one batch at a time, as a whole.
 *
 * A batch is the commit unit: outputs, and the next offsets that may be committed once the outputs are safe. at_least_once (sink_kafka.h)
 * produces all, waits for every acknowledgement and then commits the offsets; exactly_once (sink_txn.h) makes one transaction of the same
 * batch, and the stages don't know.
 *
 * Thread: prepare and commit block and belong to the stage's committer; a batch belongs to whoever holds it, never to two threads. */
#ifndef SQ_IO_SINK_H
#define SQ_IO_SINK_H

#include "worker/io/source.h"

enum sq_output_topic { SQ_TOPIC_SCORES, SQ_TOPIC_DLQ, SQ_TOPIC_ALERTS, SQ_TOPIC_STATE, SQ_TOPIC_COUNT };

struct sq_output {
    enum sq_output_topic topic;
    int32_t partition;       /* -1: by the key's hash */
    struct sq_str key;
    struct sq_str value;     /* data NULL: null */
    const struct sq_header *headers;
    unsigned headers_count;
    int64_t timestamp_ms;    /* 0: now */
    void *cookie;            /* the stage's */
    int status;              /* SQ_E_TIMEOUT: not acknowledged yet; 0: safe; SQ_E_PRODUCE: refused for good */
};

/* Commit no offset of this partition below it: everything before is finished. */
struct sq_next_offset {
    const char *topic;
    int32_t partition;
    int64_t next_offset;
    uint64_t epoch;
    unsigned begun; /* goes along as metadata: offset_note.h */
    void *cookie; /* the stage's */
};

enum { SQ_BATCH_CHUNK_BYTES = 256 * 1024 };

struct sq_batch {
    struct sq_output *outputs; /* owned */
    size_t outputs_count, outputs_capacity;
    struct sq_next_offset *offsets; /* owned */
    size_t offsets_count, offsets_capacity;
    size_t bytes;               /* of keys, values and headers of the outputs, whoever owns them */
    struct sq_batch_chunk *chunks; /* owned: memory of what was copied in, newest first; the oldest stays over a clear */
    uint64_t opened_ns;         /* monotonic: first output or offset; 0: empty */
    struct sq_membership membership; /* in the group, as the stage knew it when it handed the batch over */
    bool offsets_are_committed; /* set by the sink: false after a commit that went well but for the group having moved on */
};

void sq_batch_init(struct sq_batch *batch);
void sq_batch_deinit(struct sq_batch *batch);
void sq_batch_clear(struct sq_batch *batch); /* keeps memory for the next round */

/* Memory that lives until the batch is cleared, aligned for any struct; NULL when there is none. */
void *sq_batch_alloc(struct sq_batch *batch, size_t bytes);
/* A copy of `str` in the batch; data NULL stays NULL. False: no memory. */
bool sq_batch_copy(struct sq_batch *batch, struct sq_str str, struct sq_str *copy);
/* An output with status SQ_E_TIMEOUT and everything else zero, valid until the next one is added; NULL: no memory. Call
 * sq_batch_account when its strings are set. */
struct sq_output *sq_batch_add(struct sq_batch *batch);
void sq_batch_account(struct sq_batch *batch, const struct sq_output *output);
bool sq_batch_add_offset(struct sq_batch *batch, const struct sq_next_offset *offset);
/* Outputs with this status. */
size_t sq_batch_count(const struct sq_batch *batch, int status);

struct sq_sink;
struct sq_sink_ops {
    /* Makes ready what commits need: topics and their partition counts. 0; a RETRY class: call again later; else give up. */
    int (*prepare)(struct sq_sink *sink, struct sq_err *err);
    /* 0: all outputs safe. SQ_E_PRODUCE: outputs with that status will never be taken, all others are safe, no offset is committed: replace
     * them and call again. A RETRY class: call again with the same batch, what is safe isn't sent twice. FATAL: stop. */
    int (*commit)(struct sq_sink *sink, struct sq_batch *batch, struct sq_err *err);
    /* Any thread, once: calls that block return soon, with SQ_E_CLOSED. */
    void (*interrupt)(struct sq_sink *sink);
    void (*close)(struct sq_sink *sink);
};
struct sq_sink {
    const struct sq_sink_ops *ops;
};

#endif
