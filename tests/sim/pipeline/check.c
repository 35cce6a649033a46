/* SPDX-License-Identifier: Apache-2.0 */
/* What a read_committed reader finds when all is out: each input record once, the alerts that an undisturbed run over the committed
 * scores gives, and what people were told is saved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/pipeline/sim.h"
#include "worker/core/detector.h"

enum { ARENA_BYTES = SQ_DECODE_SCRATCH_BYTES * 2 };

static void count(unsigned *counts[SIM_INPUT_PARTITIONS], int32_t partition, int64_t offset)
{
    bool is_known = partition >= 0 && partition < SIM_INPUT_PARTITIONS && offset >= 0 &&
                    offset < sim->broker.logs[SIM_TOPIC_INPUT][partition].count;
    if (is_known) counts[partition][offset]++;
    else sim_fail("an output of the unknown input posts[%d]@%lld", (int)partition, (long long)offset);
}

/* In a world of killers just these are found out; elsewhere workers die by chance, and a record may look like one. */
static void check_letter(const struct sim_record *letter, struct sim_result *result)
{
    const struct sim_record *source = &sim->broker.logs[SIM_TOPIC_INPUT][letter->source_partition].records[letter->source_offset];
    bool is_condemned = strcmp(letter->reason, sq_err_word(SQ_E_CRASH_LOOP)) == 0;
    bool is_killer = source->value.bytes > 9 && sim_is_killer((struct sq_str){source->value.data + 9, source->value.bytes - 9}); /* {"text":" */
    if (is_killer) result->killers++;
    else if (is_condemned) result->suspected++;
    if (sim->has_killers && is_condemned != is_killer)
        sim_fail("posts[%d]@%lld ended as %s", (int)letter->source_partition, (long long)letter->source_offset, letter->reason);
}

static void count_outputs(unsigned *counts[SIM_INPUT_PARTITIONS], struct sq_arena *arena, struct sim_result *result)
{
    for (int32_t i = 0; i < SIM_SCORES_PARTITIONS; i++) {
        const struct sim_log *log = &sim->broker.logs[SQ_TOPIC_SCORES][i];
        for (int64_t j = 0; j < log->count; j++) {
            struct sq_score score;
            struct sq_err err;
            if (!sim_is_committed(&sim->broker, &log->records[j])) continue;
            arena->used_bytes = 0;
            if (sq_score_decode(log->records[j].value, arena, &score, &err)) sim_fail("a score that is none: %s", err.message);
            else count(counts, score.source.partition, score.source.offset);
        }
    }
    const struct sim_log *letters = &sim->broker.logs[SQ_TOPIC_DLQ][0];
    for (int64_t j = 0; j < letters->count; j++) {
        if (!sim_is_committed(&sim->broker, &letters->records[j])) continue;
        count(counts, letters->records[j].source_partition, letters->records[j].source_offset);
        if (!sim->violation[0]) check_letter(&letters->records[j], result);
    }
}

static void check_records(struct sq_arena *arena, struct sim_result *result)
{
    unsigned *counts[SIM_INPUT_PARTITIONS];
    for (int32_t i = 0; i < SIM_INPUT_PARTITIONS; i++) counts[i] = calloc((size_t)sim->broker.logs[SIM_TOPIC_INPUT][i].count + 1, sizeof **counts);
    count_outputs(counts, arena, result);
    for (int32_t i = 0; i < SIM_INPUT_PARTITIONS; i++) {
        for (int64_t j = 0; j < sim->broker.logs[SIM_TOPIC_INPUT][i].count; j++)
            if (counts[i][j] != 1) sim_fail("posts[%d]@%lld came out %u times", (int)i, (long long)j, counts[i][j]);
        free(counts[i]);
    }
}

/* ---- alerts ---- */

enum { LINES_MAX = 4096 };

/* Transitions of a partition, a line each. */
struct transitions {
    char lines[LINES_MAX][64];
    unsigned count;
};

static int note(const struct sq_alert *alert, void *ctx)
{
    struct transitions *transitions = ctx;
    if (transitions->count < LINES_MAX)
        snprintf(transitions->lines[transitions->count++], sizeof *transitions->lines, "%016" PRIx64 "-%u", alert->alert_id, alert->seq);
    return 0;
}

static struct sq_detector_options options_of(int32_t partition)
{
    return (struct sq_detector_options){
        .app = sim->config->app, .mode = "live", .rules = sim->config->rules, .rules_count = sim->config->rules_count, .time = sim->config->time,
        .scores_partition = partition, .model_name = sq_engine_info(sim->engine)->name,
    };
}

static void expect(int32_t partition, struct sq_arena *arena, struct transitions *transitions)
{
    const struct sim_log *log = &sim->broker.logs[SQ_TOPIC_SCORES][partition];
    const struct sq_detector_options options = options_of(partition);
    struct sq_detector *detector;
    struct sq_err err;
    if (sq_detector_open(&detector, &options, &err)) abort();
    for (int64_t j = 0; j < log->count; j++) {
        struct sq_score score;
        if (!sim_is_committed(&sim->broker, &log->records[j])) continue;
        arena->used_bytes = 0;
        if (sq_score_decode(log->records[j].value, arena, &score, &err)) continue;
        sq_detector_take(detector, &score, log->records[j].timestamp_ms, note, transitions, &err);
    }
    sq_detector_close(detector);
}

/* The id and number that an alert's JSON carries. */
static void found_line(struct sq_str value, char line[64])
{
    char text[8192], id[32] = "";
    unsigned seq = 0;
    snprintf(text, sizeof text, "%.*s", (int)(value.bytes < sizeof text ? value.bytes : sizeof text - 1), value.data);
    const char *at = strstr(text, "\"alert_id\":\"");
    if (at) sscanf(at + 12, "%31[0-9a-f]", id);
    at = strstr(text, "\"seq\":");
    if (at) sscanf(at + 6, "%u", &seq);
    snprintf(line, 64, "%s-%u", id, seq);
}

static unsigned check_alerts(int32_t partition, struct sq_arena *arena)
{
    static struct transitions expected;
    const struct sim_log *log = &sim->broker.logs[SQ_TOPIC_ALERTS][partition];
    unsigned found = 0;
    expected.count = 0;
    expect(partition, arena, &expected);
    for (int64_t j = 0; j < log->count; j++) {
        char line[64];
        if (!sim_is_committed(&sim->broker, &log->records[j])) continue;
        found_line(log->records[j].value, line);
        if (found >= expected.count || strcmp(line, expected.lines[found]) != 0)
            sim_fail("alerts[%d]: transition %u is %s, an undisturbed run gives %s", (int)partition, found, line,
                     found < expected.count ? expected.lines[found] : "none");
        found++;
    }
    if (found < expected.count) sim_fail("alerts[%d]: %u transitions, an undisturbed run gives %u", (int)partition, found, expected.count);
    return found;
}

void sim_check(struct sim_result *result)
{
    struct sq_arena arena;
    struct sq_err err;
    if (sq_arena_init(&arena, ARENA_BYTES, &err)) abort();
    check_records(&arena, result);
    for (int32_t i = 0; i < SIM_SCORES_PARTITIONS; i++) {
        struct sq_detector_options options = options_of(i);
        result->alerts += check_alerts(i, &arena);
        sim_check_people(i, &options);
    }
    sq_arena_deinit(&arena);
}
