/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/detector.h"

#include <inttypes.h>
#include <stdlib.h>

#include "worker/core/detector_parts.h"
#include "worker/core/glob.h"
#include "worker/core/identity.h"

enum { ENTITIES_MAX_DEFAULT = 100000, TICK_DELAY_MS = 90000, FLEET_STEPS_MAX = 20000 };
static const int64_t ts_max_ms = 253402300799999;                   /* the year 9999 ends */
static const int64_t forget_after_ms = INT64_C(28) * 24 * 3600 * 1000; /* longer than any alert can last unseen */

/* Where transitions go during one call. */
struct sink {
    sq_detector_emit_fn emit;
    void *ctx;
    struct sq_err *err;
};

/* ---- Open and close ---- */

int sq_detector_open(struct sq_detector **out, const struct sq_detector_options *options, struct sq_err *err)
{
    *out = NULL;
    if (options->rules_count > SQ_RULES_MAX)
        return sq_err_set(err, SQ_E_CONFIG, "rules: %u are more than %d", options->rules_count, SQ_RULES_MAX);
    struct sq_detector *detector = calloc(1, sizeof *detector);
    if (!detector) return sq_err_set(err, SQ_E_NOMEM, "no memory for a detector");
    detector->options = *options;
    if (detector->options.entities_max == 0) detector->options.entities_max = ENTITIES_MAX_DEFAULT;
    int status = 0;
    for (unsigned i = 0; i < options->rules_count && status == 0; i++)
        status = sq_plan_init(&detector->plans[i], &options->rules[i], &options->time, err);
    if (status) {
        free(detector);
        return status;
    }
    sq_watermark_init(&detector->watermark, &options->time);
    sq_entities_init(&detector->entities, options->rules, options->rules_count);
    detector->closed_ms = INT64_MIN;
    detector->frame = (struct sq_report_frame){
        .app = sq_str_view(options->app),
        .mode = sq_str_view(options->mode),
        .model_name = sq_str_view(options->model_name),
        .scores_partition = options->scores_partition,
        .rules_digest = sq_identity_rules(options->rules, options->rules_count, &options->time),
        .silences = &detector->silences,
        .terms = &detector->terms,
    };
    sq_buf_init(&detector->frame.words);
    *out = detector;
    return 0;
}

void sq_orphans_close(struct sq_orphan *orphans)
{
    for (struct sq_orphan *orphan = orphans, *next; orphan; orphan = next) {
        next = orphan->next;
        free(orphan->key);
        free(orphan);
    }
}

void sq_detector_close(struct sq_detector *detector)
{
    if (!detector) return;
    sq_entities_deinit(&detector->entities);
    sq_orphans_close(detector->orphans);
    sq_watermark_deinit(&detector->watermark);
    sq_topics_deinit(&detector->topics);
    sq_silences_deinit(&detector->silences);
    sq_buf_deinit(&detector->frame.words);
    free(detector);
}

/* ---- Evaluation ---- */

int sq_detector_pass_on(struct sq_detector *detector, const struct sq_alert *alert, sq_detector_emit_fn emit, void *ctx)
{
    detector->counts.transitions[alert->state]++;
    return emit ? emit(alert, ctx) : 0;
}

static int emit_alert(struct sq_detector *detector, const struct sq_entity *entity, unsigned rule, const struct sq_evaluation *evaluation,
                      const struct sink *sink)
{
    struct sq_alert alert;
    detector->frame.watermark_ms = detector->watermark.watermark_ms;
    int status = sq_report_alert(&detector->frame, entity, entity->tracks[rule], &detector->plans[rule], evaluation, &alert, sink->err);
    return status ? status : sq_detector_pass_on(detector, &alert, sink->emit, sink->ctx);
}

static void count_firing(struct sq_detector *detector, const struct sq_episode *episode)
{
    if (episode->phase != SQ_PHASE_OPEN) return;
    if (episode->severity >= SQ_SEVERITY_ERROR) detector->counts.firing_critical++;
    else detector->counts.firing_warning++;
}

/* All rules on one entity; *idle when none needs it evaluated again before its next message. */
static int evaluate_entity(struct sq_detector *detector, struct sq_entity *entity, bool *idle, const struct sink *sink)
{
    *idle = true;
    sq_entities_note_change(&detector->entities, entity);
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        struct sq_track *track = entity->tracks[i];
        if (!track) continue;
        struct sq_evaluation evaluation;
        detector->counts.evaluations++;
        bool in_storm = sq_storm_is_on(&detector->storms[i]);
        bool tells = sq_track_evaluate(track, &detector->plans[i], &detector->fleets[i], detector->closed_ms, in_storm, &evaluation);
        sq_storm_add(&detector->storms[i], &evaluation.windows[0]);
        int status = tells ? emit_alert(detector, entity, i, &evaluation, sink) : 0;
        if (status) return status;
        if (!detector->options.rules[i].is_shadow) count_firing(detector, &track->episode);
        *idle = *idle && sq_track_is_idle(track);
    }
    return 0;
}

static void fold_fleets(struct sq_detector *detector, int64_t blocks)
{
    if (blocks > FLEET_STEPS_MAX) blocks = FLEET_STEPS_MAX; /* by then nothing is left to forget */
    for (; blocks > 0; blocks--)
        for (unsigned i = 0; i < detector->options.rules_count; i++) sq_fleet_fold(&detector->fleets[i], detector->plans[i].block_decay);
}

static void forget_unseen(struct sq_detector *detector)
{
    struct sq_entities *entities = &detector->entities;
    while (entities->oldest && !entities->oldest->active && entities->oldest->last_ms < detector->closed_ms - forget_after_ms)
        sq_entities_remove(entities, entities->oldest);
}

static void shift_all(struct sq_detector *detector, unsigned rule)
{
    for (struct sq_entity *entity = detector->entities.oldest; entity; entity = entity->next)
        if (entity->tracks[rule]) {
            sq_track_shift(entity->tracks[rule], &detector->plans[rule]);
            sq_entities_note_change(&detector->entities, entity);
        }
}

static int tell_storm(struct sq_detector *detector, unsigned rule, const struct sq_transition *transition, const struct sink *sink)
{
    struct sq_alert alert;
    detector->frame.watermark_ms = detector->watermark.watermark_ms;
    int status = sq_report_storm(&detector->frame, &detector->storms[rule], &detector->plans[rule], transition, detector->closed_ms, &alert, sink->err);
    return status ? status : sq_detector_pass_on(detector, &alert, sink->emit, sink->ctx);
}

/* Storms are known when a bucket's entities have been evaluated, and hold from the next one on. */
static int step_storms(struct sq_detector *detector, const struct sink *sink)
{
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        const struct sq_plan *plan = &detector->plans[i];
        struct sq_transition transition;
        if (!sq_storm_step(&detector->storms[i], plan->rule, detector->closed_ms, plan->bucket_ms, &transition)) continue;
        if (transition.reason == SQ_REASON_LEVEL_SHIFT) shift_all(detector, i);
        int status = tell_storm(detector, i, &transition, sink);
        if (status) return status;
    }
    return 0;
}

static int close_bucket(struct sq_detector *detector, const struct sink *sink)
{
    struct sq_entities *entities = &detector->entities;
    sq_entities_sort(entities);
    detector->counts.firing_warning = detector->counts.firing_critical = 0;
    for (unsigned i = 0; i < detector->options.rules_count; i++) sq_storm_begin_bucket(&detector->storms[i]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < entities->active_count; i++) {
        struct sq_entity *entity = entities->active[i];
        bool idle;
        int status = evaluate_entity(detector, entity, &idle, sink);
        if (status) return status;
        entity->active = !idle;
        if (entity->active) entities->active[kept++] = entity;
    }
    entities->active_count = entities->sorted_count = kept;
    int status = step_storms(detector, sink);
    if (status) return status;
    if (detector->closed_ms % SQ_BLOCK_MS == 0) fold_fleets(detector, 1);
    return 0;
}

static bool has_work(const struct sq_detector *detector)
{
    bool idle = detector->entities.active_count == 0;
    for (unsigned i = 0; i < detector->options.rules_count; i++) idle = idle && sq_storm_is_idle(&detector->storms[i]);
    return !idle;
}

/* Closes every bucket that the watermark has passed. */
static int close_buckets(struct sq_detector *detector, const struct sink *sink)
{
    int64_t bucket_ms = detector->options.time.bucket_ms;
    int64_t end_ms = sq_floor_div(detector->watermark.watermark_ms, bucket_ms) * bucket_ms;
    if (detector->closed_ms == INT64_MIN) detector->closed_ms = end_ms;
    if (detector->closed_ms >= end_ms) return 0;
    while (detector->closed_ms < end_ms && has_work(detector)) {
        detector->closed_ms += bucket_ms;
        int status = close_bucket(detector, sink);
        if (status) return status;
    }
    if (detector->closed_ms < end_ms) { /* nothing to evaluate in between: only the fleet forgets */
        fold_fleets(detector, sq_floor_div(end_ms, SQ_BLOCK_MS) - sq_floor_div(detector->closed_ms, SQ_BLOCK_MS));
        detector->closed_ms = end_ms;
    }
    forget_unseen(detector);
    sq_silences_expire(&detector->silences, detector->closed_ms);
    return 0;
}

/* ---- One record ---- */

/* Room for one more: the entity unseen for longest goes, and an alert of its own ends for want of data. */
static int evict_oldest(struct sq_detector *detector, const struct sink *sink)
{
    struct sq_entity *entity = detector->entities.oldest;
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        struct sq_track *track = entity->tracks[i];
        struct sq_evaluation evaluation;
        if (!track || !sq_episode_end(&track->episode, detector->closed_ms, SQ_REASON_NO_DATA, &evaluation.transition)) continue;
        sq_track_judge(track, &detector->plans[i], &detector->fleets[i], detector->closed_ms, &evaluation);
        int status = emit_alert(detector, entity, i, &evaluation, sink);
        if (status) return status;
    }
    sq_entities_remove(&detector->entities, entity);
    detector->counts.entities_evicted++;
    return 0;
}

static int open_entity(struct sq_detector *detector, struct sq_str key, struct sq_entity **entity, const struct sink *sink)
{
    while (detector->entities.count >= detector->options.entities_max) {
        int status = evict_oldest(detector, sink);
        if (status) return status;
    }
    *entity = sq_entities_add(&detector->entities, key);
    if (!*entity) return sq_err_set(sink->err, SQ_E_NOMEM, "no memory for another entity");
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        if (!sq_glob_watches(&detector->options.rules[i], key)) continue;
        (*entity)->tracks[i] = sq_track_open(&detector->plans[i], detector->closed_ms);
        if (!(*entity)->tracks[i]) return sq_err_set(sink->err, SQ_E_NOMEM, "no memory for another entity");
    }
    return 0;
}

static bool is_watched(const struct sq_detector *detector, struct sq_str key)
{
    for (unsigned i = 0; i < detector->options.rules_count; i++)
        if (sq_glob_watches(&detector->options.rules[i], key)) return true;
    return false;
}

/* The entity (NULL: a new one), on the active list, its tracks ready to count at any open bucket. */
static int wake_entity(struct sq_detector *detector, struct sq_str key, struct sq_entity **entity, const struct sink *sink)
{
    int status = *entity ? 0 : open_entity(detector, key, entity, sink);
    if (status) return status;
    sq_entities_touch(&detector->entities, *entity);
    (*entity)->seen = detector->counts.taken;
    sq_entities_note_change(&detector->entities, *entity);
    if ((*entity)->active) return 0;
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        struct sq_track *track = (*entity)->tracks[i];
        if (track) sq_track_catch_up(track, &detector->plans[i], &detector->fleets[i], detector->closed_ms);
    }
    return sq_entities_activate(&detector->entities, *entity, sink->err);
}

static int count_record(struct sq_detector *detector, struct sq_entity *entity, const struct sq_score *score, bool late,
                        struct sq_err *err)
{
    const char *topic = sq_topics_intern(&detector->topics, score->source.topic);
    unsigned verdicts = 0; /* a bit each */
    bool is_told = false;  /* it is one of the texts that alerts are about */
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        struct sq_track *track = entity->tracks[i];
        if (!track || !sq_track_is_open_at(track, score->event_time_ms)) continue;
        enum sq_track_verdict verdict = sq_track_count(track, &detector->plans[i], score, topic, late, detector->closed_ms);
        verdicts |= 1u << verdict;
        is_told |= verdict == SQ_TRACK_COUNTED && sq_str_equal(score->label, sq_str_view(detector->options.rules[i].label));
    }
    if (verdicts & 1u << SQ_TRACK_NO_MEMORY) return sq_err_set(err, SQ_E_NOMEM, "no memory for the windows of an entity");
    if (is_told) sq_terms_take(&detector->terms, score->excerpt);
    if (entity->last_ms < score->event_time_ms) entity->last_ms = score->event_time_ms;
    if (verdicts & 1u << SQ_TRACK_COLLAPSED_TEXT) detector->counts.collapsed_text++;
    else if (verdicts & 1u << SQ_TRACK_COLLAPSED_AUTHOR) detector->counts.collapsed_author++;
    return 0;
}

static int check_record(const struct sq_score *score, struct sq_err *err)
{
    if (score->entity.bytes == 0) return sq_err_set(err, SQ_E_MISSING_FIELD, "entity: a score without one");
    if (score->event_time_ms >= 0 && score->event_time_ms <= ts_max_ms) return 0;
    return sq_err_set(err, SQ_E_WRONG_TYPE, "event_time_ms: %" PRId64 " is not in the years 1970 to 9999", score->event_time_ms);
}

int sq_detector_take(struct sq_detector *detector, const struct sq_score *score, int64_t append_ms, sq_detector_emit_fn emit, void *ctx,
                     struct sq_err *err)
{
    const struct sink sink = {emit, ctx, err};
    int status = check_record(score, err);
    if (!status)
        status = sq_watermark_take(&detector->watermark, score->source.topic, score->source.partition, score->event_time_ms, append_ms, err);
    if (!status) status = close_buckets(detector, &sink);
    if (status) return status;

    detector->counts.taken++;
    bool late = score->event_time_ms < detector->closed_ms;
    if (late && detector->watermark.watermark_ms - score->event_time_ms > detector->options.time.allowed_lateness_ms) {
        detector->counts.late_dropped++;
        return 0;
    }
    if (late) detector->counts.late_included++;
    struct sq_entity *entity = sq_entities_find(&detector->entities, score->entity);
    if (!entity && !is_watched(detector, score->entity)) return 0;
    status = wake_entity(detector, score->entity, &entity, &sink);
    if (status) return status;
    detector->counts.entities = detector->entities.count;
    return count_record(detector, entity, score, late, err);
}

/* ---- Time from outside ---- */

int sq_detector_tick(struct sq_detector *detector, int64_t wall_ms, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    if (detector->closed_ms == INT64_MIN) return 0;
    const struct sink sink = {emit, ctx, err};
    sq_watermark_tick(&detector->watermark, wall_ms, TICK_DELAY_MS);
    return close_buckets(detector, &sink);
}

int sq_detector_finish(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    if (detector->closed_ms == INT64_MIN) return 0;
    const struct sink sink = {emit, ctx, err};
    int64_t bucket_ms = detector->options.time.bucket_ms;
    sq_watermark_advance(&detector->watermark, (sq_floor_div(detector->watermark.latest_ms, bucket_ms) + 1) * bucket_ms);
    return close_buckets(detector, &sink);
}

/* ---- What people say ---- */

int sq_detector_silence(struct sq_detector *detector, const struct sq_silence *silence, struct sq_err *err)
{
    if (sq_silences_put(&detector->silences, silence)) return 0;
    return sq_err_set(err, SQ_E_FULL, "there are %d silences already; end one first", SQ_SILENCES_MAX);
}

bool sq_detector_unsilence(struct sq_detector *detector, uint64_t id) { return sq_silences_remove(&detector->silences, id); }
const struct sq_silences *sq_detector_silences(const struct sq_detector *detector) { return &detector->silences; }

static bool is_alert(const struct sq_detector *detector, const struct sq_entity *entity, unsigned rule, uint64_t alert_id)
{
    const struct sq_track *track = entity->tracks[rule];
    if (!track || track->episode.phase != SQ_PHASE_OPEN) return false;
    uint64_t fingerprint = sq_identity_fingerprint(detector->frame.app, sq_str_view(detector->options.rules[rule].name), entity->key);
    return sq_identity_alert(fingerprint, track->episode.first_ms) == alert_id;
}

static int acknowledge(struct sq_detector *detector, struct sq_entity *entity, unsigned rule, const struct sink *sink)
{
    struct sq_track *track = entity->tracks[rule];
    struct sq_evaluation evaluation;
    sq_entities_note_change(&detector->entities, entity);
    if (!sq_episode_acknowledge(&track->episode, detector->closed_ms, &evaluation.transition)) return 0;
    sq_track_judge(track, &detector->plans[rule], &detector->fleets[rule], detector->closed_ms, &evaluation);
    return emit_alert(detector, entity, rule, &evaluation, sink);
}

static bool is_storm(const struct sq_detector *detector, unsigned rule, uint64_t alert_id)
{
    const struct sq_episode *episode = &detector->storms[rule].episode;
    if (episode->phase != SQ_PHASE_OPEN) return false;
    uint64_t fingerprint = sq_identity_storm(detector->frame.app, sq_str_view(detector->options.rules[rule].name), detector->frame.scores_partition);
    return sq_identity_alert(fingerprint, episode->first_ms) == alert_id;
}

static int acknowledge_storm(struct sq_detector *detector, unsigned rule, const struct sink *sink)
{
    struct sq_transition transition;
    bool is_news = sq_episode_acknowledge(&detector->storms[rule].episode, detector->closed_ms, &transition);
    return is_news ? tell_storm(detector, rule, &transition, sink) : 0;
}

int sq_detector_acknowledge(struct sq_detector *detector, uint64_t alert_id, bool *found, sq_detector_emit_fn emit, void *ctx,
                            struct sq_err *err)
{
    const struct sink sink = {emit, ctx, err};
    *found = false;
    for (struct sq_entity *entity = detector->entities.oldest; entity; entity = entity->next)
        for (unsigned rule = 0; rule < detector->options.rules_count; rule++) {
            if (!is_alert(detector, entity, rule, alert_id)) continue;
            *found = true;
            return acknowledge(detector, entity, rule, &sink);
        }
    for (unsigned rule = 0; rule < detector->options.rules_count; rule++) {
        if (!is_storm(detector, rule, alert_id)) continue;
        *found = true;
        return acknowledge_storm(detector, rule, &sink);
    }
    return 0;
}

/* ---- Views ---- */

int64_t sq_detector_watermark_ms(const struct sq_detector *detector) { return detector->watermark.watermark_ms; }
const struct sq_detector_counts *sq_detector_counts(const struct sq_detector *detector) { return &detector->counts; }

void sq_detector_view(const struct sq_detector *detector, unsigned limit, sq_entity_view_fn each, void *ctx)
{
    unsigned shown = 0;
    for (uint32_t i = 0; i < detector->entities.sorted_count; i++) {
        const struct sq_entity *entity = detector->entities.active[i];
        for (unsigned rule = 0; rule < detector->options.rules_count; rule++) {
            const struct sq_track *track = entity->tracks[rule];
            if (!track) continue;
            if (shown++ == limit) return;
            struct sq_evaluation evaluation;
            struct sq_entity_view view;
            sq_track_judge(track, &detector->plans[rule], &detector->fleets[rule], detector->closed_ms, &evaluation);
            sq_report_view(&detector->frame, entity, track, &detector->plans[rule], &evaluation, &view);
            each(&view, ctx);
        }
    }
}
