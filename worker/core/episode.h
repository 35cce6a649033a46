/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an alert as one table of transitions, driven by one evaluation after the other in event time.
 *
 *     NORMAL -> PENDING -> OPEN -> COOLING -> NORMAL
 *                           ^---------'         reopened: the same alert again
 *
 * A cold entity is NORMAL with a threshold of at least SQ_COLD_THRESHOLD; the caller sees to that. Pure: no clock, no memory but its own. */
#ifndef SQ_CORE_EPISODE_H
#define SQ_CORE_EPISODE_H

#include "proto/records.h"
#include "worker/core/rule.h"

#define SQ_COLD_THRESHOLD 6.0

enum sq_phase { SQ_PHASE_NORMAL, SQ_PHASE_PENDING, SQ_PHASE_OPEN, SQ_PHASE_COOLING };

struct sq_episode {
    enum sq_phase phase;
    enum sq_severity severity;   /* highest since it was (re)opened */
    bool flapping;               /* reopened twice: calm has to last twice as long */
    bool acknowledged;           /* somebody took it: no reminders; until it worsens, ends or comes back */
    uint32_t seq;                /* of the next transition */
    uint32_t reopen_count;
    double threshold;            /* T, and half of it to resolve, as fixed when it opened */
    float peak;                  /* largest S of the episode */
    int64_t first_ms;            /* first S >= T: starts_at, and part of the alert's id */
    int64_t opened_ms, resolved_ms;
    int64_t noticed_ms;          /* latest notice */
    int64_t repeat_ms;           /* from it to the next reminder */
    int64_t calm_ms;             /* spent below T/2; stands still while there are no messages */
};

/* One evaluation. */
struct sq_reading {
    int64_t at_ms;               /* end of the bucket */
    int64_t step_ms;             /* since the evaluation before */
    double strength, threshold;  /* S, and T as it stands now */
    enum sq_severity severity;   /* were it firing */
    bool has_messages;           /* in the longest window */
    int64_t last_message_ms;     /* of the entity, copies included */
};

struct sq_transition {
    enum sq_alert_state state;
    enum sq_alert_reason reason;
    uint32_t seq;
};

/* True when there is something to tell; at most one transition an evaluation. */
bool sq_episode_step(struct sq_episode *episode, const struct sq_rule *rule, const struct sq_reading *reading,
                     struct sq_transition *transition);

/* Somebody takes an open alert; false when none is open, or it is taken already. */
bool sq_episode_acknowledge(struct sq_episode *episode, int64_t at_ms, struct sq_transition *transition);

/* Ends an open alert from outside; false when none was open. */
bool sq_episode_end(struct sq_episode *episode, int64_t at_ms, enum sq_alert_reason reason, struct sq_transition *transition);

#endif
