/* SPDX-License-Identifier: Apache-2.0 */
/* The share of a label spikes. */
#include <math.h>

#include "worker/core/betabinomial.h"
#include "worker/core/kind.h"
#include "worker/core/surge.h"

enum { JUDGED_MESSAGES_MIN = 4, UP_MATCHED_MIN = 2 };
static const double volume_phi = 0.15; /* a block's, beyond chance; what is made of it hardly depends on it */
static const double up_deviations = 1.2815515655446004; /* one in ten is as far up by chance */

static void fold(struct sq_track *track, const struct sq_plan *plan, int64_t block, struct sq_counts counts, double fleet_share)
{
    sq_baseline_fold(&track->baseline, plan, block, counts, fleet_share);
}

static void hold(struct sq_track *track, struct sq_counts counts, bool is_over)
{
    sq_baseline_hold(&track->baseline, counts);
    if (is_over) sq_baseline_note_recent(&track->baseline, counts);
}

static void begin_hold(struct sq_track *track) { sq_baseline_clear_shadow(&track->baseline); }
static void shift(struct sq_track *track) { sq_baseline_shift(&track->baseline); }

static bool has_authors(const struct sq_track *track, const struct sq_rule *rule, int64_t since_ms)
{
    if (track->authorless_ms >= since_ms) return true; /* nobody knows how many they are */
    return sq_copies_count_since(&track->matching_authors, since_ms) >= rule->min_authors;
}

static bool is_eligible(const struct sq_track *track, const struct sq_rule *rule, const struct sq_judgement *j)
{
    if (j->counts.count < rule->min_messages || j->counts.matched < rule->min_matched || j->counts.matched == 0) return false;
    double share = (double)j->counts.matched / (double)j->counts.count;
    return share - j->usual >= rule->min_lift_pp / 100 && share >= rule->min_lift_ratio * j->usual && has_authors(track, rule, j->start_ms);
}

/* By a normal tail, which is good enough for counting entities. */
static bool is_up(const struct sq_judgement *j)
{
    double n = j->counts.count, p = j->usual, excess = j->counts.matched - n * p;
    double variance = n * p * (1 - p) * (1 + (n - 1) / (j->spread + 1));
    return j->counts.matched >= UP_MATCHED_MIN && excess * fabs(excess) > up_deviations * up_deviations * variance;
}

static double evidence_of_volume(const struct sq_judgement *j, const struct sq_usual *usual)
{
    if (usual->rate <= 0) return 0;
    double blocks = (double)(j->end_ms - j->start_ms) / SQ_BLOCK_MS;
    return sq_surge_evidence(j->counts.count, j->counts.matched, j->usual, j->spread, usual->rate * blocks, volume_phi / blocks);
}

static void judge(const struct sq_track *track, const struct sq_plan *plan, unsigned window, double fleet_share, struct sq_judgement *j)
{
    double before_blocks;
    struct sq_counts before = sq_track_before(track, plan, j->start_ms, j->end_ms, &before_blocks);
    const struct sq_usual usual = sq_baseline_now(&track->baseline, fleet_share, before, before_blocks);
    j->usual = usual.share;
    j->spread = sq_betabinomial_me(sq_baseline_rho(&track->baseline, window), (double)track->baseline.messages, SQ_BASELINE_PRIOR);
    j->is_judged = j->counts.count >= JUDGED_MESSAGES_MIN;
    j->is_up = j->is_judged && is_up(j);
    j->is_double = j->counts.matched >= 2 * j->usual * j->counts.count;
    j->share_strength = j->strength = 0;
    if (!is_eligible(track, plan->rule, j)) return;
    j->share_strength = sq_kind_round(sq_betabinomial_strength(j->counts.count, j->counts.matched, j->usual, j->spread));
    j->strength = fmax(0, sq_kind_round(j->share_strength + evidence_of_volume(j, &usual)));
}

static void tell(const struct sq_track *track, const struct sq_judgement *j, struct sq_alert *alert)
{
    double rate = j->counts.count ? (double)j->counts.matched / (double)j->counts.count : 0;
    alert->stats.rate = rate;
    alert->stats.baseline_rate = j->usual;
    sq_betabinomial_range(j->counts.count, j->usual, j->spread, &alert->stats.baseline_low, &alert->stats.baseline_high);
    alert->stats.baseline_messages = (double)track->baseline.messages;
    alert->stats.lift_pp = 100 * (rate - j->usual);
    alert->stats.lift_ratio = rate / j->usual;
    alert->stats.p_value = pow(10, -j->share_strength);
}

const struct sq_kind sq_kind_rate = {true, 1, fold, hold, begin_hold, shift, judge, sq_kind_decide_strongest, tell};
