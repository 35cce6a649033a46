/* SPDX-License-Identifier: Apache-2.0 */
/* A rule turned into the numbers its arithmetic runs on: buckets instead of milliseconds, decay factors instead of half-lives. Made once
 * a detector, read-only afterwards. */
#ifndef SQ_CORE_PLAN_H
#define SQ_CORE_PLAN_H

#include "engine/base/err.h"
#include "worker/core/rule.h"

enum {
    SQ_BLOCK_MS = 15 * 60 * 1000,     /* what the baseline is folded in */
    SQ_EDGE_MS = 5 * 60 * 1000,       /* where windows longer than a block begin, so that older buckets may be stored five at a time */
    SQ_SKEW_MS_MAX = 12 * 60 * 60 * 1000, /* a source further behind the leading one than this no longer holds the watermark */
    SQ_SKEW_MS_USUAL = 60 * 60 * 1000,    /* what W starts behind the first record */
    SQ_WINDOW_MS_MAX = 6 * 60 * 60 * 1000,
    SQ_GUARD_MS_MAX = 12 * 60 * 60 * 1000,
    SQ_HOLD_BLOCKS = 128,             /* bits of the hold mask: of the blocks from the oldest unfolded to the present */
    SQ_MIN_AUTHORS_MAX = 8,
};

struct sq_window_plan {
    int64_t length_ms;
    unsigned blocks;     /* of one step of its overdispersion */
    double decay;        /* a step */
};

struct sq_plan {
    const struct sq_rule *rule; /* borrowed */
    int64_t bucket_ms;
    int64_t lag_ms;             /* a block is folded when its end is this far behind: longest window + guard */
    int64_t longest_ms;
    int64_t fine_ms;            /* the longest window of at most a block: it begins at any bucket */
    uint32_t block_buckets, edge_buckets;
    unsigned windows_count;
    struct sq_window_plan windows[SQ_RULE_WINDOWS_MAX]; /* shortest first */
    double block_decay;
    double threshold;           /* that a new entity starts with */
    bool has_budget;            /* the threshold follows from the entity's past */
};

/* SQ_E_CONFIG: a value out of its bounds, named as rules.NAME.KEY; also an unknown {{placeholder}} in an annotation. */
int sq_plan_init(struct sq_plan *plan, const struct sq_rule *rule, const struct sq_time_rules *time, struct sq_err *err);

/* Towards minus infinity: event time may be counted from zero, and windows reach back from there. */
static inline int64_t sq_floor_div(int64_t number, int64_t by) { return number / by - (number % by < 0); }

/* 2^-(step / half_life) by plain arithmetic: the same bits with every libm. */
double sq_plan_decay(int64_t step_ms, int64_t half_life_ms);

#endif
