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

/* What they have in common. */
void sq_report_put_escaped(struct sq_buf *out, const char *text);
void sq_report_put_time(struct sq_buf *out, int64_t ms);       /* "2026-01-03 04:05" */
void sq_report_put_duration(struct sq_buf *out, int64_t ms);   /* "12 min", "5 h 22 min", "3.5 d" */

/* The page's parts, appended. */
void sq_report_html_head(struct sq_buf *out, const struct sq_report_subject *subject);
void sq_report_html_plot(struct sq_buf *out, const struct sq_report_series *series, const struct sq_report_subject *subject);
void sq_report_html_events(struct sq_buf *out, const struct sq_report_subject *subject); /* of the truth */
void sq_report_html_alerts(struct sq_buf *out, const struct sq_report_subject *subject);
void sq_report_html_end(struct sq_buf *out, unsigned left_out);

#endif
