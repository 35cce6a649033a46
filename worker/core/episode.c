/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/episode.h"

enum { LEVEL_SHIFT_MS = 24 * 60 * 60 * 1000, FLAPPING_REOPENINGS = 2 };

struct step {
    struct sq_episode *episode;
    const struct sq_rule *rule;
    const struct sq_reading *reading;
};

/* ---- When: conditions ---- */

static int64_t since(const struct step *s, int64_t then_ms) { return s->reading->at_ms - then_ms; }

static bool is_strong(const struct step *s) { return s->reading->strength >= s->reading->threshold; }
static bool is_weak(const struct step *s) { return !is_strong(s); }
static bool is_strong_at_once(const struct step *s) { return is_strong(s) && s->rule->for_ms == 0; }
static bool is_strong_throughout(const struct step *s) { return is_strong(s) && since(s, s->episode->first_ms) >= s->rule->for_ms; }
static bool is_silent(const struct step *s) { return since(s, s->reading->last_message_ms) >= s->rule->expire_after_ms; }
static bool is_usual_by_now(const struct step *s)
{
    return s->rule->type != SQ_RULE_THRESHOLD && since(s, s->episode->opened_ms) >= LEVEL_SHIFT_MS; /* a fixed share stays what it is */
}
static bool is_worse(const struct step *s) { return s->reading->severity > s->episode->severity; }
static bool is_cold_by_now(const struct step *s) { return since(s, s->episode->resolved_ms) >= s->rule->reopen_within_ms; }

static bool is_calm(const struct step *s)
{
    int64_t needed_ms = s->rule->resolve_after_ms * (s->episode->flapping ? 2 : 1);
    return s->reading->has_messages && s->episode->calm_ms > 0 && s->episode->calm_ms >= needed_ms;
}

static bool is_time_to_remind(const struct step *s)
{
    return !s->episode->acknowledged && s->episode->repeat_ms > 0 && since(s, s->episode->noticed_ms) >= s->episode->repeat_ms;
}

/* ---- Then: what changes besides the phase ---- */

static void begin(struct step *s)
{
    *s->episode = (struct sq_episode){.first_ms = s->reading->at_ms};
}

static void open_up(struct step *s)
{
    struct sq_episode *e = s->episode;
    e->threshold = s->reading->threshold;
    e->severity = s->reading->severity;
    e->opened_ms = s->reading->at_ms;
    e->calm_ms = 0;
    e->acknowledged = false;
    e->repeat_ms = s->rule->repeat_first_ms;
}

static void begin_and_open(struct step *s)
{
    begin(s);
    open_up(s);
}

static void reopen(struct step *s)
{
    open_up(s);
    if (++s->episode->reopen_count >= FLAPPING_REOPENINGS) s->episode->flapping = true;
}

static void worsen(struct step *s)
{
    s->episode->severity = s->reading->severity;
    s->episode->acknowledged = false;
}

static void back_off(struct step *s)
{
    struct sq_episode *e = s->episode;
    e->repeat_ms = e->repeat_ms * 2 < s->rule->repeat_max_ms ? e->repeat_ms * 2 : s->rule->repeat_max_ms;
}

static void resolve(struct step *s) { s->episode->resolved_ms = s->reading->at_ms; }
static void forget(struct step *s) { *s->episode = (struct sq_episode){0}; }

/* The first row of the phase whose condition holds is taken. */
static const struct {
    enum sq_phase from;
    bool (*when)(const struct step *);
    enum sq_phase to;
    void (*then)(struct step *);
    bool tells;
    enum sq_alert_state state;
    enum sq_alert_reason reason;
} rows[] = {
    {SQ_PHASE_NORMAL, is_strong_at_once, SQ_PHASE_OPEN, begin_and_open, true, SQ_ALERT_FIRING, SQ_REASON_THRESHOLD},
    {SQ_PHASE_NORMAL, is_strong, SQ_PHASE_PENDING, begin, false, 0, 0},
    {SQ_PHASE_PENDING, is_weak, SQ_PHASE_NORMAL, forget, false, 0, 0},
    {SQ_PHASE_PENDING, is_strong_throughout, SQ_PHASE_OPEN, open_up, true, SQ_ALERT_FIRING, SQ_REASON_THRESHOLD},
    {SQ_PHASE_OPEN, is_calm, SQ_PHASE_COOLING, resolve, true, SQ_ALERT_RESOLVED, SQ_REASON_CALM},
    {SQ_PHASE_OPEN, is_silent, SQ_PHASE_COOLING, resolve, true, SQ_ALERT_RESOLVED, SQ_REASON_NO_DATA},
    {SQ_PHASE_OPEN, is_usual_by_now, SQ_PHASE_COOLING, resolve, true, SQ_ALERT_RESOLVED, SQ_REASON_LEVEL_SHIFT},
    {SQ_PHASE_OPEN, is_worse, SQ_PHASE_OPEN, worsen, true, SQ_ALERT_UPDATED, SQ_REASON_SEVERITY},
    {SQ_PHASE_OPEN, is_time_to_remind, SQ_PHASE_OPEN, back_off, true, SQ_ALERT_UPDATED, SQ_REASON_REPEAT},
    {SQ_PHASE_COOLING, is_strong, SQ_PHASE_OPEN, reopen, true, SQ_ALERT_FIRING, SQ_REASON_REOPEN},
    {SQ_PHASE_COOLING, is_cold_by_now, SQ_PHASE_NORMAL, forget, false, 0, 0},
};

/* Below T/2 (threshold rules: resolve_below) time counts as calm, at or above it starts again; an empty window says nothing either way. */
static void count_calm(struct sq_episode *episode, const struct sq_rule *rule, const struct sq_reading *reading)
{
    if (!reading->has_messages) return;
    double level = rule->type == SQ_RULE_THRESHOLD ? rule->resolve_below : episode->threshold / 2;
    bool calm = reading->strength < level;
    episode->calm_ms = calm ? episode->calm_ms + reading->step_ms : 0;
}

static void tell(struct sq_episode *episode, int64_t at_ms, enum sq_alert_state state, enum sq_alert_reason reason,
                 struct sq_transition *transition)
{
    episode->noticed_ms = at_ms;
    *transition = (struct sq_transition){state, reason, episode->seq++};
}

bool sq_episode_step(struct sq_episode *episode, const struct sq_rule *rule, const struct sq_reading *reading,
                     struct sq_transition *transition)
{
    struct step step = {episode, rule, reading};
    if (episode->phase == SQ_PHASE_OPEN) count_calm(episode, rule, reading);
    size_t row = 0;
    while (row < sizeof rows / sizeof *rows && (rows[row].from != episode->phase || !rows[row].when(&step))) row++;
    bool taken = row < sizeof rows / sizeof *rows;
    if (taken) {
        rows[row].then(&step);
        episode->phase = rows[row].to;
    }
    if (episode->phase != SQ_PHASE_NORMAL && reading->strength > (double)episode->peak) episode->peak = (float)reading->strength;
    if (!taken || !rows[row].tells) return false;
    tell(episode, reading->at_ms, rows[row].state, rows[row].reason, transition);
    return true;
}

bool sq_episode_acknowledge(struct sq_episode *episode, int64_t at_ms, struct sq_transition *transition)
{
    if (episode->phase != SQ_PHASE_OPEN || episode->acknowledged) return false;
    episode->acknowledged = true;
    tell(episode, at_ms, SQ_ALERT_UPDATED, SQ_REASON_ACKNOWLEDGED, transition);
    return true;
}

bool sq_episode_end(struct sq_episode *episode, int64_t at_ms, enum sq_alert_reason reason, struct sq_transition *transition)
{
    if (episode->phase != SQ_PHASE_OPEN) return false;
    episode->phase = SQ_PHASE_COOLING;
    episode->resolved_ms = at_ms;
    tell(episode, at_ms, SQ_ALERT_RESOLVED, reason, transition);
    return true;
}
