/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/volume.h"

#include <math.h>

static const double phi_prior = 0.1, phi_prior_blocks = 20, phi_min = 0.02, phi_max = 3;

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

static double block_mean(const struct sq_volume *volume)
{
    return volume->blocks > 0 ? (double)volume->messages / (double)volume->blocks : 0;
}

double sq_volume_mean(const struct sq_volume *volume, int64_t length_ms)
{
    return block_mean(volume) * (double)length_ms / (double)SQ_BLOCK_MS;
}

static double phi_of(const struct sq_volume *volume, const struct sq_plan *plan, unsigned window)
{
    double mean = block_mean(volume) * plan->windows[window].blocks, prior = phi_prior_blocks * mean * mean;
    double weight = (double)volume->weight[window] + prior;
    return weight > 0 ? clamp(((double)volume->excess[window] + phi_prior * prior) / weight, phi_min, phi_max) : phi_max;
}

double sq_volume_spread(const struct sq_volume *volume, const struct sq_plan *plan, unsigned window)
{
    double phi = phi_of(volume, plan, window), mean = block_mean(volume);
    return mean > 0 ? phi + (phi_of(volume, plan, 0) + 1 / mean) / (double)volume->blocks : phi;
}

/* At most three standard deviations above what the baseline expects, and of one that expects less than a message, above one. */
static double winsorised(double y, double mean, double phi)
{
    double expected = mean > 1 ? mean : 1, limit = expected + 3 * sqrt(expected + phi * expected * expected);
    return y < limit ? y : limit;
}

static void step_phi(struct sq_volume *volume, const struct sq_window_plan *window, unsigned i, double block_mean_before)
{
    double mean = block_mean_before * window->blocks, y = (double)volume->step_count[i];
    double excess = (y - mean) * (y - mean) - mean;
    volume->excess[i] = (float)(window->decay * (double)volume->excess[i] + excess);
    volume->weight[i] = (float)(window->decay * (double)volume->weight[i] + mean * mean);
    volume->step_count[i] = 0;
}

void sq_volume_fold(struct sq_volume *volume, const struct sq_plan *plan, int64_t block, uint32_t count)
{
    double mean = block_mean(volume), y = volume->blocks > 0 ? winsorised(count, mean, phi_of(volume, plan, 0)) : count;
    for (unsigned i = 0; i < plan->windows_count; i++) {
        volume->step_count[i] += (float)y;
        if ((block + 1) % plan->windows[i].blocks != 0) continue;
        if (volume->blocks > 0) step_phi(volume, &plan->windows[i], i, mean);
        else volume->step_count[i] = 0;
    }
    volume->messages = (float)(plan->block_decay * (double)volume->messages + y);
    volume->blocks = (float)(plan->block_decay * (double)volume->blocks + 1);
}

void sq_volume_hold(struct sq_volume *volume, uint32_t count)
{
    volume->shadow_messages += (float)count;
    volume->shadow_blocks += 1;
    for (unsigned i = 0; i < SQ_RULE_WINDOWS_MAX; i++) volume->step_count[i] = 0;
}

void sq_volume_clear_shadow(struct sq_volume *volume) { volume->shadow_messages = volume->shadow_blocks = 0; }

void sq_volume_shift(struct sq_volume *volume)
{
    if (volume->shadow_blocks <= 0) return;
    double mean = (double)volume->shadow_messages / (double)volume->shadow_blocks;
    if (volume->blocks > volume->shadow_blocks) volume->blocks = volume->shadow_blocks;
    volume->messages = (float)(mean * (double)volume->blocks);
    sq_volume_clear_shadow(volume);
}
