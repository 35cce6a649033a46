/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog at work: one worker in a world where nothing else goes wrong. What aborts the process does so in a child. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/metrics.h"
#include "tests/sim/pipeline/sim.h"
#include "worker/io/log.h"
#include "worker/pipeline/pipeline_parts.h"
#include "worker/pipeline/watchdog.h"

enum { SECOND_MS = 1000, LIVE_MS = 5000 }; /* LIVE_MS: as status.h promises for /livez */

#define CHECK(condition, what) \
    if (!(condition)) return complain(what)

static bool complain(const char *what)
{
    printf("watchdog: %s\n", what);
    return false;
}

static struct sim_worker *worker(void) { return &sim->workers[0]; }
static void pass(uint64_t ms) { sim_step_until(sim->now_ns + ms * SIM_MS); }

static void post(const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char value[128];
        int bytes = snprintf(value, sizeof value, "{\"text\":\"%s %u\",\"entity\":\"e\",\"ts\":%" PRIu64 "}", text, i, sim->now_ns / SIM_MS);
        sim_append(&sim->broker, SIM_TOPIC_INPUT, 0, -1, (struct sq_str){0}, (struct sq_str){value, (size_t)bytes});
    }
}

static void on_broker(void *ctx)
{
    (void)ctx;
    sim_broker_tick(&sim->broker);
    sim_after(50 * SIM_MS, NULL, on_broker, NULL);
}

static void begin(void)
{
    sim_open(1, SIM_SOUND);
    sim_worker_start(worker());
    sim_after(0, NULL, on_broker, NULL);
    pass(5 * SECOND_MS);
}

static struct sq_status status_of(void)
{
    struct sq_status status;
    sq_pipeline_status(worker()->pipeline, &status);
    return status;
}

static void find_stalled(const struct sq_partition_view *view, void *ctx) { *(bool *)ctx |= strcmp(view->state, "stalled") == 0; }

static bool is_stalled(void)
{
    bool found = false;
    sq_pipeline_partitions(worker()->pipeline, find_stalled, &found);
    return found;
}

/* ---- a pass that hangs ---- */

static bool hang(void)
{
    begin();
    CHECK(status_of().ready && status_of().live, "a worker with nothing to do isn't ready and alive");
    post("good", 20);
    post("hang", 1);
    pass(LIVE_MS / 2);
    CHECK(status_of().live, "a slow pass is taken for a hung one");
    pass(LIVE_MS);
    CHECK(!status_of().live, "/livez doesn't see a pass that hangs");
    CHECK(status_of().ready, "a pass that hangs makes /readyz flap");
    CHECK(sq_metric_value(SQ_M_OLDEST_PASS_SECONDS, 0) >= LIVE_MS / SECOND_MS, "a pass that hangs isn't exported");
    CHECK(status_of().scored == 20, "what came before it isn't out");
    pass(SQ_WATCHDOG_MS - 2 * LIVE_MS);
    fflush(stdout);
    sq_log_set(SQ_LOG_ERROR + 1, SQ_LOG_TEXT);
    pass(3 * LIVE_MS); /* ends here */
    return complain("a pass that hangs is not aborted");
}

static bool aborts(void)
{
    int ended = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(hang() ? 0 : 1);
    waitpid(child, &ended, 0);
    return WIFSIGNALED(ended) && WTERMSIG(ended) == SIGABRT;
}

/* ---- a broker that takes nothing, and a partition that so stands still ---- */

static bool broker_gone(void)
{
    begin();
    sim->faults.refuse = 1;
    post("good", 3000);
    pass(10 * SECOND_MS);
    CHECK(status_of().why[0], "nobody is told that commits fail");
    CHECK(!is_stalled(), "a pause is taken for a standstill");
    pass(2 * SQ_STALLED_MS);
    CHECK(is_stalled() && sq_metric_value(SQ_M_PARTITIONS_STALLED, SQ_STAGE_SCORE) == 1, "a partition that stands still isn't seen");
    CHECK(status_of().ready && status_of().live, "a broker that is away makes the probes fail, and a restart wouldn't help");
    CHECK(status_of().scored == 0, "what isn't committed counts as scored");
    sim->faults.refuse = 0;
    pass(60 * SECOND_MS);
    CHECK(!is_stalled() && sq_metric_value(SQ_M_PARTITIONS_STALLED, SQ_STAGE_SCORE) == 0, "a partition that moves again still counts as stalled");
    CHECK(status_of().scored == 3000 && !status_of().why[0], "it doesn't go on by itself");
    return true;
}

/* ---- scores that come late ---- */

/* For twice the time in which a record may be late nothing can be committed, while so many posts come a minute. */
static bool scores_pause(unsigned posts)
{
    begin();
    post("good", 300);
    pass(10 * SECOND_MS);
    int64_t dropped = sq_metric_value(SQ_M_LATE_RECORDS, 1);
    sim->faults.refuse = 1;
    for (int minute = 0; minute < 20; minute++) {
        post("good", posts);
        pass(60 * SECOND_MS);
    }
    sim->faults.refuse = 0;
    pass(60 * SECOND_MS);
    CHECK(status_of().scored == 300 + 20 * posts, "it doesn't go on after a pause");
    CHECK(sq_metric_value(SQ_M_LATE_RECORDS, 1) == dropped, "what waited in a pause of its own comes too late");
    return true;
}

/* ---- rebalances ---- */

static bool rebalances(void)
{
    begin();
    post("good", 500);
    for (int i = 0; i < 20; i++) {
        struct sim_worker *other = &sim->workers[1];
        if (other->is_alive) sim_worker_stop(other);
        else sim_worker_start(other);
        for (int j = 0; j < 30; j++) {
            pass(SECOND_MS / 10);
            CHECK(status_of().ready && status_of().live, "a rebalance makes the probes flap");
        }
    }
    return true;
}

bool sim_health(void)
{
    bool is_well = aborts();
    is_well &= broker_gone();
    sim_close();
    is_well &= scores_pause(2);
    sim_close();
    is_well &= scores_pause(300);
    sim_close();
    is_well &= rebalances();
    sim_close();
    if (is_well) printf("watchdog: hung passes, a broker that is gone, scores that come late, rebalances: all seen, and handled\n");
    return is_well;
}
