/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts of one run, kept: what a sweep counts, a diff compares, a truth judges and a report shows. */
#ifndef SQ_CLI_REPLAY_TALLY_H
#define SQ_CLI_REPLAY_TALLY_H

#include "engine/base/err.h"
#include "proto/records.h"

/* One alert from its first firing on. All texts are owned, in one block that starts at `rule`. */
struct sq_replay_episode {
    uint64_t alert_id;
    const char *rule, *entity;
    const char *summary;   /* of the first firing */
    const char *example;   /* its first example text; "": it had none */
    int64_t fired_ms, ends_ms; /* event time; INT64_MAX while open */
    unsigned reopenings;
    enum sq_severity severity; /* the highest */
    double strength;           /* the largest of its transitions */
};

struct sq_replay_firing {
    uint32_t episode; /* index */
    int64_t at_ms;
};

struct sq_replay_tally {
    struct sq_replay_episode *episodes; /* in the order of their first firings; owned */
    uint32_t episodes_count, episodes_capacity;
    struct sq_replay_firing *firings;   /* first ones and reopenings; owned */
    uint32_t firings_count, firings_capacity;
    struct sq_replay_index *index;      /* by alert_id */
};

void sq_replay_tally_init(struct sq_replay_tally *tally);
void sq_replay_tally_deinit(struct sq_replay_tally *tally);

/* Takes one transition. SQ_E_NOMEM only. */
int sq_replay_tally_take(struct sq_replay_tally *tally, const struct sq_alert *alert, struct sq_err *err);

/* NULL when there is none of that id. */
const struct sq_replay_episode *sq_replay_tally_find(const struct sq_replay_tally *tally, uint64_t alert_id);

/* Whether the two are alerts of the same rule about the same entity that were open at one time. */
bool sq_replay_episode_meets(const struct sq_replay_episode *a, const struct sq_replay_episode *b);

#endif
