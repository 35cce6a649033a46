/* SPDX-License-Identifier: Apache-2.0 */
/* The share stands above a fixed one. Nothing is learnt; the strength is the share itself. With too few messages a share says nothing: it is
 * neither high enough to fire nor low enough to be calm. */
#include <math.h>

#include "worker/core/kind.h"

static void fold(struct sq_track *track, const struct sq_plan *plan, int64_t block, struct sq_counts counts, double fleet_share)
{
    (void)track, (void)plan, (void)block, (void)counts, (void)fleet_share;
}

static void hold(struct sq_track *track, struct sq_counts counts, bool is_over) { (void)track, (void)counts, (void)is_over; }
static void nothing(struct sq_track *track) { (void)track; }

static void judge(const struct sq_track *track, const struct sq_plan *plan, unsigned window, double fleet_share, struct sq_judgement *j)
{
    (void)track, (void)window, (void)fleet_share;
    const struct sq_rule *rule = plan->rule;
    double share = j->counts.count ? (double)j->counts.matched / (double)j->counts.count : 0;
    j->usual = rule->above;
    j->spread = 0;
    j->is_judged = j->is_up = j->is_double = false;
    j->strength = j->counts.count < rule->min_messages ? fmin(share, rule->resolve_below) : share;
}

static void decide(const struct sq_plan *plan, struct sq_evaluation *evaluation)
{
    (void)plan;
    evaluation->strongest = 0;
    evaluation->strength = evaluation->windows[0].strength;
}

static void tell(const struct sq_track *track, const struct sq_judgement *j, struct sq_alert *alert)
{
    (void)track;
    alert->stats.rate = j->counts.count ? (double)j->counts.matched / (double)j->counts.count : 0;
    alert->stats.baseline_rate = alert->stats.baseline_low = alert->stats.baseline_high = j->usual;
    alert->stats.lift_pp = 100 * (alert->stats.rate - j->usual);
    alert->stats.lift_ratio = j->usual > 0 ? alert->stats.rate / j->usual : 0;
    alert->stats.p_value = 1;
}

const struct sq_kind sq_kind_threshold = {true, 1, fold, hold, nothing, nothing, judge, decide, tell};
