/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/kept.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/cpu_name.h"

enum { LOCK_WAIT_MS_MAX = 10000, MADE_FOR_BYTES = 1024 };
static const char verdict_kind[] = "verdict", weights_kind[] = "weights";

/* A verdict's payload. */
struct verdict {
    double agreement, difference;
    char plan[SQ_PRECISION_PLAN_BYTES];
};

void sq_kept_open(struct sq_kept *kept, const struct sq_engine *engine, const char *cache_dir, bool is_auto)
{
    char cpu[SQ_CPU_NAME_BYTES];
    const struct sq_model_info *info = &engine->info;
    *kept = (struct sq_kept){.needs_verdict = is_auto};
    sq_cache_open(&kept->cache, cache_dir);
    sq_cpu_name(cpu);
    snprintf(kept->model, sizeof kept->model, "model %s task %d isa %s", info->xxh128, (int)info->task, engine->encoder.kernels->isa);
    snprintf(kept->settings, sizeof kept->settings, "cpu %s normalise %d tokens %u", cpu, (int)info->normalise, info->tokens_max);
}

void sq_kept_close(struct sq_kept *kept, struct sq_engine *engine)
{
    sq_cache_unlock(&kept->cache);
    snprintf(engine->info.cache_trouble, sizeof engine->info.cache_trouble, "%s", kept->cache.trouble);
    engine->info.is_shared = engine->weights.is_lent;
}

/* ---- the verdict ---- */

static void name_verdict(const struct sq_kept *kept, char made_for[MADE_FOR_BYTES])
{
    snprintf(made_for, MADE_FOR_BYTES, "%s %s", kept->model, kept->settings);
}

static bool take_verdict(struct sq_engine *engine, struct sq_str payload)
{
    struct verdict verdict;
    if (payload.bytes != sizeof verdict) return false;
    memcpy(&verdict, payload.data, sizeof verdict);
    bool is_sane = verdict.agreement >= 0 && verdict.agreement <= 1 && isfinite(verdict.difference) && memchr(verdict.plan, '\0', sizeof verdict.plan);
    if (!is_sane || !sq_precision_plan_read(&engine->plan, verdict.plan, engine->encoder.kernels, engine->config.stored_layers)) return false;
    engine->info.precision_agreement = verdict.agreement;
    engine->info.precision_difference = verdict.difference;
    return true;
}

static bool find_verdict(struct sq_kept *kept, struct sq_engine *engine)
{
    char made_for[MADE_FOR_BYTES];
    struct sq_cache_entry entry;
    name_verdict(kept, made_for);
    if (!sq_cache_find(&kept->cache, &entry, verdict_kind, made_for)) return false;
    bool is_taken = take_verdict(engine, entry.payload);
    sq_cache_entry_close(&entry);
    return is_taken;
}

static void store_verdict(struct sq_kept *kept, const struct sq_engine *engine)
{
    char made_for[MADE_FOR_BYTES];
    struct verdict verdict = {.agreement = engine->info.precision_agreement, .difference = engine->info.precision_difference};
    sq_precision_plan_write(verdict.plan, &engine->plan, engine->encoder.kernels, engine->config.stored_layers);
    name_verdict(kept, made_for);
    sq_cache_store(&kept->cache, verdict_kind, made_for, &(struct sq_str){(const char *)&verdict, sizeof verdict}, 1);
}

/* ---- the weights ---- */

enum { FACTS_BYTES = 64 }; /* so that the block behind them starts on a cache line */
_Static_assert(sizeof(struct sq_weights_facts) <= FACTS_BYTES, "facts fit their place");

static void name_weights(const struct sq_kept *kept, const struct sq_engine *engine, char made_for[MADE_FOR_BYTES])
{
    char plan[SQ_PRECISION_PLAN_BYTES];
    sq_precision_plan_write(plan, &engine->plan, engine->encoder.kernels, engine->config.stored_layers);
    snprintf(made_for, MADE_FOR_BYTES, "%s plan %s", kept->model, plan);
}

/* Leaves the engine's weights as they are where it fails. */
static bool take_weights(struct sq_engine *engine, struct sq_str payload)
{
    struct sq_err err;
    struct sq_weights_facts facts;
    struct sq_weights weights;
    if (payload.bytes < FACTS_BYTES) return false;
    memcpy(&facts, payload.data, sizeof facts);
    if (sq_weights_lend(&weights, &engine->config, engine->encoder.kernels, &engine->plan, &facts, payload.data + FACTS_BYTES, payload.bytes - FACTS_BYTES, &err) < 0)
        return false;
    sq_weights_close(&engine->weights);
    engine->weights = weights;
    return true;
}

static bool find_weights(struct sq_kept *kept, struct sq_engine *engine)
{
    char made_for[MADE_FOR_BYTES];
    struct sq_cache_entry entry;
    name_weights(kept, engine, made_for);
    if (!sq_cache_find(&kept->cache, &entry, weights_kind, made_for)) return false;
    if (take_weights(engine, entry.payload)) {
        engine->kept = entry;
        return true;
    }
    sq_cache_entry_close(&entry);
    return false;
}

static bool store_weights(struct sq_kept *kept, const struct sq_engine *engine)
{
    char made_for[MADE_FOR_BYTES], facts[FACTS_BYTES] = {0};
    struct sq_weights_facts some;
    sq_weights_facts(&some, &engine->weights, &engine->config);
    memcpy(facts, &some, sizeof some);
    const struct sq_str parts[] = {{facts, sizeof facts}, {(const char *)engine->weights.block, engine->weights.bytes}};
    name_weights(kept, engine, made_for);
    return sq_cache_store(&kept->cache, weights_kind, made_for, parts, 2);
}

/* ---- both ---- */

bool sq_kept_find(struct sq_kept *kept, struct sq_engine *engine)
{
    if (kept->needs_verdict && !find_verdict(kept, engine)) return false;
    kept->needs_verdict = false;
    return find_weights(kept, engine);
}

void sq_kept_lock_wait(struct sq_kept *kept) { sq_cache_lock_wait(&kept->cache, kept->model, LOCK_WAIT_MS_MAX); }

void sq_kept_store(struct sq_kept *kept, struct sq_engine *engine)
{
    if (kept->needs_verdict) store_verdict(kept, engine);
    if (find_weights(kept, engine) || !store_weights(kept, engine)) return;
    find_weights(kept, engine);
}
