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
#include "worker/core/volume.h"

/* One window as it was judged. */
struct sq_judgement {
    int64_t start_ms, end_ms;
    struct sq_counts counts;
    double usual;      /* rate: share; volume: number of messages in the window; threshold: the rule's `above` */
    double spread;     /* rate: effective sample size of the predictive; volume: phi */
    double share_strength; /* rate: -log10 P of the share alone */
    double strength;   /* S, in steps of 1/1024; 0 where the window is not eligible; threshold: the share */
    bool is_judged;    /* there is enough to say whether it is up */
    bool is_up;        /* further up than nine in ten */
    bool is_double;    /* so far up that, in all windows at once, it is critical */
};

struct sq_track {
    struct sq_ring ring;
    int64_t first_ms;                         /* end of the bucket it was first evaluated at */
    int64_t last_ms;                          /* latest event time of any message, copies included */
    int64_t next_fold;                        /* number of the oldest block not yet folded */
    int64_t next_block;                       /* number of the oldest block whose end was not yet accounted for */
    uint64_t hold[SQ_HOLD_BLOCKS / 64];       /* blocks touched by an open alert, a bit each, modulo SQ_HOLD_BLOCKS */
    union {                                   /* what is usual; kind.h says whose it is */
        struct sq_baseline baseline;
        struct sq_volume volume;
    };
    struct sq_threshold tail;
    struct sq_episode episode;
    double threshold;                         /* T as it stands */
    float block_peak;                         /* largest S of the block that is open */
    bool block_touched;                       /* an alert was open in it */
    bool warm;
    uint32_t folded;                          /* messages, until warm */
    int64_t authorless_ms;                    /* latest match without an author; INT64_MIN: none */
    struct sq_copies texts, authors, matching_authors;
    uint64_t *simhashes;                      /* [SQ_COPIES_ENTRIES] of texts; owned; NULL unless the rule collapses near-copies */
    struct sq_examples examples;
    uint64_t model_digest;
    uint64_t saved_digest;                    /* of the bytes that were saved last; 0: none were */
};

/* What became of a message. */
enum sq_track_verdict { SQ_TRACK_COUNTED, SQ_TRACK_COLLAPSED_TEXT, SQ_TRACK_COLLAPSED_AUTHOR, SQ_TRACK_ABSTAINED, SQ_TRACK_SKIPPED, SQ_TRACK_NO_MEMORY };

/* How far back the ring's buckets are needed, at the end of the latest closed bucket. */
struct sq_ring_edges sq_track_edges(const struct sq_track *track, const struct sq_plan *plan, int64_t now_ms);

/* now_ms: end of the latest closed bucket. NULL without memory. */
struct sq_track *sq_track_open(const struct sq_plan *plan, int64_t now_ms);
void sq_track_close(struct sq_track *track); /* NULL is fine */

/* The blocks held so far become what is usual. */
void sq_track_shift(struct sq_track *track, const struct sq_plan *plan);

/* Makes up for the blocks that passed while there was nothing to evaluate. Before the first message after such a pause; else the ring
 * would count it in the place of an older bucket. */
void sq_track_catch_up(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms);

/* What came since the baseline's last block and before end_ms, in *blocks blocks; while an alert is open or a storm is on, without the blocks
 * that it touches. */
struct sq_counts sq_track_before(const struct sq_track *track, const struct sq_plan *plan, int64_t end_ms, int64_t now_ms, double *blocks);

/* Example texts before it are of no use any more. */
int64_t sq_track_examples_from(const struct sq_track *track, const struct sq_plan *plan);

/* Whether a bucket of this time can still be counted: its block is not folded. */
bool sq_track_is_open_at(const struct sq_track *track, int64_t ts_ms);

/* now_ms: end of the latest closed bucket. */
enum sq_track_verdict sq_track_count(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score,
                                     const char *topic, bool late, int64_t now_ms);

/* What one evaluation found; the transition only when sq_track_evaluate returns true. */
struct sq_evaluation {
    struct sq_judgement windows[SQ_RULE_WINDOWS_MAX];
    unsigned strongest;  /* index of the window that decides */
    double strength;     /* what decides, from the windows as the rule's type says */
    double threshold;    /* what S had to reach */
    struct sq_transition transition;
};

/* in_storm: most of the rule's entities are up at once, so that nothing new opens here, and the block is not learnt. */
bool sq_track_evaluate(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t at_ms, bool in_storm,
                       struct sq_evaluation *evaluation);

/* Judges the windows that end at at_ms, changing nothing. */
void sq_track_judge(const struct sq_track *track, const struct sq_plan *plan, const struct sq_fleet *fleet, int64_t at_ms,
                    struct sq_evaluation *evaluation);

/* Nothing left to fold and no alert: it need not be evaluated until the next message. */
bool sq_track_is_idle(const struct sq_track *track);

#endif
