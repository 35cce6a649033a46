/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_SIM_SEAMS_H
#define SQ_SIM_SEAMS_H

#include "tests/sim/pipeline/sim.h"

struct sq_loop {
    struct sim_worker *worker;
    struct sq_timer *timers; /* owned */
    struct sq_wake *wakes;   /* owned */
};

struct sq_loop *sim_loop_open(struct sim_worker *worker);
void sim_pool_owner(struct sim_worker *worker); /* of the pools that are opened from now on */

#endif
