/* SPDX-License-Identifier: Apache-2.0 */
/* What really happened: `--truth FILE`, JSON lines {"entity":"acme","start":1767225600000,"end":1767229200000}, times in milliseconds.
 *
 * A firing in [start, end + 15 minutes) catches the event; an alert that fires in the 45 minutes after that is neither right nor wrong; any
 * other is false. These bounds are those of ops/docs/DETECTION.md. */
#ifndef SQ_CLI_REPLAY_TRUTH_H
#define SQ_CLI_REPLAY_TRUTH_H

#include "worker/cli/replay_tally.h"

struct sq_replay_event {
    char entity[SQ_ENTITY_BYTES_MAX + 1];
    int64_t start_ms, end_ms;
};

struct sq_replay_truth {
    struct sq_replay_event *events; /* owned */
    uint32_t count, capacity;
};

struct sq_replay_verdict {
    unsigned events, caught, caught_early; /* early: within 20 minutes of the start */
    unsigned false_alerts;
    double delay_minutes; /* median over those caught; 0 without any */
};

/* SQ_E_IO: the file can't be read, or a line is not as above: the message names it. */
int sq_replay_truth_read(struct sq_replay_truth *truth, const char *path, struct sq_err *err);
void sq_replay_truth_deinit(struct sq_replay_truth *truth);

/* From the start of the event to the firing that caught it; -1: none did. */
int64_t sq_replay_truth_delay_ms(const struct sq_replay_event *event, const struct sq_replay_tally *tally);

/* Whether the alert is of no event. */
bool sq_replay_truth_is_false(const struct sq_replay_truth *truth, const struct sq_replay_episode *episode);

/* Events and alerts that start before from_ms count for nothing. SQ_E_NOMEM only. */
int sq_replay_truth_judge(const struct sq_replay_truth *truth, const struct sq_replay_tally *tally, int64_t from_ms, struct sq_replay_verdict *verdict,
                          struct sq_err *err);

#endif
