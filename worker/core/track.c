/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/track.h"

#include <math.h>
#include <stdlib.h>

#include "worker/core/kind.h"

static int64_t bucket_of(const struct sq_plan *plan, int64_t ts_ms) { return sq_floor_div(ts_ms, plan->bucket_ms); }
static int64_t block_of(int64_t ts_ms) { return sq_floor_div(ts_ms, SQ_BLOCK_MS); }

struct sq_ring_edges sq_track_edges(const struct sq_track *track, const struct sq_plan *plan, int64_t now_ms)
{
    int64_t longest_ms = sq_floor_div(now_ms - plan->longest_ms, SQ_EDGE_MS) * SQ_EDGE_MS;
    return (struct sq_ring_edges){
        .first = track->next_fold * plan->block_buckets,
        .fine = bucket_of(plan, now_ms - plan->fine_ms),
        .coarse = bucket_of(plan, longest_ms < now_ms - plan->fine_ms ? longest_ms : now_ms - plan->fine_ms),
        .edge = plan->edge_buckets,
        .block = plan->block_buckets,
    };
}

struct sq_track *sq_track_open(const struct sq_plan *plan, int64_t now_ms)
{
    struct sq_track *track = calloc(1, sizeof *track);
    if (!track) return NULL;
    if (plan->rule->near_copies && !(track->simhashes = calloc(SQ_COPIES_ENTRIES, sizeof *track->simhashes))) {
        free(track);
        return NULL;
    }
    track->first_ms = now_ms;
    track->last_ms = track->authorless_ms = INT64_MIN;
    track->next_fold = block_of(now_ms - plan->lag_ms);
    track->next_block = block_of(now_ms);
    track->threshold = plan->threshold;
    return track;
}

void sq_track_close(struct sq_track *track)
{
    if (!track) return;
    sq_examples_deinit(&track->examples);
    sq_ring_deinit(&track->ring);
    free(track->simhashes);
    free(track);
}

/* ---- Blocks: into the baseline when they are settled, into the tail when they end ---- */

static uint64_t *hold_word(struct sq_track *track, int64_t block) { return &track->hold[(uint64_t)block % SQ_HOLD_BLOCKS / 64]; }
static uint64_t hold_bit(int64_t block) { return (uint64_t)1 << (uint64_t)block % 64; }

static bool is_held(const struct sq_track *track, int64_t block)
{
    return track->hold[(uint64_t)block % SQ_HOLD_BLOCKS / 64] & hold_bit(block);
}

/* An alert is open, or was a moment ago: what came lately is what it is about. */
static bool is_frozen(const struct sq_track *track, const struct sq_plan *plan, int64_t now_ms)
{
    return is_held(track, block_of(now_ms - 2 * plan->bucket_ms));
}

struct sq_counts sq_track_before(const struct sq_track *track, const struct sq_plan *plan, int64_t end_ms, int64_t now_ms, double *blocks)
{
    struct sq_counts sum = {0};
    *blocks = 0;
    bool frozen = is_frozen(track, plan, now_ms);
    int64_t first_ms = track->first_ms > track->next_fold * SQ_BLOCK_MS ? track->first_ms : track->next_fold * SQ_BLOCK_MS;
    for (int64_t from_ms = first_ms, to_ms; from_ms < end_ms; from_ms = to_ms) {
        int64_t block = block_of(from_ms);
        to_ms = (block + 1) * SQ_BLOCK_MS < end_ms ? (block + 1) * SQ_BLOCK_MS : end_ms;
        if (!frozen || !is_held(track, block)) *blocks += (double)(to_ms - from_ms) / SQ_BLOCK_MS;
    }
    int64_t end = bucket_of(plan, end_ms) - track->ring.base;
    for (uint32_t i = 0; i < track->ring.count && (int64_t)track->ring.buckets[i].at < end; i++) {
        const struct sq_bucket *bucket = &track->ring.buckets[i];
        if (frozen && is_held(track, sq_floor_div(track->ring.base + bucket->at, plan->block_buckets))) continue;
        sum.count += bucket->counts.count;
        sum.matched += bucket->counts.matched;
    }
    return sum;
}

static void fold_block(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    int64_t block = track->next_fold++;
    const struct sq_kind *kind = sq_kind_of(plan->rule->type);
    struct sq_counts counts = sq_ring_take_until(&track->ring, track->next_fold * plan->block_buckets);
    if (is_held(track, block)) {
        kind->hold(track, counts, !is_frozen(track, plan, now_ms));
        *hold_word(track, block) &= ~hold_bit(block);
        return;
    }
    kind->fold(track, plan, block, counts, sq_fleet_share(fleet));
    sq_fleet_add(fleet, counts);
    if (track->warm) return;
    track->folded += counts.count;
    track->warm = kind->warms_by_messages && track->folded >= plan->rule->warmup_messages;
}

static void end_block(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet)
{
    track->next_block++;
    double scale = sq_kind_of(plan->rule->type)->tail_scale;
    if (track->warm && !track->block_touched) {
        sq_threshold_take_block(&track->tail, (double)track->block_peak / scale);
        sq_peaks_add(&fleet->peaks, (double)track->block_peak / scale);
    }
    track->block_peak = 0;
    track->block_touched = false;

    if (plan->has_budget && track->next_block * SQ_BLOCK_MS % SQ_THRESHOLD_REFRESH_MS == 0)
        track->threshold = scale * sq_threshold_of(&track->tail, &fleet->tail, plan->rule->budget_per_entity_week);
}

static void fold_settled(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    while ((track->next_fold + 1) * SQ_BLOCK_MS <= now_ms - plan->lag_ms) fold_block(track, plan, fleet, now_ms);
    if (!track->warm && now_ms - track->first_ms >= plan->rule->warmup_ms) track->warm = true;
}

static void end_blocks(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    while ((track->next_block + 1) * SQ_BLOCK_MS <= now_ms) end_block(track, plan, fleet);
}

void sq_track_catch_up(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    fold_settled(track, plan, fleet, now_ms);
    end_blocks(track, plan, fleet, now_ms);
}

/* ---- One message ---- */

bool sq_track_is_open_at(const struct sq_track *track, int64_t ts_ms) { return block_of(ts_ms) >= track->next_fold; }

static enum sq_track_verdict weigh(struct sq_track *track, const struct sq_rule *rule, const struct sq_score *score)
{
    if (rule->min_score > 0 && (double)score->score < rule->min_score) return SQ_TRACK_ABSTAINED;
    unsigned texts = sq_copies_see_near(&track->texts, track->simhashes, score->text_hash, score->text_simhash, score->event_time_ms);
    unsigned authors = sq_copies_see(&track->authors, score->author_hash, score->event_time_ms);
    if (texts >= rule->max_per_text) return SQ_TRACK_COLLAPSED_TEXT;
    return authors >= rule->max_per_author ? SQ_TRACK_COLLAPSED_AUTHOR : SQ_TRACK_COUNTED;
}

int64_t sq_track_examples_from(const struct sq_track *track, const struct sq_plan *plan)
{
    return track->next_block * SQ_BLOCK_MS - plan->longest_ms;
}

static void note_match(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score, const char *topic)
{
    int64_t ts_ms = score->event_time_ms;
    if (score->author_hash) sq_copies_see(&track->matching_authors, score->author_hash, ts_ms);
    else if (ts_ms > track->authorless_ms) track->authorless_ms = ts_ms;
    sq_examples_take(&track->examples, score, topic, sq_track_examples_from(track, plan));
}

enum sq_track_verdict sq_track_count(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score,
                                     const char *topic, bool late, int64_t now_ms)
{
    int64_t ts_ms = score->event_time_ms;
    if (ts_ms > track->last_ms) track->last_ms = ts_ms;
    if (!score->skipped) track->model_digest = score->model_digest;
    const struct sq_ring_edges edges = sq_track_edges(track, plan, now_ms);
    struct sq_counts *counts = sq_ring_at(&track->ring, bucket_of(plan, ts_ms), &edges);
    if (!counts) return SQ_TRACK_NO_MEMORY;
    counts->late += late;
    if (score->skipped) {
        /* The number of messages is known whatever they say; shares are of those scored. */
        if (plan->rule->type == SQ_RULE_VOLUME) counts->count++;
        else counts->skipped++;
        return SQ_TRACK_SKIPPED;
    }

    enum sq_track_verdict verdict = weigh(track, plan->rule, score);
    counts->collapsed += verdict == SQ_TRACK_COLLAPSED_TEXT || verdict == SQ_TRACK_COLLAPSED_AUTHOR;
    if (verdict != SQ_TRACK_COUNTED) return verdict;

    bool matched = sq_str_equal(score->label, sq_str_view(plan->rule->label));
    counts->count++;
    counts->matched += matched;
    if (matched) note_match(track, plan, score, topic);
    return verdict;
}

/* ---- One evaluation ---- */

static void sum_window(const struct sq_track *track, const struct sq_plan *plan, unsigned window, struct sq_judgement *j)
{
    j->start_ms = j->end_ms - plan->windows[window].length_ms;
    if (plan->windows[window].length_ms > SQ_BLOCK_MS) j->start_ms = sq_floor_div(j->start_ms, SQ_EDGE_MS) * SQ_EDGE_MS;
    j->counts = sq_ring_sum(&track->ring, bucket_of(plan, j->start_ms), bucket_of(plan, j->end_ms));
}

void sq_track_judge(const struct sq_track *track, const struct sq_plan *plan, const struct sq_fleet *fleet, int64_t at_ms,
                    struct sq_evaluation *evaluation)
{
    const struct sq_kind *kind = sq_kind_of(plan->rule->type);
    double fleet_share = sq_fleet_share(fleet);
    for (unsigned i = 0; i < plan->windows_count; i++) {
        struct sq_judgement *j = &evaluation->windows[i];
        j->end_ms = at_ms;
        sum_window(track, plan, i, j);
        kind->judge(track, plan, i, fleet_share, j);
    }
    kind->decide(plan, evaluation);
    evaluation->threshold = track->threshold;
    if (!track->warm && evaluation->threshold < SQ_COLD_THRESHOLD && plan->rule->type != SQ_RULE_THRESHOLD)
        evaluation->threshold = SQ_COLD_THRESHOLD;
}

/* Critical: beyond doubt, or far above what is usual in the short window and in the long one. */
static enum sq_severity severity_of(const struct sq_plan *plan, const struct sq_evaluation *evaluation)
{
    if (plan->rule->severity != SQ_RULE_SEVERITY_AUTO) return (enum sq_severity)(plan->rule->severity - SQ_RULE_SEVERITY_INFO);
    if (evaluation->strength >= 6) return SQ_SEVERITY_CRITICAL;
    bool doubled = plan->windows_count > 1;
    for (unsigned i = 0; i < plan->windows_count; i++) {
        const struct sq_judgement *j = &evaluation->windows[i];
        doubled = doubled && j->strength >= evaluation->threshold && j->is_double;
    }
    return doubled ? SQ_SEVERITY_CRITICAL : SQ_SEVERITY_WARNING;
}

static void hold_blocks(struct sq_track *track, int64_t from_ms, int64_t to_ms)
{
    for (int64_t block = block_of(from_ms); block * SQ_BLOCK_MS < to_ms; block++)
        if (block >= track->next_fold) *hold_word(track, block) |= hold_bit(block);
}

void sq_track_shift(struct sq_track *track, const struct sq_plan *plan)
{
    sq_kind_of(plan->rule->type)->shift(track);
    memset(track->hold, 0, sizeof track->hold);
}

/* What a change of the alert's life means for what is usual. */
static void learn(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, const struct sq_transition *transition)
{
    const struct sq_kind *kind = sq_kind_of(plan->rule->type);
    struct sq_episode *episode = &track->episode;
    if (transition->state == SQ_ALERT_FIRING && transition->reason == SQ_REASON_THRESHOLD) kind->begin_hold(track);
    if (transition->state != SQ_ALERT_RESOLVED) return;
    double scale = kind->tail_scale;
    if (episode->reopen_count == 0)
        sq_threshold_take_episode(&track->tail, &fleet->peaks, (double)episode->peak / scale, episode->threshold / scale);
    if (transition->reason == SQ_REASON_LEVEL_SHIFT) sq_track_shift(track, plan);
}

bool sq_track_evaluate(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t at_ms, bool in_storm,
                       struct sq_evaluation *evaluation)
{
    fold_settled(track, plan, fleet, at_ms);
    sq_track_judge(track, plan, fleet, at_ms, evaluation);

    const struct sq_reading reading = {
        .at_ms = at_ms,
        .step_ms = plan->bucket_ms,
        .strength = in_storm && track->episode.phase != SQ_PHASE_OPEN ? 0 : evaluation->strength,
        .threshold = evaluation->threshold,
        .severity = severity_of(plan, evaluation),
        .has_messages = evaluation->windows[plan->windows_count - 1].counts.count > 0,
        .last_message_ms = track->last_ms,
    };
    bool tells = sq_episode_step(&track->episode, plan->rule, &reading, &evaluation->transition);
    if (tells) learn(track, plan, fleet, &evaluation->transition);
    if (in_storm || track->episode.phase == SQ_PHASE_OPEN) {
        hold_blocks(track, at_ms - plan->bucket_ms, at_ms);
        track->block_touched = true;
    }
    if (evaluation->strength > (double)track->block_peak) track->block_peak = (float)evaluation->strength;
    end_blocks(track, plan, fleet, at_ms);
    return tells;
}

bool sq_track_is_idle(const struct sq_track *track)
{
    return track->ring.count == 0 && track->episode.phase == SQ_PHASE_NORMAL;
}
