/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/state_track.h"

#include <stdlib.h>

enum { MINUTE_MS = 60000, FLAG_TOUCHED = 1, FLAG_WARM = 2, FLAG_FLAPPING = 1, FLAG_ACKNOWLEDGED = 2, BUCKETS_MAX = 1 << 16 };

/* What is usual is all floats, whichever kind it is, and the first eight mean alike. */
_Static_assert(sizeof(struct sq_baseline) % sizeof(float) == 0 && sizeof(struct sq_volume) % sizeof(float) == 0, "floats only");
enum { USUAL_FLOATS = (sizeof(struct sq_baseline) > sizeof(struct sq_volume) ? sizeof(struct sq_baseline) : sizeof(struct sq_volume)) / sizeof(float) };
_Static_assert(USUAL_FLOATS <= 32 && 1 + SQ_THRESHOLD_BINS <= 32, "a mask of 32");

static unsigned usual_floats(const struct sq_plan *plan)
{
    size_t bytes = plan->rule->type == SQ_RULE_VOLUME ? sizeof(struct sq_volume) : sizeof(struct sq_baseline);
    return (unsigned)(bytes / sizeof(float));
}

/* Event times are near the block that is folded next; INT64_MIN, for none, is not. */
static void put_time(struct sq_buf *out, int64_t ms, int64_t base_ms)
{
    sq_bytes_put_number(out, ms != INT64_MIN);
    if (ms != INT64_MIN) sq_bytes_put_signed(out, ms - base_ms);
}

static int64_t take_time(struct sq_bytes *bytes, int64_t base_ms)
{
    return sq_bytes_number_to(bytes, 1) ? sq_bytes_time(bytes, base_ms) : INT64_MIN;
}

/* ---- Episode ---- */

void sq_state_put_episode(struct sq_buf *out, const struct sq_episode *episode)
{
    sq_bytes_put_number(out, episode->phase);
    if (episode->phase == SQ_PHASE_NORMAL) return; /* all 0 */
    sq_bytes_put_number(out, episode->severity);
    sq_bytes_put_number(out, (episode->flapping ? FLAG_FLAPPING : 0) | (episode->acknowledged ? FLAG_ACKNOWLEDGED : 0));
    sq_bytes_put_number(out, episode->seq);
    sq_bytes_put_number(out, episode->reopen_count);
    sq_bytes_put_real(out, episode->threshold);
    sq_bytes_put_floats(out, &episode->peak, 1);
    sq_bytes_put_signed(out, episode->first_ms);
    sq_bytes_put_signed(out, episode->opened_ms - episode->first_ms);
    sq_bytes_put_signed(out, episode->resolved_ms - episode->first_ms);
    sq_bytes_put_signed(out, episode->noticed_ms - episode->first_ms);
    sq_bytes_put_signed(out, episode->repeat_ms);
    sq_bytes_put_signed(out, episode->calm_ms);
}

void sq_state_take_episode(struct sq_bytes *bytes, struct sq_episode *episode)
{
    *episode = (struct sq_episode){.phase = (enum sq_phase)sq_bytes_number_to(bytes, SQ_PHASE_COOLING)};
    if (episode->phase == SQ_PHASE_NORMAL) return;
    episode->severity = (enum sq_severity)sq_bytes_number_to(bytes, SQ_SEVERITY_CRITICAL);
    uint64_t flags = sq_bytes_number_to(bytes, FLAG_FLAPPING | FLAG_ACKNOWLEDGED);
    episode->flapping = flags & FLAG_FLAPPING;
    episode->acknowledged = flags & FLAG_ACKNOWLEDGED;
    episode->seq = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
    episode->reopen_count = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
    episode->threshold = sq_bytes_real(bytes);
    sq_bytes_floats(bytes, &episode->peak, 1);
    episode->first_ms = sq_bytes_time(bytes, 0);
    episode->opened_ms = sq_bytes_time(bytes, episode->first_ms);
    episode->resolved_ms = sq_bytes_time(bytes, episode->first_ms);
    episode->noticed_ms = sq_bytes_time(bytes, episode->first_ms);
    episode->repeat_ms = sq_bytes_time(bytes, 0);
    episode->calm_ms = sq_bytes_time(bytes, 0);
}

/* ---- Copies ---- */

static void put_copies(struct sq_buf *out, const struct sq_copies *copies, int64_t base_minute)
{
    unsigned count = 0;
    while (count < SQ_COPIES_ENTRIES && copies->entries[count].key) count++;
    sq_bytes_put_number(out, count);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned shift = 0; shift < 32; shift += 8) sq_buf_append_char(out, (char)(copies->entries[i].key >> shift & 0xff));
        sq_bytes_put_signed(out, (int64_t)copies->entries[i].minute - base_minute);
    }
}

static uint32_t take_key(struct sq_bytes *bytes)
{
    uint32_t key = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        if (bytes->at == bytes->end) bytes->failed = true;
        else key |= (uint32_t)(unsigned char)*bytes->at++ << shift;
    }
    if (key == 0) bytes->failed = true;
    return key;
}

static void take_copies(struct sq_bytes *bytes, struct sq_copies *copies, int64_t base_minute)
{
    unsigned count = (unsigned)sq_bytes_number_to(bytes, SQ_COPIES_ENTRIES);
    for (unsigned i = 0; i < count && !bytes->failed; i++) {
        copies->entries[i].key = take_key(bytes);
        copies->entries[i].minute = (uint32_t)sq_bytes_time(bytes, base_minute);
    }
}

static void put_simhashes(struct sq_buf *out, const struct sq_track *track)
{
    for (unsigned i = 0; track->simhashes && i < SQ_COPIES_ENTRIES && track->texts.entries[i].key; i++)
        sq_bytes_put_fixed(out, track->simhashes[i]);
}

static void take_simhashes(struct sq_bytes *bytes, struct sq_track *track)
{
    for (unsigned i = 0; track->simhashes && i < SQ_COPIES_ENTRIES && track->texts.entries[i].key; i++)
        track->simhashes[i] = sq_bytes_fixed(bytes);
}

/* ---- Ring ---- */

static void put_ring(struct sq_buf *out, struct sq_track *track, const struct sq_plan *plan, int64_t now_ms)
{
    const struct sq_ring_edges edges = sq_track_edges(track, plan, now_ms);
    struct sq_ring *ring = &track->ring;
    sq_ring_merge(ring, &edges);
    sq_bytes_put_number(out, ring->count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < ring->count; i++) {
        const struct sq_counts *counts = &ring->buckets[i].counts;
        bool has_more = counts->collapsed > 0 || counts->late > 0 || counts->skipped > 0;
        sq_bytes_put_number(out, ring->buckets[i].at - at);
        sq_bytes_put_number(out, (uint64_t)counts->count << 1 | has_more);
        sq_bytes_put_number(out, counts->matched);
        if (has_more) {
            sq_bytes_put_number(out, counts->collapsed);
            sq_bytes_put_number(out, counts->late);
            sq_bytes_put_number(out, counts->skipped);
        }
        at = ring->buckets[i].at;
    }
}

static void take_ring(struct sq_bytes *bytes, struct sq_track *track, const struct sq_plan *plan)
{
    const struct sq_ring_edges edges = {.first = track->next_fold * plan->block_buckets, .fine = INT64_MIN, .coarse = INT64_MIN,
                                        .edge = plan->edge_buckets, .block = plan->block_buckets};
    uint64_t count = sq_bytes_number_to(bytes, BUCKETS_MAX), at = 0, sum = 0;
    for (uint64_t i = 0; i < count && !bytes->failed; i++) {
        uint64_t step = sq_bytes_number_to(bytes, BUCKETS_MAX);
        at += step;
        if (at > BUCKETS_MAX || (i > 0 && step == 0)) bytes->failed = true;
        struct sq_counts *counts = bytes->failed ? NULL : sq_ring_at(&track->ring, edges.first + (int64_t)at, &edges);
        if (!counts) bytes->failed = true;
        if (bytes->failed) return;
        uint64_t number = sq_bytes_number_to(bytes, (uint64_t)UINT32_MAX << 1 | 1);
        counts->count = (uint32_t)(number >> 1);
        sum += counts->count; /* no window may overflow */
        if (sum > UINT32_MAX) bytes->failed = true;
        counts->matched = (uint32_t)sq_bytes_number_to(bytes, counts->count);
        if (number & 1) {
            counts->collapsed = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
            counts->late = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
            counts->skipped = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
        }
    }
}

/* ---- The whole ---- */

void sq_state_put_track(struct sq_buf *out, struct sq_track *track, const struct sq_plan *plan, int64_t now_ms)
{
    int64_t base_ms = track->next_fold * SQ_BLOCK_MS;
    sq_state_put_episode(out, &track->episode);
    sq_bytes_put_signed(out, track->next_fold);
    sq_bytes_put_number(out, (uint64_t)(track->next_block - track->next_fold));
    sq_bytes_put_signed(out, track->first_ms - base_ms);
    put_time(out, track->last_ms, base_ms);
    put_time(out, track->authorless_ms, base_ms);
    for (size_t i = 0; i < sizeof track->hold / sizeof *track->hold; i++) sq_bytes_put_number(out, track->hold[i]);
    sq_bytes_put_floats(out, (const float *)(const void *)&track->baseline, usual_floats(plan));
    sq_bytes_put_floats(out, &track->tail.total, 1);
    sq_bytes_put_floats(out, track->tail.bins, SQ_THRESHOLD_BINS);
    sq_bytes_put_real(out, track->threshold);
    sq_bytes_put_floats(out, &track->block_peak, 1);
    sq_bytes_put_number(out, (track->block_touched ? FLAG_TOUCHED : 0) | (track->warm ? FLAG_WARM : 0));
    sq_bytes_put_number(out, track->folded);
    sq_bytes_put_fixed(out, track->model_digest);
    put_copies(out, &track->texts, base_ms / MINUTE_MS);
    put_copies(out, &track->authors, base_ms / MINUTE_MS);
    put_copies(out, &track->matching_authors, base_ms / MINUTE_MS);
    put_simhashes(out, track);
    put_ring(out, track, plan, now_ms);
    sq_examples_put(out, &track->examples, sq_track_examples_from(track, plan));
}

/* Sums are never negative; in both kinds of what is usual they stand around the two that may be. */
static bool is_sane(const struct sq_track *track)
{
    const struct sq_baseline *b = &track->baseline;
    bool sane = b->messages >= 0 && b->matched >= 0 && b->shadow_messages >= 0 && b->shadow_matched >= 0 && b->weight[0] >= 0 && b->weight[1] >= 0;
    sane = sane && track->tail.total >= 0 && track->block_peak >= 0 && track->episode.peak >= 0;
    for (unsigned i = 0; i < SQ_THRESHOLD_BINS; i++) sane = sane && track->tail.bins[i] >= 0;
    return sane && (track->last_ms != INT64_MIN || track->episode.phase == SQ_PHASE_NORMAL);
}

static bool is_near(int64_t block) { return block > -(INT64_C(1) << 40) && block < INT64_C(1) << 40; }

bool sq_state_take_track(struct sq_bytes *bytes, struct sq_track *track, const struct sq_plan *plan, struct sq_topics *topics)
{
    sq_state_take_episode(bytes, &track->episode);
    track->next_fold = sq_bytes_signed(bytes);
    if (!is_near(track->next_fold)) return false;
    track->next_block = track->next_fold + (int64_t)sq_bytes_number_to(bytes, BUCKETS_MAX);
    int64_t base_ms = track->next_fold * SQ_BLOCK_MS;
    track->first_ms = sq_bytes_time(bytes, base_ms);
    track->last_ms = take_time(bytes, base_ms);
    track->authorless_ms = take_time(bytes, base_ms);
    for (size_t i = 0; i < sizeof track->hold / sizeof *track->hold; i++) track->hold[i] = sq_bytes_number(bytes);
    sq_bytes_floats(bytes, (float *)(void *)&track->baseline, usual_floats(plan));
    sq_bytes_floats(bytes, &track->tail.total, 1);
    sq_bytes_floats(bytes, track->tail.bins, SQ_THRESHOLD_BINS);
    track->threshold = sq_bytes_real(bytes);
    sq_bytes_floats(bytes, &track->block_peak, 1);
    uint64_t flags = sq_bytes_number_to(bytes, FLAG_TOUCHED | FLAG_WARM);
    track->block_touched = flags & FLAG_TOUCHED;
    track->warm = flags & FLAG_WARM;
    track->folded = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
    track->model_digest = sq_bytes_fixed(bytes);
    take_copies(bytes, &track->texts, base_ms / MINUTE_MS);
    take_copies(bytes, &track->authors, base_ms / MINUTE_MS);
    take_copies(bytes, &track->matching_authors, base_ms / MINUTE_MS);
    take_simhashes(bytes, track);
    take_ring(bytes, track, plan);
    sq_examples_take_saved(bytes, &track->examples, topics);
    return sq_bytes_is_done(bytes) && is_sane(track);
}

bool sq_state_peek_episode(struct sq_bytes *bytes, struct sq_episode *episode)
{
    sq_state_take_episode(bytes, episode);
    return !bytes->failed;
}
