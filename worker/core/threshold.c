/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/threshold.h"

#include <math.h>

static const double decay = 0.9985569855219026; /* 2^(-1/480): half-life five days of blocks */
static const double bin_width = 0.5, first_edge = 0.5;
static const double blocks_a_week = 672, total_min = 192, tail_share_min = 0.02, threshold_min = 2;
static const double blocks_an_alert = 1.2; /* blocks above T that a false alarm takes up, as measured without events */
static const double others_peaks = 30; /* pseudo-peaks at the others' mean */
static const double episode_excess_max = 0.5, real_spike_excess = 1.5;

static int bin_of(double peak) { return (int)fmin((peak - first_edge) / bin_width, SQ_THRESHOLD_BINS - 1); }

void sq_peaks_add(struct sq_peaks *peaks, double peak)
{
    peaks->total++;
    if (peak >= first_edge) peaks->bins[bin_of(peak)]++;
}

static void add(struct sq_threshold *threshold, const struct sq_peaks *peaks)
{
    threshold->total += (float)peaks->total;
    for (int i = 0; i < SQ_THRESHOLD_BINS; i++) threshold->bins[i] += (float)peaks->bins[i];
}

void sq_threshold_take_blocks(struct sq_threshold *threshold, const struct sq_peaks *peaks)
{
    threshold->total = (float)(decay * (double)threshold->total);
    for (int i = 0; i < SQ_THRESHOLD_BINS; i++) threshold->bins[i] = (float)(decay * (double)threshold->bins[i]);
    add(threshold, peaks);
}

void sq_threshold_take_block(struct sq_threshold *threshold, double peak)
{
    struct sq_peaks one = {0};
    sq_peaks_add(&one, peak);
    sq_threshold_take_blocks(threshold, &one);
}

void sq_threshold_take_episode(struct sq_threshold *threshold, struct sq_peaks *others, double peak, double opened_by)
{
    if (peak >= opened_by + real_spike_excess) return;
    struct sq_peaks one = {0};
    sq_peaks_add(&one, fmin(peak, opened_by + episode_excess_max));
    add(threshold, &one);
    sq_peaks_add(others, fmin(peak, opened_by + episode_excess_max));
}

static double edge_of(int bin) { return first_edge + bin_width * bin; }

/* How far the peaks from a bin on lie above its edge: their sum, and how many they are. */
static double excess_of(const struct sq_threshold *threshold, int bin, double *count)
{
    double sum = 0;
    *count = 0;
    for (int i = bin; i < SQ_THRESHOLD_BINS; i++) {
        sum += (double)threshold->bins[i] * (edge_of(i) - edge_of(bin));
        *count += (double)threshold->bins[i];
    }
    return sum;
}

double sq_threshold_of(const struct sq_threshold *threshold, const struct sq_threshold *others, double budget)
{
    double total = (double)threshold->total;
    if (total < total_min) return SQ_THRESHOLD_START;
    double tail = 0;
    int bin = SQ_THRESHOLD_BINS;
    while (bin > 0 && tail < tail_share_min * total) tail += (double)threshold->bins[--bin];
    if (tail < tail_share_min * total) return SQ_THRESHOLD_START;

    double others_tail, excess = excess_of(threshold, bin, &tail), others_excess = excess_of(others, bin, &others_tail);
    double mean = others_tail > 0 ? (excess + others_peaks * others_excess / others_tail) / (tail + others_peaks) : excess / tail;
    double beta = mean > 0 ? bin_width / log(1 + bin_width / mean) : 0.1;
    double value = fmax(threshold_min, edge_of(bin) + beta * log(tail / total * blocks_a_week / (blocks_an_alert * budget)));
    return floor(value * 1024 + 0.5) / 1024;
}
