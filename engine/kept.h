/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a model from one start to the next, as entries of a cache (engine/cache.h).
 *
 *   verdict   what `precision: auto` settled on, for a model, CPU, instruction set and whatever else the trial looked at
 *   weights   the block of packed weights, for a model, task, instruction set and plan of rungs: whoever wants these maps this file
 */
#ifndef SQ_KEPT_H
#define SQ_KEPT_H

#include "engine/session.h"

struct sq_kept {
    struct sq_cache cache;
    bool needs_verdict; /* AUTO, and none is known yet */
    char model[256];    /* what the entries are about, and the name of their lock */
    char settings[96];  /* what the verdict hangs on besides */
};

/* Of an engine that is open but for its weights. cache_dir: NULL or "" for no cache. is_auto false: engine->plan is set. */
void sq_kept_open(struct sq_kept *kept, const struct sq_engine *engine, const char *cache_dir, bool is_auto);
/* Lets go of the lock; tells engine->info how it went. */
void sq_kept_close(struct sq_kept *kept, struct sq_engine *engine);

/* True: engine->plan, weights and info's verdict are set. False: needs_verdict says whether the plan is. */
bool sq_kept_find(struct sq_kept *kept, struct sq_engine *engine);

/* Until no other process makes what wasn't found, but only seconds: whoever goes on without the lock stores nothing. */
void sq_kept_lock_wait(struct sq_kept *kept);

/* Stores what was made, and uses the stored weights in place of the engine's own, so that all processes have the same copy. */
void sq_kept_store(struct sq_kept *kept, struct sq_engine *engine);

#endif
