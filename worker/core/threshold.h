/* SPDX-License-Identifier: Apache-2.0 */
/* The threshold T of one entity from its budget of false alarms: peaks over threshold.
 *
 * A histogram, forgetting over five days, of the largest S of each calm 15-minute block. Its tail is taken as exponential, and T put where
 * `budget` alerts a week would lie above it, of 1.2 blocks each. Alerts that were false belong to the tail too: one enters when it
 * ends, cut to just above the T of its time. An alert far above T was a real spike and does not enter, or it would deafen the entity. How
 * steeply the tail falls is drawn to what all entities of the partition say, as all of the entity's peaks lie to theirs: the few peaks of its
 * tail alone make a restless T. */
#ifndef SQ_CORE_THRESHOLD_H
#define SQ_CORE_THRESHOLD_H

#include <stdint.h>

enum { SQ_THRESHOLD_BINS = 15, SQ_THRESHOLD_REFRESH_MS = 6 * 60 * 60 * 1000 };

#define SQ_THRESHOLD_START 3.3 /* until two days of blocks are in; P = 5e-4 */

struct sq_threshold {
    float total;                    /* blocks, decayed */
    float bins[SQ_THRESHOLD_BINS];  /* of 0.5 from 0.5 on, the last one open */
};

/* Blocks, counted by their peaks: whole numbers, so that the order of entities can't matter. */
struct sq_peaks {
    uint32_t total, bins[SQ_THRESHOLD_BINS];
};

void sq_peaks_add(struct sq_peaks *peaks, double peak);

/* The blocks that ended at one time: the histogram forgets a little, and takes them in. */
void sq_threshold_take_blocks(struct sq_threshold *threshold, const struct sq_peaks *peaks);

/* A block's largest S, or 0. */
void sq_threshold_take_block(struct sq_threshold *threshold, double peak);

/* An alert ended: its largest S, and the T it was opened by. It is counted among `others` as well. */
void sq_threshold_take_episode(struct sq_threshold *threshold, struct sq_peaks *others, double peak, double opened_by);

/* T for a budget of false alarms a week, rounded to 1/1024. others: of all entities of the partition. */
double sq_threshold_of(const struct sq_threshold *threshold, const struct sq_threshold *others, double budget);

#endif
