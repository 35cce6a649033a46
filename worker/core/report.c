/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/report.h"

#include "worker/core/identity.h"
#include "worker/core/kind.h"
#include "worker/core/summary.h"

static void tell_window(const struct sq_track *track, const struct sq_plan *plan, const struct sq_judgement *window, struct sq_alert *alert)
{
    alert->stats.count = window->counts.count;
    alert->stats.matched = window->counts.matched;
    sq_kind_of(plan->rule->type)->tell(track, window, alert);
}

static void fill_window(struct sq_alert *alert, const struct sq_track *track, const struct sq_plan *plan,
                        const struct sq_evaluation *evaluation)
{
    const struct sq_judgement *window = &evaluation->windows[evaluation->strongest];
    alert->window_start_ms = window->start_ms;
    alert->window_end_ms = window->end_ms;
    alert->stats.strength = evaluation->strength;
    alert->stats.distinct_authors = sq_copies_count_since(&track->matching_authors, window->start_ms);
    alert->stats.collapsed = window->counts.collapsed;
    alert->stats.late = window->counts.late;
    alert->stats.skipped = window->counts.skipped;
    alert->stats.labels[0].label = sq_str_view(plan->rule->label); /* the only one that a rule counts */
    alert->stats.labels[0].count = window->counts.matched;
    alert->stats.labels_count = 1;
    tell_window(track, plan, window, alert);
}

static void fill_texts(struct sq_alert *alert, const struct sq_report_frame *frame, const struct sq_track *track, const struct sq_plan *plan,
                       const struct sq_evaluation *evaluation)
{
    const struct sq_judgement *longest = &evaluation->windows[plan->windows_count - 1];
    alert->examples_count = sq_examples_list(&track->examples, longest->start_ms, alert->window_start_ms, longest->end_ms,
                                             sq_str_view(plan->rule->label), alert->examples);
    struct sq_str texts[SQ_EXAMPLES_MAX];
    unsigned texts_count = sq_examples_texts(&track->examples, longest->start_ms, longest->end_ms, texts);
    alert->terms_count = sq_terms_list(frame->terms, texts, texts_count, alert->entity, alert->terms);
}

/* What all alerts of an episode have in common, whoever lives it. */
static void fill_life(struct sq_alert *alert, const struct sq_report_frame *frame, struct sq_str rule, struct sq_str entity,
                      const struct sq_episode *episode, const struct sq_transition *transition)
{
    *alert = (struct sq_alert){
        .state = transition->state,
        .reason = transition->reason,
        .seq = transition->seq,
        .reopen_count = episode->reopen_count,
        .app = frame->app,
        .rule = rule,
        .entity = entity,
        .severity = episode->severity,
        .silenced = sq_silences_find(frame->silences, rule, entity, episode->noticed_ms) != NULL,
        .acknowledged = episode->acknowledged,
        .starts_at_ms = episode->first_ms,
        .at_ms = episode->noticed_ms,
        .ends_at_ms = transition->state == SQ_ALERT_RESOLVED ? episode->resolved_ms : 0,
        .watermark_ms = frame->watermark_ms,
        .scores_partition = frame->scores_partition,
        .model_name = frame->model_name,
        .rules_digest = frame->rules_digest,
        .mode = frame->mode,
    };
    alert->stats.threshold = episode->threshold;
    alert->stats.flapping = episode->flapping;
}

static int fill_words(struct sq_alert *alert, struct sq_report_frame *frame, const char *summary, const char *runbook_url, struct sq_err *err)
{
    sq_buf_clear(&frame->words);
    sq_summary_write(summary, alert, &frame->words);
    size_t summary_bytes = frame->words.bytes;
    sq_summary_write(runbook_url, alert, &frame->words);
    if (sq_buf_failed(&frame->words)) return sq_err_set(err, SQ_E_NOMEM, "no memory for an alert's words");
    alert->summary = (struct sq_str){frame->words.data, summary_bytes};
    alert->runbook_url = (struct sq_str){frame->words.data + summary_bytes, frame->words.bytes - summary_bytes};
    return 0;
}

int sq_report_alert(struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_alert *alert, struct sq_err *err)
{
    const struct sq_rule *rule = plan->rule;
    fill_life(alert, frame, sq_str_view(rule->name), entity->key, &track->episode, &evaluation->transition);
    alert->kind = (enum sq_alert_kind)rule->type;
    alert->fingerprint = sq_identity_fingerprint(frame->app, alert->rule, entity->key);
    alert->alert_id = sq_identity_alert(alert->fingerprint, track->episode.first_ms);
    alert->model_digest = track->model_digest;
    fill_window(alert, track, plan, evaluation);
    fill_texts(alert, frame, track, plan, evaluation);
    return fill_words(alert, frame, rule->summary[0] ? rule->summary : sq_summary_default(alert->kind), rule->runbook_url, err);
}

int sq_report_storm(struct sq_report_frame *frame, const struct sq_storm *storm, const struct sq_plan *plan,
                    const struct sq_transition *transition, int64_t at_ms, struct sq_alert *alert, struct sq_err *err)
{
    fill_life(alert, frame, sq_str_view(plan->rule->name), SQ_STR("*"), &storm->episode, transition);
    alert->kind = SQ_ALERT_STORM;
    alert->fingerprint = sq_identity_storm(frame->app, alert->rule, frame->scores_partition);
    alert->alert_id = sq_identity_alert(alert->fingerprint, storm->episode.first_ms);
    alert->window_start_ms = at_ms - plan->windows[0].length_ms;
    alert->window_end_ms = at_ms;
    alert->stats.count = storm->judged;
    alert->stats.matched = storm->up;
    alert->stats.rate = storm->judged ? (double)storm->up / storm->judged : 0;
    alert->stats.baseline_rate = 0.1; /* by the definition of up */
    alert->stats.lift_pp = 100 * (alert->stats.rate - 0.1);
    alert->stats.lift_ratio = alert->stats.rate / 0.1;
    alert->stats.strength = storm->strength;
    alert->stats.p_value = 1;
    return fill_words(alert, frame, sq_summary_default(SQ_ALERT_STORM), plan->rule->runbook_url, err);
}

int sq_report_orphan(struct sq_report_frame *frame, const struct sq_state_key *key, const struct sq_episode *episode,
                     const struct sq_transition *transition, struct sq_alert *alert, struct sq_err *err)
{
    fill_life(alert, frame, key->rule, key->entity, episode, transition);
    alert->fingerprint = sq_identity_fingerprint(frame->app, key->rule, key->entity);
    alert->alert_id = sq_identity_alert(alert->fingerprint, episode->first_ms);
    alert->window_start_ms = alert->window_end_ms = episode->noticed_ms;
    alert->stats.p_value = 1;
    return fill_words(alert, frame, "{{entity}}: the rule is gone", "", err);
}

void sq_report_view(const struct sq_report_frame *frame, const struct sq_entity *entity, const struct sq_track *track,
                    const struct sq_plan *plan, const struct sq_evaluation *evaluation, struct sq_entity_view *view)
{
    const struct sq_judgement *shortest = &evaluation->windows[0], *longest = &evaluation->windows[plan->windows_count - 1];
    struct sq_str rule = sq_str_view(plan->rule->name);
    struct sq_alert told, told_long;
    tell_window(track, plan, shortest, &told);
    tell_window(track, plan, longest, &told_long);
    *view = (struct sq_entity_view){
        .rule = rule,
        .entity = entity->key,
        .count = told.stats.count,
        .matched = told.stats.matched,
        .count_long = told_long.stats.count,
        .matched_long = told_long.stats.matched,
        .baseline_rate = told.stats.baseline_rate,
        .baseline_low = told.stats.baseline_low,
        .baseline_high = told.stats.baseline_high,
        .strength = evaluation->strength,
        .threshold = evaluation->threshold,
        .firing = track->episode.phase == SQ_PHASE_OPEN,
    };
    if (!view->firing) return;
    view->severity = track->episode.severity;
    view->starts_at_ms = track->episode.first_ms;
    view->threshold = track->episode.threshold;
    view->alert_id = sq_identity_alert(sq_identity_fingerprint(frame->app, rule, entity->key), track->episode.first_ms);
}
