/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a rate, a volume and a threshold rule differ: what is usual, how a window is judged, and how it is told. The rest, from
 * counting to the life of an alert, they share. One file a kind; kind.c holds the table. */
#ifndef SQ_CORE_KIND_H
#define SQ_CORE_KIND_H

#include "worker/core/fleet.h"
#include "worker/core/track.h"

struct sq_kind {
    bool warms_by_messages;  /* enough messages end the warm-up before its time */
    double tail_scale;       /* of the bins by which T is found; see threshold.h */
    /* A settled block enters what is usual. */
    void (*fold)(struct sq_track *track, const struct sq_plan *plan, int64_t block, struct sq_counts counts, double fleet_share);
    /* A block that an open alert touches does not; should the alert last, the held blocks become what is usual. is_over: the alert has ended. */
    void (*hold)(struct sq_track *track, struct sq_counts counts, bool is_over);
    void (*begin_hold)(struct sq_track *track);
    void (*shift)(struct sq_track *track);
    /* Fills usual, spread, strength, and is_judged and is_up, from start_ms, end_ms and counts. */
    void (*judge)(const struct sq_track *track, const struct sq_plan *plan, unsigned window, double fleet_share, struct sq_judgement *j);
    /* Sets strength and strongest from the windows. */
    void (*decide)(const struct sq_plan *plan, struct sq_evaluation *evaluation);
    /* Fills the stats that depend on the kind: rate, baseline_*, lift_*, p_value. */
    void (*tell)(const struct sq_track *track, const struct sq_judgement *j, struct sq_alert *alert);
};

extern const struct sq_kind sq_kind_rate, sq_kind_volume, sq_kind_threshold;

const struct sq_kind *sq_kind_of(enum sq_rule_type type);

/* S in steps of 1/1024: the last bits of a libm differ from machine to machine. */
double sq_kind_round(double strength);

/* decide of a rule whose strongest window counts. */
void sq_kind_decide_strongest(const struct sq_plan *plan, struct sq_evaluation *evaluation);

#endif
