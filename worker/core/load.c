/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/load.h"

#include <math.h>

enum {
    SETTLE_SECONDS = 10,      /* after a new assignment rates say nothing yet, and a pace takes as long */
    STEP_SECONDS_MIN = 30,
    BEHIND_SECONDS = 30,
    LAG_MIN = 100,            /* records that are never a backlog */
};
static const double behind_backlog_seconds = 60, caught_up_backlog_seconds = 5;
enum { SMOOTHED_SECONDS = 30 };
static const double shares[] = {1, 0.5, 0.2, 0.1, 0.05};
enum { STEPS = sizeof shares / sizeof *shares };

static void smooth(double *rate, double count) { *rate += (count - *rate) / SMOOTHED_SECONDS; }

static void note_pace(struct sq_load *load, const struct sq_load_second *second)
{
    if (load->last.lag < LAG_MIN || second->lag < LAG_MIN) return;
    if (load->busy_seconds < SMOOTHED_SECONDS) load->busy_seconds++;
    load->pace += ((double)(second->scored - load->last.scored) - load->pace) / load->busy_seconds;
}

static void note_rates(struct sq_load *load, const struct sq_load_second *second)
{
    const struct sq_load_second *last = &load->last;
    double done = (double)(second->done - last->done);
    bool is_same = second->assignment == last->assignment && last->lag >= 0 && second->lag >= 0;
    load->seconds = is_same ? load->seconds + 1 : 0;
    if (load->seconds == 1) { /* better than to grow from nothing */
        load->done_rate = done;
        load->arrival_rate = fmax(0, done + (double)(second->lag - last->lag));
    } else if (is_same) {
        smooth(&load->done_rate, done);
        smooth(&load->arrival_rate, done + (double)(second->lag - last->lag));
    }
    if (is_same) note_pace(load, second);
    load->last = *second;
}

static bool is_known(const struct sq_load *load) { return load->last.lag >= 0 && load->seconds >= SETTLE_SECONDS; }

double sq_load_backlog_seconds(const struct sq_load *load)
{
    if (load->last.lag >= 0 && load->last.lag < LAG_MIN) return 0;
    return is_known(load) && load->busy_seconds >= SETTLE_SECONDS ? (double)load->last.lag / fmax(load->pace, 1) : -1;
}

double sq_load_catch_up_seconds(const struct sq_load *load)
{
    if (load->last.lag == 0) return 0;
    if (!is_known(load)) return -1;
    double gain = load->done_rate - load->arrival_rate;
    return gain > 0.001 * load->done_rate ? (double)load->last.lag / gain : INFINITY;
}

static enum sq_load_news note_behind(struct sq_load *load, double backlog_seconds)
{
    load->seconds_behind = backlog_seconds > behind_backlog_seconds ? load->seconds_behind + 1 : 0;
    if (!load->is_behind && load->seconds_behind >= BEHIND_SECONDS) {
        load->is_behind = true;
        return SQ_LOAD_BEHIND;
    }
    if (load->is_behind && backlog_seconds >= 0 && backlog_seconds < caught_up_backlog_seconds) {
        load->is_behind = false;
        return SQ_LOAD_CAUGHT_UP;
    }
    return SQ_LOAD_NOTHING;
}

/* Each step is for a backlog of twice the one before: 1, 2, 4, 8 times the bound. */
static double backlog_for(const struct sq_load *load, unsigned step) { return ldexp(load->backlog_seconds_max, (int)step - 1); }

static void note_step(struct sq_load *load, double backlog_seconds)
{
    if (load->step_hold_seconds > 0) load->step_hold_seconds--;
    if (load->backlog_seconds_max <= 0 || backlog_seconds < 0 || load->step_hold_seconds > 0) return;
    unsigned step = load->step;
    while (step + 1 < STEPS && backlog_seconds > backlog_for(load, step + 1)) step++;
    if (step == load->step && step > 0 && backlog_seconds < backlog_for(load, step) / 4) step--;
    if (step == load->step) return;
    load->step = step;
    load->step_hold_seconds = STEP_SECONDS_MIN;
}

enum sq_load_news sq_load_note(struct sq_load *load, const struct sq_load_second *second)
{
    note_rates(load, second);
    double backlog_seconds = sq_load_backlog_seconds(load);
    note_step(load, backlog_seconds);
    return note_behind(load, backlog_seconds);
}

double sq_load_share(const struct sq_load *load) { return shares[load->step]; }
