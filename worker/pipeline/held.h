/* SPDX-License-Identifier: Apache-2.0 */
/* A record as it came, kept until its partition may go on: nothing has looked into it. Thread: the loop's. */
#ifndef SQ_PIPELINE_HELD_H
#define SQ_PIPELINE_HELD_H

#include "worker/pipeline/owned.h"

struct sq_held {
    struct sq_owned *owned; /* a reference; NULL: nothing is held */
    struct sq_delivery_record record;
    char *memory;           /* owned: what the record's strings are views of */
};

/* Nothing may be held. False: no memory. */
bool sq_held_keep(struct sq_held *held, struct sq_owned *owned, const struct sq_delivery_record *record);
void sq_held_drop(struct sq_held *held); /* if there is one */

#endif
