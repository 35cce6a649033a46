/* SPDX-License-Identifier: Apache-2.0 */
/* How well alerts agree with what was planted. An alert within [onset, end + 15 min) meets it; in the 45 minutes after an event it is
 * neither right nor wrong; else it is false, and one that meets a decoy is. The first seven days, in which baselines form, don't count. */
#ifndef SQ_TEST_VERDICT_H
#define SQ_TEST_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum planted_kind { PLANTED_EVENT, PLANTED_COPIES, PLANTED_BURST, PLANTED_DRIFT, PLANTED_KINDS };
enum { VERDICT_VOLUMES = 3, VERDICT_STRENGTHS = 4, VERDICT_WARMUP_DAYS = 7 };

struct planted {
    unsigned entity;
    enum planted_kind kind;
    double strength;    /* of events and copy storms: injected over usual messages */
    int64_t start_ms, end_ms;
};

struct firing {
    unsigned entity;
    int64_t at_ms;
    bool reopened;
};

struct firings {
    struct firing *items; /* owned; free() it */
    unsigned count;
};

void firings_note(struct firings *firings, unsigned entity, int64_t at_ms, bool reopened);

struct verdict_part {
    unsigned planted, met, early; /* events; early: within 20 minutes of the onset */
};

struct verdict {
    unsigned planted[PLANTED_KINDS], met[PLANTED_KINDS], early, alerts, false_alerts, reopenings;
    unsigned false_by_volume[VERDICT_VOLUMES];
    struct verdict_part by_volume[VERDICT_VOLUMES], by_strength[VERDICT_STRENGTHS];
    double delay_minutes; /* median over the events met */
};

extern const char *const verdict_strengths[VERDICT_STRENGTHS]; /* the classes, in words */

struct verdict verdict_of(const struct planted *list, unsigned count, const struct firings *firings);
void verdict_add(struct verdict *sum, const struct verdict *verdict); /* all but the delay */

double verdict_ratio(unsigned part, unsigned whole); /* 0 of nothing is 0 */
double verdict_recall(const struct verdict *verdict);
double verdict_early(const struct verdict *verdict);

#endif
