/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/track.h"

#include <math.h>
#include <stdlib.h>

#include "worker/core/betabinomial.h"

static int64_t bucket_of(const struct sq_plan *plan, int64_t ts_ms) { return sq_floor_div(ts_ms, plan->bucket_ms); }
static int64_t block_of(int64_t ts_ms) { return sq_floor_div(ts_ms, SQ_BLOCK_MS); }

struct sq_track *sq_track_open(const struct sq_plan *plan, int64_t now_ms)
{
    struct sq_track *track = calloc(1, sizeof *track);
    if (!track || !sq_ring_init(&track->ring, plan->slots_count, plan->block_buckets)) {
        free(track);
        return NULL;
    }
    track->first_ms = now_ms;
    track->last_ms = track->last_counted_ms = track->authorless_ms = INT64_MIN;
    track->next_fold = block_of(now_ms - plan->lag_ms);
    track->next_block = block_of(now_ms);
    track->threshold = plan->rule->threshold > 0 ? plan->rule->threshold : SQ_THRESHOLD_START;
    return track;
}

void sq_track_close(struct sq_track *track)
{
    if (!track) return;
    sq_examples_deinit(&track->examples);
    sq_ring_deinit(&track->ring);
    free(track);
}

/* ---- Blocks: into the baseline when they are settled, into the tail when they end ---- */

static uint64_t *hold_word(struct sq_track *track, int64_t block) { return &track->hold[(uint64_t)block % SQ_HOLD_BLOCKS / 64]; }
static uint64_t hold_bit(int64_t block) { return (uint64_t)1 << (uint64_t)block % 64; }

static void fold_block(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet)
{
    int64_t block = track->next_fold++;
    struct sq_counts counts = {0};
    if (track->last_ms >= block * SQ_BLOCK_MS) {
        counts = sq_ring_block(&track->ring, block);
        sq_ring_clear_block(&track->ring, block);
    }
    if (*hold_word(track, block) & hold_bit(block)) {
        sq_baseline_hold(&track->baseline, counts);
        *hold_word(track, block) &= ~hold_bit(block);
        return;
    }
    sq_baseline_fold(&track->baseline, plan, block, counts, sq_fleet_share(fleet));
    sq_fleet_add(fleet, counts);
    if (track->warm) return;
    track->folded += counts.count;
    track->warm = track->folded >= plan->rule->warmup_messages;
}

static void end_block(struct sq_track *track, const struct sq_plan *plan)
{
    track->next_block++;
    if (track->warm && !track->block_touched) sq_threshold_take_block(&track->tail, (double)track->block_peak);
    track->block_peak = 0;
    track->block_touched = false;

    const struct sq_rule *rule = plan->rule;
    if (rule->threshold <= 0 && track->next_block * SQ_BLOCK_MS % SQ_THRESHOLD_REFRESH_MS == 0)
        track->threshold = sq_threshold_of(&track->tail, rule->budget_per_entity_week);
}

static void fold_settled(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    while ((track->next_fold + 1) * SQ_BLOCK_MS <= now_ms - plan->lag_ms) fold_block(track, plan, fleet);
    if (!track->warm && now_ms - track->first_ms >= plan->rule->warmup_ms) track->warm = true;
}

static void end_blocks(struct sq_track *track, const struct sq_plan *plan, int64_t now_ms)
{
    while ((track->next_block + 1) * SQ_BLOCK_MS <= now_ms) end_block(track, plan);
}

void sq_track_catch_up(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t now_ms)
{
    fold_settled(track, plan, fleet, now_ms);
    end_blocks(track, plan, now_ms);
}

/* ---- One message ---- */

bool sq_track_is_open_at(const struct sq_track *track, int64_t ts_ms) { return block_of(ts_ms) >= track->next_fold; }

static void saturating_add(uint16_t *number)
{
    if (*number < UINT16_MAX) ++*number;
}

static enum sq_track_verdict weigh(struct sq_track *track, const struct sq_rule *rule, const struct sq_score *score)
{
    if (rule->min_score > 0 && (double)score->score < rule->min_score) return SQ_TRACK_ABSTAINED;
    unsigned texts = sq_copies_see(&track->texts, score->text_hash, score->event_time_ms);
    unsigned authors = sq_copies_see(&track->authors, score->author_hash, score->event_time_ms);
    if (texts >= rule->max_per_text) return SQ_TRACK_COLLAPSED_TEXT;
    return authors >= rule->max_per_author ? SQ_TRACK_COLLAPSED_AUTHOR : SQ_TRACK_COUNTED;
}

static void note_match(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score, const char *topic)
{
    int64_t ts_ms = score->event_time_ms;
    if (score->author_hash) sq_copies_see(&track->matching_authors, score->author_hash, ts_ms);
    else if (ts_ms > track->authorless_ms) track->authorless_ms = ts_ms;
    sq_examples_take(&track->examples, score, topic, track->next_block * SQ_BLOCK_MS - plan->longest_ms);
}

enum sq_track_verdict sq_track_count(struct sq_track *track, const struct sq_plan *plan, const struct sq_score *score,
                                     const char *topic, bool late)
{
    int64_t ts_ms = score->event_time_ms;
    if (ts_ms > track->last_ms) track->last_ms = ts_ms;
    track->model_digest = score->model_digest;
    if (!sq_ring_reach(&track->ring, track->next_fold, bucket_of(plan, ts_ms))) return SQ_TRACK_NO_MEMORY;
    struct sq_block_extras *extras = sq_ring_extras(&track->ring, block_of(ts_ms));
    if (late) saturating_add(&extras->late);

    enum sq_track_verdict verdict = weigh(track, plan->rule, score);
    if (verdict == SQ_TRACK_COLLAPSED_TEXT || verdict == SQ_TRACK_COLLAPSED_AUTHOR) saturating_add(&extras->collapsed);
    if (verdict != SQ_TRACK_COUNTED) return verdict;

    bool matched = sq_str_equal(score->label, sq_str_view(plan->rule->label));
    sq_ring_add(&track->ring, bucket_of(plan, ts_ms), matched);
    if (ts_ms > track->last_counted_ms) track->last_counted_ms = ts_ms;
    if (matched) note_match(track, plan, score, topic);
    return verdict;
}

void sq_track_extras(const struct sq_track *track, int64_t from_ms, int64_t to_ms, uint32_t *collapsed, uint32_t *late)
{
    *collapsed = *late = 0;
    for (int64_t block = block_of(from_ms); block * SQ_BLOCK_MS < to_ms; block++) {
        const struct sq_block_extras *extras = sq_ring_extras(&track->ring, block);
        *collapsed += extras->collapsed;
        *late += extras->late;
    }
}

/* ---- One evaluation ---- */

static bool has_authors(const struct sq_track *track, const struct sq_rule *rule, int64_t since_ms)
{
    if (track->authorless_ms >= since_ms) return true; /* nobody knows how many they are */
    return sq_copies_count_since(&track->matching_authors, since_ms) >= rule->min_authors;
}

static bool is_eligible(const struct sq_track *track, const struct sq_rule *rule, const struct sq_judgement *j)
{
    if (j->counts.count < rule->min_messages || j->counts.matched < rule->min_matched || j->counts.matched == 0) return false;
    double share = (double)j->counts.matched / (double)j->counts.count;
    return share - j->share >= rule->min_lift_pp / 100 && share >= rule->min_lift_ratio * j->share && has_authors(track, rule, j->start_ms);
}

static void judge_window(const struct sq_track *track, const struct sq_plan *plan, unsigned window, struct sq_judgement *j)
{
    int64_t from_ms = j->end_ms - plan->windows[window].length_ms;
    if (plan->windows[window].length_ms > SQ_BLOCK_MS) from_ms = sq_floor_div(from_ms, SQ_EDGE_MS) * SQ_EDGE_MS;
    j->start_ms = from_ms;
    j->counts = (struct sq_counts){0};
    j->strength = 0;
    j->me = sq_betabinomial_me(sq_baseline_rho(&track->baseline, window), (double)track->baseline.messages, SQ_BASELINE_PRIOR);
    if (track->last_counted_ms < from_ms) return;
    j->counts = sq_ring_sum(&track->ring, bucket_of(plan, from_ms), bucket_of(plan, j->end_ms));
    if (!is_eligible(track, plan->rule, j)) return;
    double strength = sq_betabinomial_strength(j->counts.count, j->counts.matched, j->share, j->me);
    j->strength = floor(strength * 1024 + 0.5) / 1024;
}

void sq_track_judge(const struct sq_track *track, const struct sq_plan *plan, const struct sq_fleet *fleet, int64_t at_ms,
                    struct sq_evaluation *evaluation)
{
    double share = sq_baseline_share(&track->baseline, sq_fleet_share(fleet));
    evaluation->strongest = 0;
    for (unsigned i = 0; i < plan->windows_count; i++) {
        struct sq_judgement *j = &evaluation->windows[i];
        j->end_ms = at_ms;
        j->share = share;
        judge_window(track, plan, i, j);
        if (j->strength > evaluation->windows[evaluation->strongest].strength) evaluation->strongest = i;
    }
    evaluation->threshold = track->threshold;
    if (!track->warm && evaluation->threshold < SQ_COLD_THRESHOLD) evaluation->threshold = SQ_COLD_THRESHOLD;
}

/* Critical: beyond doubt, or twice the usual share in the short window and in the long one. */
static enum sq_severity severity_of(const struct sq_plan *plan, const struct sq_evaluation *evaluation)
{
    if (plan->rule->severity != SQ_RULE_SEVERITY_AUTO) return (enum sq_severity)(plan->rule->severity - SQ_RULE_SEVERITY_INFO);
    if (evaluation->windows[evaluation->strongest].strength >= 6) return SQ_SEVERITY_CRITICAL;
    bool doubled = plan->windows_count > 1;
    for (unsigned i = 0; i < plan->windows_count; i++) {
        const struct sq_judgement *j = &evaluation->windows[i];
        doubled = doubled && j->strength >= evaluation->threshold && j->counts.matched >= 2 * j->share * j->counts.count;
    }
    return doubled ? SQ_SEVERITY_CRITICAL : SQ_SEVERITY_WARNING;
}

static void hold_blocks(struct sq_track *track, int64_t from_ms, int64_t to_ms)
{
    for (int64_t block = block_of(from_ms); block * SQ_BLOCK_MS < to_ms; block++)
        if (block >= track->next_fold) *hold_word(track, block) |= hold_bit(block);
}

/* What a change of the alert's life means for what is usual. */
static void learn(struct sq_track *track, const struct sq_transition *transition)
{
    struct sq_episode *episode = &track->episode;
    if (transition->state == SQ_ALERT_FIRING && transition->reason == SQ_REASON_THRESHOLD) sq_baseline_clear_shadow(&track->baseline);
    if (transition->state != SQ_ALERT_RESOLVED) return;
    if (episode->reopen_count == 0) sq_threshold_take_episode(&track->tail, (double)episode->peak, episode->threshold);
    if (transition->reason != SQ_REASON_LEVEL_SHIFT) return;
    sq_baseline_shift(&track->baseline);
    memset(track->hold, 0, sizeof track->hold);
}

bool sq_track_evaluate(struct sq_track *track, const struct sq_plan *plan, struct sq_fleet *fleet, int64_t at_ms,
                       struct sq_evaluation *evaluation)
{
    fold_settled(track, plan, fleet, at_ms);
    sq_track_judge(track, plan, fleet, at_ms, evaluation);

    double strength = evaluation->windows[evaluation->strongest].strength;
    const struct sq_reading reading = {
        .at_ms = at_ms,
        .step_ms = plan->bucket_ms,
        .strength = strength,
        .threshold = evaluation->threshold,
        .severity = severity_of(plan, evaluation),
        .has_messages = evaluation->windows[plan->windows_count - 1].counts.count > 0,
        .last_message_ms = track->last_ms,
    };
    bool tells = sq_episode_step(&track->episode, plan->rule, &reading, &evaluation->transition);
    if (tells) learn(track, &evaluation->transition);
    if (track->episode.phase == SQ_PHASE_OPEN) {
        hold_blocks(track, at_ms - plan->bucket_ms, at_ms);
        track->block_touched = true;
    }
    if (strength > (double)track->block_peak) track->block_peak = (float)strength;
    end_blocks(track, plan, at_ms);
    return tells;
}

bool sq_track_is_idle(const struct sq_track *track)
{
    bool all_folded = track->last_counted_ms < track->next_fold * SQ_BLOCK_MS;
    return all_folded && track->episode.phase == SQ_PHASE_NORMAL;
}
