/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a bad deploy (a wrong field name, the wrong topic, a broken model) from bad records: when too many of the latest records became dead
 * letters, the worker had better stop than empty the topic into them. An exact sliding count. Pure; one thread at a time. */
#ifndef SQ_CORE_LETTER_GATE_H
#define SQ_CORE_LETTER_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

enum { SQ_LETTER_GATE_OVER_MAX = 1000000 };

struct sq_letter_gate {
    double ratio_max;  /* 1: never shuts */
    unsigned over;     /* of how many of the latest records */
    unsigned at, seen; /* the next one's place; records so far, at most `over` */
    unsigned letters;  /* among them */
    uint64_t *bits;    /* owned: 1 for a dead letter */
};

/* over: 1 to SQ_LETTER_GATE_OVER_MAX. SQ_E_NOMEM. */
int sq_letter_gate_init(struct sq_letter_gate *gate, double ratio_max, unsigned over, struct sq_err *err);
void sq_letter_gate_deinit(struct sq_letter_gate *gate);

/* Counts a record. False: `over` records were seen and more than ratio_max of the latest ones are dead letters. */
bool sq_letter_gate_pass(struct sq_letter_gate *gate, bool is_letter);

#endif
