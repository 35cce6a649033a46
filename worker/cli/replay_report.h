/* SPDX-License-Identifier: Apache-2.0 */
/* `squall replay --report FILE`: one HTML file that needs nothing else, with a plot an entity: its rate over the band that is usual for it,
 * the alerts, and how many messages there were. No script; light and dark as the reader's system is. */
#ifndef SQ_CLI_REPLAY_REPORT_H
#define SQ_CLI_REPLAY_REPORT_H

#include "worker/cli/replay_point.h"

enum {
    SQ_REPORT_SERIES_MAX = 500,  /* of rule and entity that are watched; further ones are only counted */
    SQ_REPORT_POINTS_MAX = 4096, /* a series; a longer history is shown more coarsely */
};

struct sq_report_series;

struct sq_replay_report {
    struct sq_report_series *series; /* uthash, by rule and entity; owned */
    unsigned count, left_out;
    int64_t step_ms, next_ms;        /* between two looks; event time of the next one */
};

void sq_replay_report_init(struct sq_replay_report *report);
void sq_replay_report_deinit(struct sq_replay_report *report);

/* After each record: looks at the detectors when it is time to. False without memory. */
bool sq_replay_report_note(struct sq_replay_report *report, const struct sq_replay_run *run, int64_t event_ms);

/* What the page is written from, besides what was noted. */
struct sq_report_subject {
    const struct sq_replay_point *point;      /* its rules and alerts */
    const struct sq_replay_figures *figures;
    const struct sq_replay_truth *truth;      /* NULL: without one */
    const char *input;
};

/* Writes the file, the busiest entities first. SQ_E_IO, SQ_E_NOMEM. */
int sq_replay_report_write(struct sq_replay_report *report, const struct sq_report_subject *subject, const char *path, struct sq_err *err);

#endif
