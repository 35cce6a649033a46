/* SPDX-License-Identifier: Apache-2.0 */
/* Scores to alerts: a detector a partition of <app>.scores, on the loop. Thread: the loop's.
 *
 * A partition that comes is restored first, from <app>.alert-state, and nothing of it is delivered meanwhile (alert_state.h). Without a state
 * it is rebuilt: everything retained in it is fed to a fresh detector in silence, up to the group's committed offset; from there on
 * transitions go out. So an assignment alone neither fires nor resolves anything. Where no state is kept, a detector whose partition went away in
 * order is: if the partition comes back and nobody took a record meanwhile, it goes on where it stood (eager assignors take everything
 * away at every rebalance). Where there is a state, it alone counts: what people say changes it without a record. */
#ifndef SQ_PIPELINE_ALERT_STAGE_H
#define SQ_PIPELINE_ALERT_STAGE_H

#include "worker/core/detector.h"
#include "worker/io/state_reader.h"
#include "worker/pipeline/receipt.h"
#include "worker/pipeline/stage.h"

struct sq_alert_stage;

/* reader NULL: no state is kept, and windows are always rebuilt. It stays the caller's. */
int sq_alert_stage_open(struct sq_alert_stage **stage, struct sq_stage_host *host, struct sq_source *source, struct sq_sink *sink,
                        struct sq_state_reader *reader, struct sq_err *err);
void sq_alert_stage_close(struct sq_alert_stage *stage);

struct sq_stage *sq_alert_stage_base(struct sq_alert_stage *stage);

/* Every second: quiet partitions, metrics, the log of a rebuild. is_behind: scores are known to come late, so that a partition's silence says
 * nothing. */
void sq_alert_stage_second(struct sq_alert_stage *stage, bool is_behind);

/* Goes on with the rules of `config` (borrowed from now on, in place of the host's), all partitions or none: sq_detector_reload. SQ_E_FULL:
 * some are being rebuilt, try again later; SQ_E_CONFIG, SQ_E_NOMEM. */
int sq_alert_stage_reload(struct sq_alert_stage *stage, const struct sq_config *config, struct sq_err *err);

/* What people say: part of the state of the partitions this worker owns, saved with the next commit, which is asked for at once; the receipt
 * tells of it, and waits for nothing where no state is kept. Partitions that are being restored or given away are passed over. What fails
 * but for SQ_E_FULL has failed the stage. */
struct sq_alert_coverage {
    int32_t partition;   /* the only one it is about; -1: all of them */
    unsigned partitions; /* that it is about, wherever they are owned */
    unsigned owned;      /* of these, here */
    unsigned covered;    /* of these, took it or have it */
};

/* *found false: no such alert is open in a partition that could be asked. */
int sq_alert_stage_acknowledge(struct sq_alert_stage *stage, uint64_t alert_id, struct sq_receipt *receipt, bool *found, struct sq_err *err);

/* In all owned partitions that it is about (of an entity without `*` or `?`, just its own) or, where one is full (SQ_E_FULL), in none. */
int sq_alert_stage_silence(struct sq_alert_stage *stage, const struct sq_silence *silence, struct sq_receipt *receipt,
                           struct sq_alert_coverage *coverage, struct sq_err *err);
/* covered: those that had it */
struct sq_alert_coverage sq_alert_stage_unsilence(struct sq_alert_stage *stage, uint64_t id, struct sq_receipt *receipt);

/* Of all partitions: those here, and (covered) those of them that can be told something now. */
struct sq_alert_coverage sq_alert_stage_coverage(const struct sq_alert_stage *stage);

/* Each silence once, with the partitions that have it. */
typedef void (*sq_alert_silence_fn)(const struct sq_silence *silence, struct sq_alert_coverage coverage, void *ctx);
void sq_alert_stage_silences(const struct sq_alert_stage *stage, sq_alert_silence_fn each, void *ctx);

/* There was an assignment, and all of it is rebuilt. */
bool sq_alert_stage_is_ready(const struct sq_alert_stage *stage);

struct sq_alert_counts {
    uint64_t transitions[3];
    uint32_t entities, firing, restoring;
    int64_t watermark_ms; /* lowest of all; INT64_MIN: none */
};
void sq_alert_stage_counts(const struct sq_alert_stage *stage, struct sq_alert_counts *counts);

/* Of one owned partition of this stage. */
bool sq_alert_stage_is_restoring(const struct sq_owned *owned);
double sq_alert_stage_restored(const struct sq_owned *owned); /* 0 to 1 */
int64_t sq_alert_stage_watermark_ms(const struct sq_owned *owned);
const struct sq_detector *sq_alert_stage_detector(const struct sq_owned *owned);

#endif
