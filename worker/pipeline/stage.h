/* SPDX-License-Identifier: Apache-2.0 */
/* What both stages do alike: own partitions, give them up in order, commit, drain and leave. A stage embeds struct sq_stage as its first
 * member and says by hooks what it does with a record.
 *
 * Giving partitions up (a rebalance, or the end): nothing more is taken, what is in flight finishes and is committed, then the source is
 * told. If that takes longer than SQ_STAGE_REVOKE_MS, the rest is dropped instead: the next owner reads it again.
 *
 * Thread: the loop's. */
#ifndef SQ_PIPELINE_STAGE_H
#define SQ_PIPELINE_STAGE_H

#include "worker/pipeline/outbox.h"
#include "worker/pipeline/owned.h"
#include "worker/pipeline/recent.h"

enum { SQ_STAGE_REVOKE_MS = 15000 }; /* well below max.poll.interval.ms, which is the group's patience */

/* What the pipeline lends both stages. */
struct sq_stage_host {
    struct sq_loop *loop;
    const struct sq_config *config;
    const struct sq_engine *engine;
    struct sq_shadow *shadow; /* NULL: none */
    const char *mode; /* "live", "demo" */
    struct sq_dead_letters letters;
    struct sq_recent *recent;
    void (*failed)(const struct sq_err *err, void *ctx); /* FATAL: stop the worker */
    void *ctx;
};

struct sq_stage;
struct sq_stage_hooks {
    /* Allocates what is owned with a partition (sq_owned_init) and may set its start_offset. */
    int (*own)(struct sq_stage *stage, struct sq_source_partition *partition, struct sq_owned **owned, struct sq_err *err);
    bool (*has_room)(struct sq_stage *stage);
    void (*take)(struct sq_stage *stage, struct sq_owned *owned, const struct sq_delivery_record *record);
    void (*end)(struct sq_stage *stage, struct sq_owned *owned, int64_t offset);
    void (*abandon)(struct sq_stage *stage); /* drop what isn't begun, of partitions that are revoking or, when stopping, of all; NULL: nothing waits */
    void (*gone)(struct sq_stage *stage, struct sq_owned *owned, bool is_lost); /* before the list's reference is dropped */
    void (*committed)(struct sq_stage *stage, struct sq_batch *batch); /* outputs are safe; their cookies come back; offsets are noted already */
    void (*drop)(struct sq_stage *stage, struct sq_output *output);    /* it never goes out; its cookie comes back */
    const struct sq_owned *(*owner)(const struct sq_output *output);   /* whose records it comes from; NULL: nobody's */
    int (*replace)(struct sq_stage *stage, struct sq_batch *batch, struct sq_output *output, struct sq_err *err);
    size_t (*in_flight)(const struct sq_stage *stage); /* records taken whose output isn't safe yet */
    bool (*save)(struct sq_stage *stage); /* last outputs of a batch that is about to close; false: it failed. NULL: none */
};

struct sq_stage {
    const struct sq_stage_hooks *hooks;
    struct sq_stage_host *host;
    enum sq_stage_name name;
    struct sq_source *source;
    struct sq_outbox *outbox;
    struct sq_owned_list owned;
    bool is_started;      /* the source is */
    bool has_assignment;  /* a first one came */
    bool is_stopping, is_leaving, has_left;
    uint64_t revoke_deadline_ns; /* 0: nothing to give up */
};

/* source and sink stay the caller's and outlive the stage. */
int sq_stage_init(struct sq_stage *stage, enum sq_stage_name name, const struct sq_stage_hooks *hooks, struct sq_stage_host *host,
                  struct sq_source *source, struct sq_sink *sink, struct sq_err *err);
void sq_stage_deinit(struct sq_stage *stage); /* whatever its state; calls hooks->drop for what never went out */

void sq_stage_start(struct sq_stage *stage);  /* once the sink is ready, the source joins its group */
void sq_stage_tick(struct sq_stage *stage);   /* every few milliseconds: whatever is due */
void sq_stage_stop(struct sq_stage *stage);   /* drain, commit, leave; has_left tells when */
void sq_stage_fail(struct sq_stage *stage, const struct sq_err *err);

#endif
