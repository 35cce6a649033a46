/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/threshold.h"

#include <math.h>

static const double decay = 0.9985569855219026; /* 2^(-1/480): half-life five days of blocks */
static const double bin_width = 0.5, first_edge = 0.5;
static const double blocks_a_week = 672, total_min = 192, tail_share_min = 0.02, threshold_min = 2;
static const double blocks_an_alert = 1.2; /* blocks above T that a false alarm takes up, as measured without events */
static const double others_in_tail = 20, others_in_all = 100; /* pseudo-peaks at the others' mean: in the tail, and of all peaks */
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

/* How far the peaks from a bin on lie above its edge, on average with so many more where others are; negative: there are none. */
static double mean_excess(const struct sq_threshold *threshold, int bin, double others, double others_mean)
{
    double count = others_mean < 0 ? 0 : others, sum = count * others_mean;
    for (int i = bin; i < SQ_THRESHOLD_BINS; i++) {
        count += (double)threshold->bins[i];
        sum += (double)threshold->bins[i] * (edge_of(i) - edge_of(bin));
    }
    return count > 0 ? sum / count : -1;
}

/* Others' tails as far as they go with this entity: it has few peaks in its tail, but many below, and where those lie closer together than
 * others' the tail is steeper too. */
static double tail_excess(const struct sq_threshold *threshold, const struct sq_threshold *others, int bin)
{
    double others_all = mean_excess(others, 0, 0, -1), others_tail = mean_excess(others, bin, 0, -1);
    double alike = others_all > 0 ? mean_excess(threshold, 0, others_in_all, others_all) / others_all : 1;
    return mean_excess(threshold, bin, others_in_tail, alike * others_tail);
}

double sq_threshold_of(const struct sq_threshold *threshold, const struct sq_threshold *others, double budget)
{
    double total = (double)threshold->total;
    if (total < total_min) return SQ_THRESHOLD_START;
    double tail = 0;
    int bin = SQ_THRESHOLD_BINS;
    while (bin > 0 && tail < tail_share_min * total) tail += (double)threshold->bins[--bin];
    if (tail < tail_share_min * total) return SQ_THRESHOLD_START;

    double mean = tail_excess(threshold, others, bin);
    double beta = mean > 0 ? bin_width / log(1 + bin_width / mean) : 0.1;
    double value = fmax(threshold_min, edge_of(bin) + beta * log(tail / total * blocks_a_week / (blocks_an_alert * budget)));
    return floor(value * 1024 + 0.5) / 1024;
}
