/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/baseline.h"

#include <math.h>

static const double rho_prior = 0.02, rho_prior_weight = 400, rho_min = 0.005, rho_max = 0.2;
static const double recent_decay = 0.8908987181403393, recent_prior = 30; /* 2^(-1/6): half-life an hour and a half of blocks */
static const double rate_prior = 10;                                      /* pseudo-messages at the usual volume */
static const double share_min = 1e-4;

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

double sq_baseline_share(const struct sq_baseline *baseline, double fleet_share)
{
    double share = ((double)baseline->matched + SQ_BASELINE_PRIOR * fleet_share) / ((double)baseline->messages + SQ_BASELINE_PRIOR);
    return clamp(share, share_min, 1 - share_min);
}

struct sq_usual sq_baseline_now(const struct sq_baseline *baseline, double fleet_share, struct sq_counts before, double before_blocks)
{
    double share = sq_baseline_share(baseline, fleet_share);
    double messages = (double)baseline->recent_messages + before.count + recent_prior;
    double matched = (double)baseline->recent_matched + before.matched + recent_prior * share;
    struct sq_usual usual = {.share = clamp(matched / messages, share_min, 1 - share_min)};
    if (baseline->messages <= 0 || baseline->blocks <= 0) return usual;
    double usual_rate = (double)baseline->messages / (double)baseline->blocks;
    usual.rate = (before.count + rate_prior) / (before_blocks + rate_prior / usual_rate);
    return usual;
}

double sq_baseline_rho(const struct sq_baseline *baseline, unsigned window)
{
    double rho = ((double)baseline->excess[window] + rho_prior_weight * rho_prior) / ((double)baseline->weight[window] + rho_prior_weight);
    return clamp(rho, rho_min, rho_max);
}

/* At most three standard deviations above what the baseline expects. */
static double winsorised(double n, double k, double p, double rho)
{
    double limit = n * p + 3 * sqrt(n * p * (1 - p) * (1 + (n - 1) * rho));
    return k < limit ? k : limit;
}

/* One step of a window's overdispersion: (k - np)^2 / (np(1-p)) - 1 has the expectation (n-1) rho. Large windows say more, but not in
 * proportion: their own spread is larger too. */
static void step_rho(struct sq_baseline *baseline, const struct sq_window_plan *window, unsigned i, double p)
{
    double n = (double)baseline->step_count[i], k = (double)baseline->step_matched[i];
    double excess = 0, weight = 0;
    if (n > 1 && baseline->messages > 0) {
        double spread = 1 + (n - 1) * rho_prior;
        weight = (n - 1) / (spread * spread);
        excess = (k - n * p) * (k - n * p) / (n * p * (1 - p)) - 1;
    }
    baseline->excess[i] = (float)(window->decay * (double)baseline->excess[i] + weight * excess);
    baseline->weight[i] = (float)(window->decay * (double)baseline->weight[i] + weight * (n > 1 ? n - 1 : 0));
    baseline->step_count[i] = baseline->step_matched[i] = 0;
}

static void note_recent(struct sq_baseline *baseline, double n, double k)
{
    baseline->recent_messages = (float)(recent_decay * (double)baseline->recent_messages + n);
    baseline->recent_matched = (float)(recent_decay * (double)baseline->recent_matched + k);
}

void sq_baseline_fold(struct sq_baseline *baseline, const struct sq_plan *plan, int64_t block, struct sq_counts counts,
                      double fleet_share)
{
    double n = counts.count, p = sq_baseline_share(baseline, fleet_share);
    double k = n > 0 ? winsorised(n, counts.matched, p, sq_baseline_rho(baseline, 0)) : 0;
    for (unsigned i = 0; i < plan->windows_count; i++) {
        baseline->step_count[i] += (float)n;
        baseline->step_matched[i] += (float)k;
        if ((block + 1) % plan->windows[i].blocks == 0) step_rho(baseline, &plan->windows[i], i, p);
    }
    baseline->messages = (float)(plan->block_decay * (double)baseline->messages + n);
    baseline->matched = (float)(plan->block_decay * (double)baseline->matched + k);
    baseline->blocks = (float)(plan->block_decay * (double)baseline->blocks + 1);
    note_recent(baseline, n, k);
}

void sq_baseline_note_recent(struct sq_baseline *baseline, struct sq_counts counts) { note_recent(baseline, counts.count, counts.matched); }

void sq_baseline_hold(struct sq_baseline *baseline, struct sq_counts counts)
{
    baseline->shadow_messages += (float)counts.count;
    baseline->shadow_matched += (float)counts.matched;
    for (unsigned i = 0; i < SQ_RULE_WINDOWS_MAX; i++) baseline->step_count[i] = baseline->step_matched[i] = 0;
}

void sq_baseline_clear_shadow(struct sq_baseline *baseline) { baseline->shadow_messages = baseline->shadow_matched = 0; }

void sq_baseline_shift(struct sq_baseline *baseline)
{
    if (baseline->shadow_messages <= 0) return;
    double share = (double)baseline->shadow_matched / (double)baseline->shadow_messages;
    if (baseline->messages > baseline->shadow_messages) {
        baseline->blocks *= baseline->shadow_messages / baseline->messages;
        baseline->messages = baseline->shadow_messages;
    }
    baseline->matched = (float)(share * (double)baseline->messages);
    baseline->recent_matched = (float)(share * (double)baseline->recent_messages);
    sq_baseline_clear_shadow(baseline);
}
