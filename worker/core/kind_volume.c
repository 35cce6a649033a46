/* SPDX-License-Identifier: Apache-2.0 */
/* The number of messages spikes, whatever they say; copies count. The short window has to be surprising, and the long one half as much: a
 * burst of a minute that the hour doesn't notice is no event. */
#include <math.h>

#include "worker/core/kind.h"
#include "worker/core/negbinomial.h"

static const double hour_ms = 3600000, critical_times = 4, up_deviations = 1.2815515655446004;

static uint32_t messages_of(struct sq_counts counts) { return counts.count + counts.collapsed; }

static void fold(struct sq_track *track, const struct sq_plan *plan, int64_t block, struct sq_counts counts, double fleet_share)
{
    (void)fleet_share;
    if ((block + 1) * SQ_BLOCK_MS <= track->first_ms) return; /* before the entity was known: not empty, unknown */
    sq_volume_fold(&track->volume, plan, block, messages_of(counts));
}

static void hold(struct sq_track *track, struct sq_counts counts, bool is_over)
{
    (void)is_over;
    sq_volume_hold(&track->volume, messages_of(counts));
}

static void begin_hold(struct sq_track *track) { sq_volume_clear_shadow(&track->volume); }
static void shift(struct sq_track *track) { sq_volume_shift(&track->volume); }

static void judge(const struct sq_track *track, const struct sq_plan *plan, unsigned window, double fleet_share, struct sq_judgement *j)
{
    (void)fleet_share;
    uint32_t x = messages_of(j->counts);
    double mean = sq_volume_mean(&track->volume, j->end_ms - j->start_ms);
    j->usual = mean;
    j->spread = sq_volume_spread(&track->volume, plan, window);
    double excess = x - mean;
    j->is_judged = mean >= 1;
    j->is_up = j->is_judged && excess > 0 && excess * excess > up_deviations * up_deviations * (mean + j->spread * mean * mean);
    j->is_double = x >= critical_times * mean;
    j->strength = 0;
    if (mean <= 0 || x < plan->rule->min_messages || x < plan->rule->min_lift_ratio * mean) return;
    j->strength = sq_kind_round(sq_negbinomial_strength(x, mean, j->spread));
}

static void decide(const struct sq_plan *plan, struct sq_evaluation *evaluation)
{
    evaluation->strongest = 0;
    evaluation->strength = evaluation->windows[0].strength;
    for (unsigned i = 1; i < plan->windows_count; i++) evaluation->strength = fmin(evaluation->strength, 2 * evaluation->windows[i].strength);
}

static void tell(const struct sq_track *track, const struct sq_judgement *j, struct sq_alert *alert)
{
    double hours = (double)(j->end_ms - j->start_ms) / hour_ms, low, high;
    uint32_t messages = messages_of(j->counts);
    alert->stats.count = alert->stats.matched = messages;
    alert->stats.rate = messages / hours;
    alert->stats.baseline_rate = j->usual / hours;
    sq_negbinomial_range(j->usual, j->spread, &low, &high);
    alert->stats.baseline_low = low / hours;
    alert->stats.baseline_high = high / hours;
    alert->stats.baseline_messages = (double)track->volume.messages;
    alert->stats.lift_ratio = j->usual > 0 ? messages / j->usual : 0;
    alert->stats.p_value = pow(10, -j->strength);
}

const struct sq_kind sq_kind_volume = {false, 2, fold, hold, begin_hold, shift, judge, decide, tell};
