/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration a replay tries: its detectors, the alerts they gave, and what is to be said of them in figures. */
#ifndef SQ_CLI_REPLAY_POINT_H
#define SQ_CLI_REPLAY_POINT_H

#include "worker/cli/replay_out.h"
#include "worker/cli/replay_run.h"
#include "worker/cli/replay_tally.h"
#include "worker/cli/replay_truth.h"

struct sq_replay_point {
    const char *name;          /* of a sweep: the value; borrowed */
    struct sq_config *config;  /* owned by the point where is_own */
    bool is_own;
    struct sq_replay_run run;
    struct sq_replay_tally tally;
    struct sq_replay_out *out; /* NULL: alerts are only kept */
    struct sq_err *err;        /* of the call that is under way */
};

/* The alerts of one point in figures. */
struct sq_replay_figures {
    const char *name;
    bool is_current;           /* the point decides as the configuration in force */
    unsigned alerts, reopenings, still_open;
    unsigned entities_alerted, entities;
    double days;               /* judged */
    double alerts_a_day, alerts_entity_week;
    double open_minutes;       /* median of those resolved */
    double delay_minutes;      /* median: behind the start of the event with a truth, else behind the earliest point */
    bool has_truth;
    struct sq_replay_verdict verdict;
    double recall, false_entity_week;
};

int sq_replay_point_open(struct sq_replay_point *point, const char *model_name, struct sq_err *err);
void sq_replay_point_close(struct sq_replay_point *point);

/* As sq_replay_run_take_at and sq_replay_run_finish; what comes of it is kept and written. */
int sq_replay_point_take(struct sq_replay_point *point, const struct sq_score *score, int32_t partition, int64_t append_ms, struct sq_err *err);
int sq_replay_point_finish(struct sq_replay_point *point, struct sq_err *err);

/* Equal for configurations that decide alike. */
uint64_t sq_replay_point_digest(const struct sq_config *config);

/* The figures of all points. truth: NULL without one. What starts in the first settle_ms of the input counts for nothing. */
int sq_replay_figures_of(const struct sq_replay_point *points, unsigned points_count, const struct sq_replay_truth *truth, int64_t settle_ms,
                         struct sq_replay_figures *figures, struct sq_err *err);

/* As a table for people, or as one JSON object. title: of the column of names. */
void sq_replay_figures_table(const struct sq_replay_figures *figures, unsigned count, struct sq_str title, struct sq_buf *out);
void sq_replay_figures_json(const struct sq_replay_figures *figures, unsigned count, struct sq_str path, struct sq_buf *out);

/* What one configuration's figures say of a truth, as a sentence. */
void sq_replay_figures_sentence(const struct sq_replay_figures *figures, struct sq_buf *out);

#endif
