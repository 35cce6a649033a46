/* SPDX-License-Identifier: Apache-2.0 */
/* People who silence entities and think better of it, as the HTTP API hears them. What they were told is saved must be in the state that
 * anybody restores at the end, whoever crashed meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"
#include "worker/pipeline/alert_state.h"
#include "worker/pipeline/alert_stage.h"

static struct sim_saying *saying_of(struct sq_receipt *receipt) { return (struct sim_saying *)receipt; }

static void on_settled(struct sq_receipt *receipt)
{
    struct sim_saying *saying = saying_of(receipt);
    bool is_saved = receipt->saved > 0;
    saying->known = !is_saved ? SIM_SAYING_UNKNOWN : saying->is_ending ? SIM_SAYING_ENDED : SIM_SAYING_HOLDS;
    sim->sayings_saved += is_saved;
}

static void say(struct sim_saying *saying, struct sq_alert_stage *stage)
{
    struct sq_silence silence = {.id = saying->id, .until_ms = INT64_C(4000000000000), .by = "me"};
    struct sq_alert_coverage coverage;
    struct sq_err err;
    snprintf(silence.entity, sizeof silence.entity, "e%u", (unsigned)(saying->id % 3));
    saying->is_ending = saying->known == SIM_SAYING_HOLDS && sim_chance(0.5);
    saying->receipt = (struct sq_receipt){.settled = on_settled};
    if (saying->is_ending) coverage = sq_alert_stage_unsilence(stage, saying->id, &saying->receipt);
    else if (sq_alert_stage_silence(stage, &silence, &saying->receipt, &coverage, &err)) return;
    if (!coverage.covered) return;
    saying->partition = coverage.partition >= 0 ? coverage.partition : saying->partition;
    saying->known = SIM_SAYING_UNKNOWN;
    if (sim->mutation == SIM_ANSWER_EARLY) saying->known = saying->is_ending ? SIM_SAYING_ENDED : SIM_SAYING_HOLDS;
}

void sim_say_something(void)
{
    struct sim_saying *saying = &sim->sayings[test_random_below(&sim->random, SIM_SAYINGS)];
    struct sim_worker *worker = &sim->workers[test_random_below(&sim->random, SIM_WORKERS)];
    saying->id = (uint64_t)(saying - sim->sayings) + 1;
    if (saying->receipt.waiting || !worker->is_alive || worker->frozen_until_ns > sim->now_ns) return;
    say(saying, sq_pipeline_alert(worker->pipeline));
}

/* ---- at the end ---- */

static int reopen(struct sq_detector **detector, void *ctx, struct sq_err *err)
{
    return sq_detector_open(detector, ctx, err);
}

static int ignore(const struct sq_alert *alert, void *ctx)
{
    (void)alert;
    (void)ctx;
    return 0;
}

static bool has(const struct sq_detector *detector, uint64_t id)
{
    const struct sq_silences *silences = sq_detector_silences(detector);
    for (unsigned i = 0; i < silences->count; i++)
        if (silences->items[i].id == id) return true;
    return false;
}

static void check_sayings(const struct sq_detector *detector, int32_t partition)
{
    for (unsigned i = 0; i < SIM_SAYINGS; i++) {
        const struct sim_saying *saying = &sim->sayings[i];
        if (saying->known == SIM_SAYING_UNKNOWN || saying->partition != partition) continue;
        if (has(detector, saying->id) != (saying->known == SIM_SAYING_HOLDS))
            sim_fail("silence %" PRIu64 " in partition %d %s, somebody was told", saying->id, (int)partition,
                     saying->known == SIM_SAYING_HOLDS ? "is saved" : "has ended");
    }
}

void sim_check_people(int32_t partition, struct sq_detector_options *options)
{
    const struct sim_log *log = &sim->broker.logs[SQ_TOPIC_STATE][partition];
    int64_t committed = sim->broker.groups[SQ_STAGE_ALERT].committed[partition].offset;
    struct sq_alert_restore restore;
    struct sq_alert_states states;
    struct sq_err err;
    if (sq_alert_states_init(&states, &err) || sq_alert_restore_init(&restore, reopen, options, &err)) abort();
    for (int64_t j = 0; j < log->count; j++)
        if (sim_is_committed(&sim->broker, &log->records[j]))
            sq_alert_restore_take(&restore, &states, log->records[j].key, log->records[j].value, reopen, options, &err);
    if (sq_alert_restore_end(&restore, committed, false, reopen, options, ignore, NULL, &err) == SQ_ALERT_REFUSED)
        sim_fail("state[%d]: %s", (int)partition, err.message);
    check_sayings(restore.detector, partition);
    sq_alert_restore_deinit(&restore);
    sq_alert_states_deinit(&states);
}
