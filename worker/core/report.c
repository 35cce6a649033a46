/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/report.h"

#include <math.h>

#include "worker/core/betabinomial.h"
#include "worker/core/identity.h"
#include "worker/core/summary.h"

static void fill_counts(struct sq_alert *alert, const struct sq_track *track, const struct sq_judgement *window)
{
    struct sq_counts counts = window->counts;
    double rate = counts.count ? (double)counts.matched / (double)counts.count : 0;
    alert->window_start_ms = window->start_ms;
    alert->window_end_ms = window->end_ms;
    alert->stats.count = counts.count;
    alert->stats.matched = counts.matched;
    alert->stats.rate = rate;
    alert->stats.baseline_rate = window->share;
    sq_betabinomial_range(counts.count, window->share, window->me, &alert->stats.baseline_low, &alert->stats.baseline_high);
    alert->stats.baseline_messages = (double)track->baseline.messages;
    alert->stats.lift_pp = 100 * (rate - window->share);
    alert->stats.lift_ratio = rate / window->share;
    alert->stats.strength = window->strength;
    alert->stats.p_value = pow(10, -window->strength);
    alert->stats.distinct_authors = sq_copies_count_since(&track->matching_authors, window->start_ms);
    sq_track_extras(track, window->start_ms, window->end_ms, &alert->stats.collapsed, &alert->stats.late);
}

/* The rule's own label is all that a rate rule counts. */
static void fill_texts(struct sq_alert *alert, const struct sq_track *track, const struct sq_plan *plan,
                       const struct sq_evaluation *evaluation)
{
    struct sq_str label = sq_str_view(plan->rule->label);
    alert->stats.labels[0].label = label;
    alert->stats.labels[0].count = alert->stats.matched;
    alert->stats.labels_count = 1;
    const struct sq_judgement *longest = &evaluation->windows[plan->windows_count - 1];
    alert->examples_count =
        sq_examples_list(&track->examples, longest->start_ms, alert->window_start_ms, longest->end_ms, label, alert->examples);
}

int sq_report_alert(struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, int64_t watermark_ms, struct sq_alert *alert,
                    struct sq_err *err)
{
    const struct sq_episode *episode = &track->episode;
    const struct sq_transition *transition = &evaluation->transition;
    struct sq_str rule = sq_str_view(plan->rule->name);
    uint64_t fingerprint = sq_identity_fingerprint(frame->app, rule, entity->key);
    *alert = (struct sq_alert){
        .state = transition->state,
        .reason = transition->reason,
        .fingerprint = fingerprint,
        .alert_id = sq_identity_alert(fingerprint, episode->first_ms),
        .seq = transition->seq,
        .reopen_count = episode->reopen_count,
        .app = frame->app,
        .rule = rule,
        .entity = entity->key,
        .severity = episode->severity,
        .silenced = sq_silences_find(frame->silences, rule, entity->key, episode->noticed_ms) != NULL,
        .acknowledged = episode->acknowledged,
        .starts_at_ms = episode->first_ms,
        .at_ms = episode->noticed_ms,
        .ends_at_ms = transition->state == SQ_ALERT_RESOLVED ? episode->resolved_ms : 0,
        .watermark_ms = watermark_ms,
        .scores_partition = frame->scores_partition,
        .model_name = frame->model_name,
        .model_digest = track->model_digest,
        .rules_digest = frame->rules_digest,
        .mode = frame->mode,
    };
    fill_counts(alert, track, &evaluation->windows[evaluation->strongest]);
    alert->stats.threshold = episode->threshold;
    alert->stats.flapping = episode->flapping;
    fill_texts(alert, track, plan, evaluation);

    sq_buf_clear(&frame->summary);
    sq_summary_write(plan->rule->summary, alert, &frame->summary);
    alert->summary = sq_buf_view(&frame->summary);
    return sq_buf_failed(&frame->summary) ? sq_err_set(err, SQ_E_NOMEM, "no memory for an alert's summary") : 0;
}

void sq_report_view(const struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_entity_view *view)
{
    const struct sq_judgement *shortest = &evaluation->windows[0], *longest = &evaluation->windows[plan->windows_count - 1];
    struct sq_str rule = sq_str_view(plan->rule->name);
    *view = (struct sq_entity_view){
        .rule = rule,
        .entity = entity->key,
        .count = shortest->counts.count,
        .matched = shortest->counts.matched,
        .count_long = longest->counts.count,
        .matched_long = longest->counts.matched,
        .baseline_rate = shortest->share,
        .strength = evaluation->windows[evaluation->strongest].strength,
        .threshold = evaluation->threshold,
        .firing = track->episode.phase == SQ_PHASE_OPEN,
    };
    sq_betabinomial_range(shortest->counts.count, shortest->share, shortest->me, &view->baseline_low, &view->baseline_high);
    if (!view->firing) return;
    view->severity = track->episode.severity;
    view->starts_at_ms = track->episode.first_ms;
    view->threshold = track->episode.threshold;
    view->alert_id = sq_identity_alert(sq_identity_fingerprint(frame->app, rule, entity->key), track->episode.first_ms);
}
