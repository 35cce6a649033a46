/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one rule on one entity, and the two things done with it: count a message, evaluate a bucket's end.
 *
 * Evaluation has a fixed order: fold settled blocks into the baseline, refresh T, judge the windows, step the alert's life, account for a
 * block that ends. What a decision depends on is plain data of a bounded size; examples and model are for the alert's reader only. */
#ifndef SQ_CORE_TRACK_H
#define SQ_CORE_TRACK_H

#include "worker/core/baseline.h"
#include "worker/core/copies.h"
#include "worker/core/episode.h"
#include "worker/core/examples.h"
#include "worker/core/fleet.h"
#include "worker/core/plan.h"
#include "worker/core/ring.h"
#include "worker/core/threshold.h"

/* One window as it was judged. */
struct sq_judgement {
    int64_t start_ms, end_ms;
    struct sq_counts counts;
    double share, me;  /* usual share, effective sample size of the predictive */
    double strength;   /* S, in steps of 1/1024; 0 where the window is not eligible */
};

struct sq_track {
    struct sq_ring ring;
    int64_t first_ms;                         /* end of the bucket it was first evaluated at */
    int64_t last_ms;                          /* latest event time of any message, copies included */
    int64_t last_counted_ms;                  /* of those with weight */
    int64_t next_fold;                        /* number of the oldest block not yet folded */
    int64_t next_block;                       /* number of the oldest block whose end was not yet accounted for */
    uint64_t hold[SQ_HOLD_BLOCKS / 64];       /* blocks touched by an open alert, a bit each, modulo SQ_HOLD_BLOCKS */
    struct sq_baseline baseline;
    struct sq_threshold tail;
    struct sq_episode episode;
    double threshold;                         /* T as it stands */
    float block_peak;                         /* largest S of the block that is open */
    bool block_touched;                       /* an alert was open in it */
    bool warm;
    uint32_t folded;                          /* messages, until warm */
    int64_t authorless_ms;                    /* latest match without an author; INT64_MIN: none */
    struct sq_copies texts, authors, matching_authors;
    struct sq_examples examples;
    uint64_t model_digest;
};

/* What became of a message. */
enum sq_track_verdict { SQ_TRACK_COUNTED, SQ_TRACK_COLLAPSED_TEXT, SQ_TRACK_COLLAPSED_AUTHOR, SQ_TRACK_ABSTAINED, SQ_TRACK_NO_MEMORY };

/* now_ms: end of the latest closed bucket. NULL without memory. */
struct sq_track *sq_track_open(const struct sq_plan *plan, int64_t now_ms);
void sq_track_close(struct sq_track *track); /* NULL is fine */

/* Makes up for the blocks that passed while there was nothing to evaluate. Before the first message after such a pause; else the ring
 * would count it in the place of an older bucket. */
void sq_track_catch_up(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms);

/* Whether a bucket of this time can still be counted: its block is not folded. */
bool sq_track_is_open_at(const struct sq_track *track, int64_t ts_ms);

enum sq_track_verdict sq_track_count(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score,
                                     const char *topic, bool late);

/* What one evaluation found; the transition only when sq_track_evaluate returns true. */
struct sq_evaluation {
    struct sq_judgement windows[SQ_RULE_WINDOWS_MAX];
    unsigned strongest;  /* index of the window that decides */
    double threshold;    /* what S had to reach */
    struct sq_transition transition;
};

bool sq_track_evaluate(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t at_ms,
                       struct sq_evaluation *evaluation);

/* Judges the windows that end at at_ms, changing nothing. */
void sq_track_judge(const struct sq_track *track, const struct sq_plan *plan, const struct sq_fleet *fleet, int64_t at_ms,
                    struct sq_evaluation *evaluation);

/* Nothing left to fold and no alert: it need not be evaluated until the next message. */
bool sq_track_is_idle(const struct sq_track *track);

/* Sums of the blocks that [from_ms, to_ms) touches. */
void sq_track_extras(const struct sq_track *track, int64_t from_ms, int64_t to_ms, uint32_t *collapsed, uint32_t *late);

#endif
