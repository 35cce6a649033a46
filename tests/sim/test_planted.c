/* SPDX-License-Identifier: Apache-2.0 */
/* Planted events in streams of what the model said of real texts (tests/lib/planted.h): the detector at its defaults against the rules of
 * others at their best thresholds. As a test, one short stream with generous bounds; `sim_planted SEEDS [ENTITIES [DAYS [DECK]]]` prints what
 * ops/docs/DETECTION.md shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "tests/lib/judge.h"
#include "tests/lib/peers.h"
#include "tests/lib/planted.h"
#include "worker/core/detector.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, WARMUP_DAYS = 7, VOLUMES = 3, STRENGTHS = 4 };
static const int64_t start_ms = 1767225600000, day_ms = INT64_C(24) * HOUR_MS;
static const char *const kind_names[PLANTED_KINDS] = {"events", "copy storms", "neutral bursts", "drifts"};

struct firing {
    unsigned entity;
    int64_t at_ms;
    bool reopened;
};

struct firings {
    struct firing *items;
    unsigned count;
};

struct run {
    struct firings ours, peers[PEERS][PEERS_THRESHOLDS];
};

struct verdict {
    unsigned planted[PLANTED_KINDS], met[PLANTED_KINDS], early, alerts, false_alerts, reopenings;
    unsigned false_by_volume[VOLUMES], by_strength[STRENGTHS], met_by_strength[STRENGTHS], by_volume[VOLUMES], met_by_volume[VOLUMES];
    double delay_minutes;
};

static void note(struct firings *firings, unsigned entity, int64_t at_ms, bool reopened)
{
    if ((firings->count & (firings->count - 1)) == 0) {
        firings->items = realloc(firings->items, (firings->count ? 2 * firings->count : 1) * sizeof *firings->items);
        if (!firings->items) abort();
    }
    firings->items[firings->count++] = (struct firing){entity, at_ms, reopened};
}

static int note_ours(const struct sq_alert *alert, void *ctx)
{
    struct run *run = ctx;
    if (alert->state == SQ_ALERT_FIRING && alert->kind == SQ_ALERT_RATE)
        note(&run->ours, stream_entity_of(alert->entity), alert->at_ms, alert->reason == SQ_REASON_REOPEN);
    return 0;
}

static void note_peer(enum peer peer, unsigned threshold, unsigned entity, int64_t at_ms, bool reopened, void *ctx)
{
    struct run *run = ctx;
    note(&run->peers[peer][threshold], entity, at_ms, reopened);
}

static int by_size(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static unsigned strength_class(double strength)
{
    return strength < 0.8 ? 0 : strength < 1.25 ? 1 : strength < 2 ? 2 : 3;
}

static void meet(const struct planted *list, unsigned count, const struct firings *firings, struct verdict *v)
{
    double *delays = calloc(count + 1, sizeof *delays);
    if (!delays) abort();
    for (unsigned i = 0; i < count; i++) {
        const struct planted *planted = &list[i];
        bool is_event = planted->kind == PLANTED_EVENT, met = false;
        for (unsigned f = 0; f < firings->count && !met; f++) {
            const struct firing *firing = &firings->items[f];
            met = firing->entity == planted->entity && firing->at_ms >= planted->start_ms && firing->at_ms < planted->end_ms + 15 * MINUTE_MS;
            if (!met || !is_event) continue;
            double delay = (double)(firing->at_ms - planted->start_ms) / MINUTE_MS;
            delays[v->met[PLANTED_EVENT]] = delay;
            v->early += delay <= 20;
        }
        v->planted[planted->kind]++;
        v->met[planted->kind] += met;
        if (!is_event) continue;
        v->by_strength[strength_class(planted->strength)]++;
        v->met_by_strength[strength_class(planted->strength)] += met;
        v->by_volume[planted->entity % VOLUMES]++;
        v->met_by_volume[planted->entity % VOLUMES] += met;
    }
    qsort(delays, v->met[PLANTED_EVENT], sizeof *delays, by_size);
    v->delay_minutes = v->met[PLANTED_EVENT] ? delays[v->met[PLANTED_EVENT] / 2] : 0;
    free(delays);
}

static bool is_near_an_event(const struct planted *list, unsigned count, const struct firing *firing)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].kind == PLANTED_EVENT && list[i].entity == firing->entity && firing->at_ms >= list[i].start_ms &&
            firing->at_ms < list[i].end_ms + HOUR_MS)
            return true;
    return false;
}

static struct verdict judge(const struct planted *list, unsigned count, const struct firings *firings)
{
    struct verdict v = {0};
    meet(list, count, firings, &v);
    for (unsigned i = 0; i < firings->count; i++) {
        const struct firing *firing = &firings->items[i];
        if (firing->at_ms < start_ms + WARMUP_DAYS * day_ms) continue;
        v.reopenings += firing->reopened;
        if (firing->reopened) continue;
        v.alerts++;
        if (is_near_an_event(list, count, firing)) continue;
        v.false_alerts++;
        v.false_by_volume[firing->entity % VOLUMES]++;
    }
    return v;
}

static void add(struct verdict *sum, const struct verdict *v)
{
    for (unsigned i = 0; i < PLANTED_KINDS; i++) sum->planted[i] += v->planted[i], sum->met[i] += v->met[i];
    for (unsigned i = 0; i < VOLUMES; i++) sum->false_by_volume[i] += v->false_by_volume[i];
    for (unsigned i = 0; i < VOLUMES; i++) sum->by_volume[i] += v->by_volume[i], sum->met_by_volume[i] += v->met_by_volume[i];
    for (unsigned i = 0; i < STRENGTHS; i++) sum->by_strength[i] += v->by_strength[i], sum->met_by_strength[i] += v->met_by_strength[i];
    sum->early += v->early;
    sum->alerts += v->alerts;
    sum->false_alerts += v->false_alerts;
    sum->reopenings += v->reopenings;
}

static double ratio(unsigned a, unsigned b) { return b ? (double)a / b : 0; }
static double recall(const struct verdict *v) { return ratio(v->met[PLANTED_EVENT], v->planted[PLANTED_EVENT]); }
static double early(const struct verdict *v) { return ratio(v->early, v->planted[PLANTED_EVENT]); }

/* One stream, taken by ours and, if asked, by the others. */
static void run_stream(const struct planted_options *options, bool with_peers, struct run *run, struct verdict *ours,
                       struct verdict peers[PEERS][PEERS_THRESHOLDS])
{
    struct sq_err err;
    struct sq_detector *detector;
    struct sq_rule rule = judge_rule();
    const struct sq_detector_options detector_options = {
        .app = "squall", .mode = "replay", .rules = &rule, .rules_count = 1, .time = judge_time(), .model_name = ""};
    assert_int_equal(sq_detector_open(&detector, &detector_options, &err), 0);
    struct planted_stream *stream = planted_open(options);
    struct peers *others = with_peers ? peers_open(options->entities, note_peer, run) : NULL;
    struct sq_score score = {0};
    unsigned entity, count;
    while (planted_next(stream, &score, &entity)) {
        assert_int_equal(sq_detector_take(detector, &score, score.event_time_ms, note_ours, run, &err), 0);
        if (others) peers_take(others, &score, entity);
    }
    assert_int_equal(sq_detector_finish(detector, note_ours, run, &err), 0);
    const struct planted *list = planted_list(stream, &count);
    *ours = judge(list, count, &run->ours);
    for (unsigned peer = 0; others && peer < PEERS; peer++)
        for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) peers[peer][i] = judge(list, count, &run->peers[peer][i]);
    if (others) peers_close(others);
    sq_detector_close(detector);
    planted_close(stream);
}

static void free_run(struct run *run)
{
    free(run->ours.items);
    for (unsigned peer = 0; peer < PEERS; peer++)
        for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) free(run->peers[peer][i].items);
    *run = (struct run){0};
}

static struct planted_deck read_deck(const char *path)
{
    struct planted_deck deck;
    if (!planted_read_deck(path, &deck)) fail_msg("%s: no deck", path);
    return deck;
}

/* ---- The study ---- */

struct spread {
    double sum, square;
    unsigned count;
};

static void put(struct spread *spread, double value)
{
    spread->sum += value;
    spread->square += value * value;
    spread->count++;
}

static double mean(const struct spread *s) { return s->sum / s->count; }
static double deviation(const struct spread *s)
{
    return s->count > 1 ? sqrt(fmax(0, (s->square - s->sum * s->sum / s->count) / (s->count - 1))) : 0;
}

static void print_ours(const struct verdict *sum, double weeks)
{
    for (unsigned i = 0; i < PLANTED_KINDS; i++)
        printf("%-16s %4u planted, %5.1f %% met by an alert\n", kind_names[i], sum->planted[i], 100 * ratio(sum->met[i], sum->planted[i]));
    static const char *const classes[STRENGTHS] = {"0.5-0.8", "0.8-1.25", "1.25-2", "2-3"};
    for (unsigned i = 0; i < STRENGTHS; i++) printf("strength %-8s recall %.3f of %u\n", classes[i], ratio(sum->met_by_strength[i], sum->by_strength[i]), sum->by_strength[i]);
    for (unsigned i = 0; i < VOLUMES; i++)
        printf("volume %3.0f: recall %.3f, false %.2f an entity-week\n", stream_volume(i), ratio(sum->met_by_volume[i], sum->by_volume[i]),
               sum->false_by_volume[i] / (weeks / VOLUMES));
    printf("reopenings %.3f an alert\n", ratio(sum->reopenings, sum->alerts));
}

/* The threshold of one peer that does best on the sum of all seeds without exceeding one false alarm an entity-week. */
static void print_peer(enum peer peer, struct verdict sums[PEERS_THRESHOLDS], double weeks)
{
    int best_recall = -1, best_early = -1;
    for (int i = 0; i < PEERS_THRESHOLDS; i++) {
        if (sums[i].false_alerts > weeks) continue;
        if (best_recall < 0 || recall(&sums[i]) > recall(&sums[best_recall])) best_recall = i;
        if (best_early < 0 || early(&sums[i]) > early(&sums[best_early])) best_early = i;
    }
    if (best_recall < 0) {
        printf("peer %-14s never within one false alarm an entity-week\n", peer_names[peer]);
        return;
    }
    printf("peer %-14s recall %.3f (T %.2f, false %.2f), within 20 min %.3f (T %.2f)\n", peer_names[peer], recall(&sums[best_recall]),
           peer_threshold(peer, (unsigned)best_recall), sums[best_recall].false_alerts / weeks, early(&sums[best_early]),
           peer_threshold(peer, (unsigned)best_early));
}

static int study(unsigned seeds, unsigned entities, unsigned days, const char *path)
{
    const struct planted_deck deck = read_deck(path);
    static struct verdict ours_sum, null_sum, peers_sum[PEERS][PEERS_THRESHOLDS], peers[PEERS][PEERS_THRESHOLDS];
    static struct run run;
    struct spread recalls = {0}, earlies = {0}, falses = {0}, delays = {0};
    double weeks = entities * ((double)days - WARMUP_DAYS) / 7;
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct verdict ours;
        struct planted_options options = {.entities = entities, .days = days, .seed = 200 + seed, .deck = &deck};
        run_stream(&options, true, &run, &ours, peers);
        free_run(&run);
        add(&ours_sum, &ours);
        for (unsigned peer = 0; peer < PEERS; peer++)
            for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) add(&peers_sum[peer][i], &peers[peer][i]);
        put(&recalls, recall(&ours));
        put(&earlies, early(&ours));
        put(&falses, ours.false_alerts / weeks);
        put(&delays, ours.delay_minutes);
        options.nothing = true;
        run_stream(&options, false, &run, &ours, peers);
        free_run(&run);
        add(&null_sum, &ours);
    }
    printf("ours: recall %.3f +- %.3f, within 20 min %.3f +- %.3f, false %.2f +- %.2f an entity-week, delay %.0f +- %.0f min\n", mean(&recalls),
           deviation(&recalls), mean(&earlies), deviation(&earlies), mean(&falses), deviation(&falses), mean(&delays), deviation(&delays));
    print_ours(&ours_sum, weeks * seeds);
    printf("nothing planted: false %.2f an entity-week; by volume %.2f %.2f %.2f\n", null_sum.false_alerts / (weeks * seeds),
           null_sum.false_by_volume[0] * 3 / (weeks * seeds), null_sum.false_by_volume[1] * 3 / (weeks * seeds),
           null_sum.false_by_volume[2] * 3 / (weeks * seeds));
    for (unsigned peer = 0; peer < PEERS; peer++) print_peer((enum peer)peer, peers_sum[peer], weeks * seeds);
    return 0;
}

/* ---- The test ---- */

#define DECK SQUALL_SOURCE_DIR "/ops/bench/detection/deck.tsv"

static void finds_planted_events_and_passes_decoys_over(void **state)
{
    (void)state;
    const struct planted_deck deck = read_deck(DECK);
    const struct planted_options options = {.entities = 12, .days = 16, .seed = 1, .deck = &deck};
    static struct run run;
    struct verdict v;
    run_stream(&options, false, &run, &v, NULL);
    free_run(&run);
    assert_true(v.planted[PLANTED_EVENT] >= 15);
    assert_true(recall(&v) >= 0.6);
    assert_true(ratio(v.met[PLANTED_COPIES], v.planted[PLANTED_COPIES]) <= 0.1);
    assert_true(v.false_alerts <= 2 * options.entities * 9 / 7);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        unsigned entities = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 36, days = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 28;
        return study((unsigned)strtoul(argv[1], NULL, 10), entities, days, argc > 4 ? argv[4] : DECK);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_planted_events_and_passes_decoys_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
