/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/peers.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/judge.h"
#include "worker/core/baseline.h"
#include "worker/core/betabinomial.h"
#include "worker/core/copies.h"
#include "worker/core/episode.h"
#include "worker/core/plan.h"
#include "worker/core/surge.h"

enum { MINUTE_MS = 60000, MINUTES = 256, BLOCK = 15, LAG_BLOCKS = 8 };
#define KNOWN_MESSAGES 200.0 /* effective sample size of a share that is known: chance, and a little more */

const char *const peer_names[PEERS] = {"ratio of hours", "fixed share", "mean + k sd", "binomial z", "CUSUM",
                                      "knows share",    "knows all",   "onsets, share", "onsets, all"};
static const double strengths[] = {0.5, 1, 2}, event_share = 0.75; /* what an event adds to the usual volume, and how much of it matches */

static const struct {
    double from, factor;
} scales[PEERS] = {{1.2, 1.06}, {0.15, 1.035}, {2, 1.035}, {2.5, 1.02}, {3, 1.035}, {1.5, 1.025}, {1.5, 1.025}, {2, 1.025}, {2, 1.025}};

enum { STRENGTHS = sizeof strengths / sizeof *strengths };

struct watched {
    struct sq_copies texts, authors;
    struct sq_counts minutes[MINUTES];
    struct sq_baseline usual;
    double blocks, mean, square; /* of matches in a block, decayed */
    double cusum;
    double onsets[2][STRENGTHS]; /* likelihood ratios, summed over onsets: by the share, and by the volume as well */
    int64_t last_ms, next_block;
    struct sq_episode episodes[PEERS][PEERS_THRESHOLDS];
};

struct peers {
    struct sq_rule rule;
    struct sq_plan plan;
    unsigned entities;
    struct watched *watched;
    int64_t minute; /* being filled */
    peer_emit_fn emit;
    peer_truth_fn truth;
    void *ctx;
};

double peer_threshold(enum peer peer, unsigned index) { return scales[peer].from * pow(scales[peer].factor, index); }

struct peers *peers_open(unsigned entities, peer_emit_fn emit, peer_truth_fn truth, void *ctx)
{
    struct peers *peers = calloc(1, sizeof *peers);
    struct sq_err err;
    const struct sq_time_rules time = judge_time();
    if (!peers || !(peers->watched = calloc(entities, sizeof *peers->watched))) abort();
    peers->rule = judge_rule();
    if (sq_plan_init(&peers->plan, &peers->rule, &time, &err)) abort();
    peers->entities = entities;
    peers->minute = INT64_MIN;
    peers->emit = emit;
    peers->truth = truth;
    peers->ctx = ctx;
    return peers;
}

void peers_close(struct peers *peers)
{
    free(peers->watched);
    free(peers);
}

static struct sq_counts sum(const struct watched *w, int64_t from, int64_t to)
{
    struct sq_counts counts = {0};
    for (int64_t minute = from; minute < to; minute++) {
        counts.count += w->minutes[minute & (MINUTES - 1)].count;
        counts.matched += w->minutes[minute & (MINUTES - 1)].matched;
    }
    return counts;
}

/* Settled blocks, two hours behind, as for our own baseline. */
static void learn(struct peers *peers, struct watched *w, int64_t minute)
{
    if (w->next_block == 0) w->next_block = minute / BLOCK;
    for (; (w->next_block + 1 + LAG_BLOCKS) * BLOCK <= minute; w->next_block++) {
        struct sq_counts counts = sum(w, w->next_block * BLOCK, (w->next_block + 1) * BLOCK);
        sq_baseline_fold(&w->usual, &peers->plan, w->next_block, counts, 0.2);
        double k = counts.matched, sd = sqrt(fmax(w->square - w->mean * w->mean, 1));
        if (w->blocks > 96) k = fmin(k, w->mean + 3 * sd);
        double weight = 1 / fmin(w->blocks + 1, 970); /* half-life of a week */
        w->blocks++;
        w->mean += weight * (k - w->mean);
        w->square += weight * (k * k - w->square);
    }
}

static double share_of(struct sq_counts counts) { return (double)counts.matched / counts.count; }

static bool is_enough(const struct peers *peers, struct sq_counts counts)
{
    return counts.count >= peers->rule.min_messages && counts.matched >= peers->rule.min_matched;
}

static double z_of(struct sq_counts counts, double p) { return (counts.matched - counts.count * p) / sqrt(counts.count * p * (1 - p)); }

/* What our test would say if it knew the truth, the best of many windows. */
static void measure_knowing(const struct peers *peers, const struct watched *w, struct planted_truth truth, int64_t minute, double values[PEERS])
{
    static const int lengths[] = {2, 5, 10, 15, 20, 30, 60};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct sq_counts counts = sum(w, minute - lengths[i], minute);
        if (!is_enough(peers, counts)) continue;
        double strength = sq_betabinomial_strength(counts.count, counts.matched, truth.share, KNOWN_MESSAGES);
        values[PEER_KNOWS_SHARE] = fmax(values[PEER_KNOWS_SHARE], strength);
        strength += sq_surge_evidence(counts.count, counts.matched, truth.share, KNOWN_MESSAGES, truth.rate * lengths[i], 1.2 / lengths[i]);
        values[PEER_KNOWS_ALL] = fmax(values[PEER_KNOWS_ALL], strength);
    }
}

/* By how much likelier the last minute is if there is an event, tempered, as messages that answer each other say less than as many others. */
static void add_onsets(struct watched *w, struct planted_truth truth, struct sq_counts last)
{
    const double temper_share = 0.7, temper_volume = 0.3, ratio_max = 1e9;
    for (unsigned i = 0; i < STRENGTHS; i++) {
        double s = strengths[i], p = truth.share, raised = (p + event_share * s) / (1 + s);
        double share = temper_share * (last.matched * log(raised / p) + (last.count - last.matched) * log((1 - raised) / (1 - p)));
        double volume = temper_volume * (last.count * log(1 + s) - s * truth.rate);
        w->onsets[0][i] = fmin((1 + w->onsets[0][i]) * exp(share), ratio_max);
        w->onsets[1][i] = fmin((1 + w->onsets[1][i]) * exp(share + volume), ratio_max);
    }
}

static void measure_onsets(const struct peers *peers, const struct watched *w, int64_t minute, double values[PEERS])
{
    if (!is_enough(peers, sum(w, minute - 60, minute))) return;
    for (unsigned with_volume = 0; with_volume < 2; with_volume++) {
        double ratios = 0;
        for (unsigned i = 0; i < STRENGTHS; i++) ratios += w->onsets[with_volume][i];
        values[PEER_ONSETS_SHARE + with_volume] = log10(1 + ratios / STRENGTHS);
    }
}

static void measure(const struct peers *peers, const struct watched *w, int64_t minute, double values[PEERS])
{
    struct sq_counts quarter = sum(w, minute - BLOCK, minute), hour = sum(w, minute - 60, minute), before = sum(w, minute - 120, minute - 60);
    double p = sq_baseline_share(&w->usual, 0.2);
    for (unsigned i = 0; i < PEERS; i++) values[i] = 0;
    if (is_enough(peers, hour)) {
        values[PEER_RATIO] = hour.matched / fmax(before.matched, 1);
        values[PEER_SHARE] = share_of(hour);
        values[PEER_BINOMIAL] = z_of(hour, p);
        values[PEER_CUSUM] = w->cusum;
    }
    if (is_enough(peers, quarter)) {
        values[PEER_SHARE] = fmax(values[PEER_SHARE], share_of(quarter));
        values[PEER_BINOMIAL] = fmax(values[PEER_BINOMIAL], z_of(quarter, p));
        values[PEER_DEVIATION] = (quarter.matched - w->mean) / sqrt(fmax(w->square - w->mean * w->mean, 1));
    }
}

static void add_cusum(struct watched *w, struct sq_counts last)
{
    double p = sq_baseline_share(&w->usual, 0.2), raised = 1 / (1 + (1 - p) / p * exp(-1));
    w->cusum += last.matched * log(raised / p) + (last.count - last.matched) * log((1 - raised) / (1 - p));
    if (w->cusum < 0) w->cusum = 0;
    if (w->cusum > 60) w->cusum = 60; /* so that it comes down again */
}

static void step(struct peers *peers, unsigned entity, int64_t minute)
{
    struct watched *w = &peers->watched[entity];
    learn(peers, w, minute);
    const struct sq_counts last = w->minutes[(minute - 1) & (MINUTES - 1)];
    const struct planted_truth truth = peers->truth(entity, minute * MINUTE_MS, peers->ctx);
    add_cusum(w, last);
    add_onsets(w, truth, last);
    double values[PEERS];
    measure(peers, w, minute, values);
    measure_knowing(peers, w, truth, minute, values);
    measure_onsets(peers, w, minute, values);
    for (unsigned peer = 0; peer < PEERS; peer++)
        for (unsigned i = 0; i < PEERS_THRESHOLDS; i++) {
            struct sq_episode *episode = &w->episodes[peer][i];
            struct sq_transition transition;
            const struct sq_reading reading = {
                .at_ms = minute * MINUTE_MS, .step_ms = MINUTE_MS, .strength = values[peer], .threshold = peer_threshold((enum peer)peer, i),
                .severity = SQ_SEVERITY_WARNING, .has_messages = true, .last_message_ms = w->last_ms};
            if (episode->phase == SQ_PHASE_NORMAL && values[peer] < reading.threshold) continue;
            if (sq_episode_step(episode, &peers->rule, &reading, &transition) && transition.state == SQ_ALERT_FIRING)
                peers->emit((enum peer)peer, i, entity, reading.at_ms, transition.reason == SQ_REASON_REOPEN, peers->ctx);
        }
}

void peers_take(struct peers *peers, const struct sq_score *score, unsigned entity)
{
    int64_t minute = score->event_time_ms / MINUTE_MS;
    if (peers->minute == INT64_MIN) peers->minute = minute;
    while (peers->minute < minute) {
        peers->minute++;
        for (unsigned i = 0; i < peers->entities; i++) {
            step(peers, i, peers->minute);
            peers->watched[i].minutes[peers->minute & (MINUTES - 1)] = (struct sq_counts){0};
        }
    }
    struct watched *w = &peers->watched[entity];
    unsigned texts = sq_copies_see(&w->texts, score->text_hash, score->event_time_ms);
    unsigned authors = sq_copies_see(&w->authors, score->author_hash, score->event_time_ms);
    w->last_ms = score->event_time_ms;
    if (texts >= peers->rule.max_per_text || authors >= peers->rule.max_per_author) return;
    w->minutes[minute & (MINUTES - 1)].count++;
    w->minutes[minute & (MINUTES - 1)].matched += sq_str_equal(score->label, SQ_STR("negative"));
}
