/* SPDX-License-Identifier: Apache-2.0 */
/* How far a worker is behind, how fast it works, and when it will have caught up; and, where that is wanted, what share of the records it had
 * better score until then. Fed once a second. Pure.
 *
 * The backlog is measured as time: how long what is waiting would take if all of it were scored at the pace of the last half minute in which
 * there was enough to do; an idle worker's rate says nothing about what it can. A worker is behind once that was over a minute for half a minute, and has caught up when it is under five seconds.
 *
 * The share is one of a few steps and moves rarely. It falls to the step that suits how far the backlog is over its bound, at once when there
 * is no time to lose but not twice within half a minute, and rises by one step when the backlog has come down to a quarter of what the lower
 * one was for. So it doesn't swing with each gust. */
#ifndef SQ_CORE_LOAD_H
#define SQ_CORE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct sq_load_second {
    int64_t lag;         /* records waiting; -1: unknown */
    uint64_t done;       /* records finished since the start, in whatever way */
    uint64_t scored;     /* of these, those that were scored */
    uint64_t assignment; /* changes with the partitions that are owned */
};

enum sq_load_news { SQ_LOAD_NOTHING, SQ_LOAD_BEHIND, SQ_LOAD_CAUGHT_UP };

struct sq_load {
    double backlog_seconds_max; /* above it the share falls; 0: the share is always 1 */
    struct sq_load_second last;
    unsigned seconds;           /* since the assignment last changed */
    double done_rate;           /* records a second, smoothed */
    double arrival_rate;
    double pace;                /* records scored in a second with records waiting from its beginning to its end, smoothed */
    unsigned busy_seconds;      /* the pace was taken from, up to the half minute */
    double seconds_behind;      /* the backlog was over a minute for so long */
    bool is_behind;
    unsigned step;              /* index of the share */
    unsigned step_hold_seconds; /* until it may change again */
};

/* Zeroes are a fresh one. backlog_max_seconds: see above. */
static inline void sq_load_init(struct sq_load *load, double backlog_seconds_max)
{
    *load = (struct sq_load){.backlog_seconds_max = backlog_seconds_max};
}

enum sq_load_news sq_load_note(struct sq_load *load, const struct sq_load_second *second);

double sq_load_share(const struct sq_load *load);           /* of the records that are to be scored: in (0, 1] */
double sq_load_backlog_seconds(const struct sq_load *load); /* -1: unknown */
/* Until nothing waits any more, if all goes on as now. INFINITY: more comes than is done. -1: unknown. */
double sq_load_catch_up_seconds(const struct sq_load *load);

#endif
