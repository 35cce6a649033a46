/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/threshold.h"

#include <math.h>

static const double decay = 0.9985569855219026; /* 2^(-1/480): half-life five days of blocks */
static const double bin_width = 0.5, first_edge = 0.5;
static const double blocks_a_week = 672, total_min = 192, tail_share_min = 0.02, threshold_min = 2;
static const double episode_excess_max = 0.5, real_spike_excess = 1.5;

static void add(struct sq_threshold *threshold, double peak)
{
    threshold->total += 1;
    if (peak < first_edge) return;
    int bin = (int)fmin((peak - first_edge) / bin_width, SQ_THRESHOLD_BINS - 1);
    threshold->bins[bin] += 1;
}

void sq_threshold_take_block(struct sq_threshold *threshold, double peak)
{
    threshold->total = (float)(decay * (double)threshold->total);
    for (int i = 0; i < SQ_THRESHOLD_BINS; i++) threshold->bins[i] = (float)(decay * (double)threshold->bins[i]);
    add(threshold, peak);
}

void sq_threshold_take_episode(struct sq_threshold *threshold, double peak, double opened_by)
{
    if (peak >= opened_by + real_spike_excess) return;
    add(threshold, fmin(peak, opened_by + episode_excess_max));
}

static double edge_of(int bin) { return first_edge + bin_width * bin; }

double sq_threshold_of(const struct sq_threshold *threshold, double budget)
{
    double total = (double)threshold->total;
    if (total < total_min) return SQ_THRESHOLD_START;
    double tail = 0;
    int bin = SQ_THRESHOLD_BINS;
    while (bin > 0 && tail < tail_share_min * total) tail += (double)threshold->bins[--bin];
    if (tail < tail_share_min * total) return SQ_THRESHOLD_START;

    double u = edge_of(bin), mean = 0;
    for (int i = bin; i < SQ_THRESHOLD_BINS; i++) mean += (double)threshold->bins[i] * (edge_of(i) - u);
    mean /= tail;
    double beta = mean > 0 ? bin_width / log(1 + bin_width / mean) : 0.1;
    double value = fmax(threshold_min, u + beta * log(tail / total * blocks_a_week / budget));
    return floor(value * 1024 + 0.5) / 1024;
}
