/* SPDX-License-Identifier: Apache-2.0 */
/* What replay_report.c, which gathers, and replay_report_html.c, which draws, share. */
#ifndef SQ_CLI_REPLAY_REPORT_PARTS_H
#define SQ_CLI_REPLAY_REPORT_PARTS_H

#include "engine/base/hash.h"
#include "worker/cli/replay_report.h"

/* One look at one entity under one rule. */
struct sq_report_look {
    int64_t at_ms;
    float rate, usual, low, high; /* of the shortest window */
    uint32_t count;
};

struct sq_report_series {
    UT_hash_handle hh;
    struct sq_report_look *looks; /* owned */
    unsigned count, capacity;
    uint64_t messages;            /* of all looks */
    const char *rule, *entity;    /* point into the key */
    size_t key_bytes;
    char key[];                   /* rule NUL entity NUL */
};

/* The page's parts, appended. */
void sq_report_html_head(struct sq_buf *out, const char *input, const struct sq_replay_figures *figures);
void sq_report_html_plot(struct sq_buf *out, const struct sq_report_series *series, const struct sq_replay_tally *tally);
void sq_report_html_alerts(struct sq_buf *out, const struct sq_replay_tally *tally);
void sq_report_html_end(struct sq_buf *out, unsigned left_out);

#endif
