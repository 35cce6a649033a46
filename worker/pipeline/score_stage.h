/* SPDX-License-Identifier: Apache-2.0 */
/* Input records to scores: take, decode, encode on the pool, and into the outbox in whatever order they finish. Thread: the loop's. */
#ifndef SQ_PIPELINE_SCORE_STAGE_H
#define SQ_PIPELINE_SCORE_STAGE_H

#include "engine/pool.h"
#include "worker/pipeline/slots.h"
#include "worker/pipeline/stage.h"

struct sq_score_stage;

/* Opens its pool of `threads` (0: the default). */
int sq_score_stage_open(struct sq_score_stage **stage, struct sq_stage_host *host, struct sq_source *source, struct sq_sink *sink,
                        unsigned threads, struct sq_err *err);
/* Ends the pool first, so that nothing comes back into what is gone. Runs what is queued. */
void sq_score_stage_close(struct sq_score_stage *stage);

struct sq_stage *sq_score_stage_base(struct sq_score_stage *stage);
struct sq_pool *sq_score_stage_pool(struct sq_score_stage *stage);

struct sq_score_counts {
    uint64_t consumed, scored, dead_lettered, skipped; /* all but the first are committed */
    size_t in_flight, in_flight_max, extra_bytes;
};
void sq_score_stage_counts(const struct sq_score_stage *stage, struct sq_score_counts *counts);

/* What share of the records that come from now on is scored: in (0, 1]. The others are skipped, which their score records say. */
void sq_score_stage_set_share(struct sq_score_stage *stage, double share);

/* Slots for a pool of so many threads. */
size_t sq_score_stage_slots(unsigned threads);

#endif
