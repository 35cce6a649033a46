/* SPDX-License-Identifier: Apache-2.0 */
/* sim_pipeline [--seeds N] [--from SEED] [--jobs N]   N seeds of the real pipeline in the simulated world, and each mutation caught
 * sim_pipeline --seed SEED [--mutation NAME] [-v]      one of them again, with the worker's log
 * sim_pipeline --script FILE [-v]                      a story told step by step, and its history on stdout */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/tiny_model.h"
#include "tests/sim/pipeline/sim.h"
#include "worker/io/log.h"

enum { MUTATION_SEEDS = 1000, JOBS_MAX = 64 };

static struct sq_config *make_config(void)
{
    struct sq_config *config;
    struct sq_err err;
    if (sq_config_default(&config, &err)) abort();
    snprintf(config->app, sizeof config->app, "t");
    config->output.partitions = SIM_SCORES_PARTITIONS;
    config->model.threads = 1;
    config->future_ms_max = 86400000;
    struct sq_rule *rule = &config->rules[0]; /* quick to fire and to resolve, so that a short run has many transitions */
    rule->threshold = 1;
    rule->min_messages = 3;
    rule->min_matched = 2;
    rule->min_authors = 0;
    rule->warmup_ms = 0;
    rule->warmup_messages = 0;
    rule->guard_ms = 0;
    rule->resolve_after_ms = 600000;
    return config;
}

static void complain(uint64_t seed, enum sim_mutation mutation, const struct sim_result *result)
{
    printf("seed %" PRIu64 " (%s): %s\n", seed, sim_mutation_names[mutation], result->violation);
    printf("again: sim_pipeline --seed %" PRIu64 " -v\n", seed);
}

/* Every `jobs`-th seed. 0: all sound. */
static int run_seeds(uint64_t from, unsigned count, unsigned job, unsigned jobs)
{
    struct sim_result sum = {0}, result;
    for (unsigned i = job; i < count; i += jobs) {
        if (!sim_run(from + i, SIM_SOUND, &result)) {
            complain(from + i, SIM_SOUND, &result);
            return 1;
        }
        sum.crashes += result.crashes;
        sum.freezes += result.freezes;
        sum.doubts += result.doubts;
        sum.alerts += result.alerts;
        sum.aborted += result.aborted;
        sum.killers += result.killers;
        sum.suspected += result.suspected;
        sum.sayings_saved += result.sayings_saved;
    }
    printf("%u of %u seeds from %" PRIu64 ": sound; %u crashes, %u freezes, %u commits in doubt, %u aborted transactions, %u transitions of alerts; "
           "%u records that kill found out, %u suspected; %u sayings of people saved\n",
           (count - job + jobs - 1) / jobs, count, from, sum.crashes, sum.freezes, sum.doubts, sum.aborted, sum.alerts, sum.killers,
           sum.suspected, sum.sayings_saved);
    return sum.alerts && sum.aborted && sum.killers && sum.sayings_saved ? 0 : 1; /* a world in which nothing happens shows nothing */
}

static int run_mutation(enum sim_mutation mutation, uint64_t from)
{
    struct sim_result result;
    for (unsigned i = 0; i < MUTATION_SEEDS; i++) {
        if (sim_run(from + i, mutation, &result)) continue;
        printf("%-22s caught by seed %" PRIu64 ", the %u.: %s\n", sim_mutation_names[mutation], from + i, i + 1, result.violation);
        return 0;
    }
    printf("%-22s not caught by %d seeds\n", sim_mutation_names[mutation], MUTATION_SEEDS);
    return 1;
}

static int run_job(uint64_t from, unsigned count, unsigned job, unsigned jobs)
{
    int status = job == 0 && !sim_health();
    status |= run_seeds(from, count, job, jobs);
    for (unsigned mutation = 1 + job; mutation < SIM_MUTATIONS; mutation += jobs) status |= run_mutation((enum sim_mutation)mutation, from);
    fflush(stdout);
    return status;
}

static int run_all(uint64_t from, unsigned count, unsigned jobs)
{
    int status = 0, child_status;
    for (unsigned job = 0; job < jobs; job++)
        if (fork() == 0) _exit(run_job(from, count, job, jobs));
    while (wait(&child_status) > 0) status |= child_status != 0;
    return status;
}

static int run_script(const char *path)
{
    struct sim_result result;
    FILE *script = fopen(path, "r");
    if (!script) {
        perror(path);
        return 2;
    }
    bool is_sound = sim_run_script(script, &result);
    if (!is_sound) fprintf(stderr, "%s: %s\n", path, result.violation);
    fclose(script);
    return !is_sound;
}

static enum sim_mutation mutation_of(const char *name)
{
    for (unsigned i = 0; i < SIM_MUTATIONS; i++)
        if (strcmp(sim_mutation_names[i], name) == 0) return (enum sim_mutation)i;
    fprintf(stderr, "there is no mutation '%s'\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    static struct sim world;
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_err err;
    uint64_t from = 1, one = 0;
    unsigned count = 20000, jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    enum sim_mutation mutation = SIM_SOUND;
    const char *script = NULL;
    sq_log_set(SQ_LOG_ERROR, SQ_LOG_TEXT);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) sq_log_set(SQ_LOG_DEBUG, SQ_LOG_TEXT);
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) count = (unsigned)atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--from") == 0) from = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0) jobs = (unsigned)atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) one = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--script") == 0) script = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--mutation") == 0) mutation = mutation_of(argv[++i]);
        else return 2;
    }
    test_folder_init(&folder);
    test_tiny_model_write(&folder);
    const struct sq_engine_options options = {.model_path = folder.path};
    if (sq_engine_open(&engine, &options, &err)) abort();
    world.config = make_config();
    world.engine = engine;
    sim = &world;
    int status;
    if (script) {
        status = run_script(script);
    } else if (one) {
        struct sim_result result;
        status = !sim_run(one, mutation, &result);
        if (status) complain(one, mutation, &result);
    } else {
        status = run_all(from, count, jobs < 1 ? 1 : jobs < JOBS_MAX ? jobs : JOBS_MAX);
    }
    sq_engine_close(engine);
    test_folder_deinit(&folder);
    return status;
}
