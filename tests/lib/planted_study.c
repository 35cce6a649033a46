/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/planted_study.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/judge.h"
#include "worker/core/detector.h"

struct run {
    struct planted_stream *stream;
    struct firings ours, peers[PEERS][PEERS_THRESHOLDS];
};

static int note_ours(const struct sq_alert *alert, void *ctx)
{
    struct run *run = ctx;
    if (alert->state == SQ_ALERT_FIRING && alert->kind == SQ_ALERT_RATE)
        firings_note(&run->ours, stream_entity_of(alert->entity), alert->at_ms, alert->reason == SQ_REASON_REOPEN);
    return 0;
}

static void note_peer(enum peer peer, unsigned threshold, unsigned entity, int64_t at_ms, bool reopened, void *ctx)
{
    struct run *run = ctx;
    firings_note(&run->peers[peer][threshold], entity, at_ms, reopened);
}

static struct planted_truth truth(unsigned entity, int64_t at_ms, void *ctx)
{
    const struct run *run = ctx;
    return planted_truth(run->stream, entity, at_ms);
}

static void must(int status, const struct sq_err *err)
{
    if (status == 0) return;
    fprintf(stderr, "%s\n", err->message);
    abort();
}

static void take_all(struct run *run, struct sq_detector *detector, struct peers *others)
{
    struct sq_err err;
    struct sq_score score = {0};
    unsigned entity;
    while (planted_next(run->stream, &score, &entity)) {
        must(sq_detector_take(detector, &score, score.event_time_ms, note_ours, run, &err), &err);
        if (others) peers_take(others, &score, entity);
    }
    must(sq_detector_finish(detector, note_ours, run, &err), &err);
}

static void judge_all(struct run *run, bool with_peers, struct planted_verdicts *verdicts)
{
    unsigned count;
    const struct planted *list = planted_list(run->stream, &count);
    verdicts->ours = verdict_of(list, count, &run->ours);
    free(run->ours.items);
    for (unsigned peer = 0; with_peers && peer < PEERS; peer++)
        for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) {
            verdicts->peers[peer][i] = verdict_of(list, count, &run->peers[peer][i]);
            free(run->peers[peer][i].items);
        }
}

void planted_run(const struct planted_options *options, double budget_per_entity_week, bool with_peers, struct planted_verdicts *verdicts)
{
    struct sq_err err;
    struct sq_detector *detector;
    struct sq_rule rule = judge_rule();
    rule.budget_per_entity_week = budget_per_entity_week;
    const struct sq_detector_options detector_options = {
        .app = "squall", .mode = "replay", .rules = &rule, .rules_count = 1, .time = judge_time(), .model_name = ""};
    must(sq_detector_open(&detector, &detector_options, &err), &err);
    static struct run run;
    run = (struct run){.stream = planted_open(options)};
    struct peers *others = with_peers ? peers_open(options->entities, note_peer, truth, &run) : NULL;
    take_all(&run, detector, others);
    judge_all(&run, with_peers, verdicts);
    if (others) peers_close(others);
    sq_detector_close(detector);
    planted_close(run.stream);
}
