/* SPDX-License-Identifier: Apache-2.0 */
/* A state: version, the rule's form, the entity's latest event time and the number of its latest record, then the track. The meta: version,
 * closed bucket and watermark, a fleet and a storm for each rule by its name and form, the silences, and the words of before. Numbers as in bytes.h. */
#include "worker/core/state_codec.h"

#include <stdlib.h>
#include <utlist.h>

#include "worker/core/bytes.h"
#include "worker/core/detector_parts.h"
#include "worker/core/glob.h"
#include "worker/core/identity.h"
#include "worker/core/siphash.h"
#include "worker/core/state_track.h"

enum { META_RULES_MAX = 1024 };
static const int64_t past_ms_max = INT64_C(60) * 24 * 3600 * 1000; /* entities are forgotten after 28 days */

static uint64_t digest_of(struct sq_str data)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    sq_siphash_take(&hash, data.data, data.bytes);
    uint64_t digest = sq_siphash_end(&hash);
    return digest ? digest : 1;
}

static uint64_t form_of(const struct sq_detector *detector, unsigned rule)
{
    return sq_identity_form(&detector->options.rules[rule], &detector->options.time);
}

/* The number of a rule by its name; rules_count: there is none. */
static unsigned rule_of(const struct sq_detector *detector, struct sq_str name)
{
    unsigned rule = 0;
    while (rule < detector->options.rules_count && !sq_str_equal(sq_str_view(detector->options.rules[rule].name), name)) rule++;
    return rule;
}

/* ---- Saving ---- */

struct saving {
    struct sq_detector *detector;
    sq_saved_state_fn each;
    void *ctx;
    struct sq_buf *scratch;
    struct sq_err *err;
};

static int save_track(const struct saving *saving, const struct sq_entity *entity, unsigned rule)
{
    struct sq_detector *detector = saving->detector;
    struct sq_track *track = entity->tracks[rule];
    sq_buf_clear(saving->scratch);
    sq_bytes_put_number(saving->scratch, SQ_STATE_VERSION);
    sq_bytes_put_fixed(saving->scratch, form_of(detector, rule));
    sq_bytes_put_signed(saving->scratch, entity->last_ms);
    sq_bytes_put_number(saving->scratch, entity->seen);
    sq_state_put_track(saving->scratch, track, &detector->plans[rule], detector->closed_ms);
    if (sq_buf_failed(saving->scratch)) return sq_err_set(saving->err, SQ_E_NOMEM, "no memory for a saved state");
    struct sq_saved_state state = {
        sq_str_view(detector->options.rules[rule].name), entity->key, entity->last_ms, sq_buf_view(saving->scratch)};
    uint64_t digest = digest_of(state.data);
    if (digest == track->saved_digest) return 0;
    track->saved_digest = digest;
    return saving->each(&state, saving->ctx);
}

static int by_key(const void *left, const void *right)
{
    const struct sq_entity *const *a = left, *const *b = right;
    return sq_str_compare((*a)->key, (*b)->key);
}

static int save_changed(const struct saving *saving)
{
    struct sq_entities *entities = &saving->detector->entities;
    if (!entities->changed) return 0;
    struct sq_entity **changed = malloc(entities->count * sizeof(struct sq_entity *));
    if (!changed) return sq_err_set(saving->err, SQ_E_NOMEM, "no memory to save %u entities", entities->count);
    size_t count = 0;
    for (struct sq_entity *entity = entities->changed; entity; entity = entity->next_changed) changed[count++] = entity;
    qsort(changed, count, sizeof *changed, by_key);
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        changed[i]->changed = false;
        for (unsigned rule = 0; rule < entities->rules_count && status == 0; rule++)
            if (changed[i]->tracks[rule]) status = save_track(saving, changed[i], rule);
    }
    entities->changed = NULL;
    free(changed);
    return status;
}

static int by_name(const struct sq_state_key *a, const struct sq_state_key *b)
{
    int order = sq_str_compare(a->entity, b->entity);
    return order ? order : sq_str_compare(a->rule, b->rule);
}

static bool is_back(struct sq_detector *detector, const struct sq_state_key *key)
{
    const struct sq_entity *entity = sq_entities_find(&detector->entities, key->entity);
    unsigned rule = rule_of(detector, key->rule);
    return entity && rule < detector->options.rules_count && entity->tracks[rule];
}

static int save_forgotten(const struct saving *saving)
{
    struct sq_entities *entities = &saving->detector->entities;
    LL_SORT(entities->forgotten, by_name);
    int status = 0;
    while (entities->forgotten && status == 0) {
        struct sq_state_key *key = entities->forgotten;
        entities->forgotten = key->next;
        const struct sq_saved_state state = {.rule = key->rule, .entity = key->entity};
        if (!is_back(saving->detector, key)) status = saving->each(&state, saving->ctx);
        free(key);
    }
    return status;
}

static void put_silences(struct sq_buf *out, const struct sq_silences *silences)
{
    sq_bytes_put_number(out, silences->count);
    for (unsigned i = 0; i < silences->count; i++) {
        const struct sq_silence *silence = &silences->items[i];
        sq_bytes_put_fixed(out, silence->id);
        sq_bytes_put_signed(out, silence->from_ms);
        sq_bytes_put_signed(out, silence->until_ms - silence->from_ms);
        const char *const texts[] = {silence->rule, silence->entity, silence->by, silence->why};
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) sq_bytes_put_str(out, sq_str_view(texts[j]));
    }
}

static void put_rule(struct sq_buf *out, const struct sq_detector *detector, unsigned rule)
{
    const struct sq_fleet *fleet = &detector->fleets[rule];
    const struct sq_storm *storm = &detector->storms[rule];
    sq_bytes_put_str(out, sq_str_view(detector->options.rules[rule].name));
    sq_bytes_put_fixed(out, form_of(detector, rule));
    sq_bytes_put_floats(out, &fleet->messages, 1);
    sq_bytes_put_floats(out, &fleet->matched, 1);
    sq_bytes_put_number(out, fleet->block_count);
    sq_bytes_put_number(out, fleet->block_matched);
    sq_bytes_put_floats(out, &fleet->tail.total, 1);
    sq_bytes_put_floats(out, fleet->tail.bins, SQ_THRESHOLD_BINS);
    sq_bytes_put_number(out, fleet->peaks.total);
    for (unsigned i = 0; i < SQ_THRESHOLD_BINS; i++) sq_bytes_put_number(out, fleet->peaks.bins[i]);
    sq_state_put_episode(out, &storm->episode);
    sq_bytes_put_signed(out, storm->judged_ms);
}

static void put_meta(struct sq_buf *out, const struct sq_detector *detector)
{
    sq_bytes_put_number(out, SQ_STATE_VERSION);
    sq_bytes_put_number(out, detector->counts.taken);
    sq_watermark_put(out, &detector->watermark);
    bool has_begun = detector->closed_ms != INT64_MIN;
    sq_bytes_put_signed(out, has_begun ? detector->closed_ms - detector->watermark.watermark_ms : 0);
    sq_bytes_put_number(out, detector->options.rules_count);
    for (unsigned rule = 0; rule < detector->options.rules_count; rule++) put_rule(out, detector, rule);
    put_silences(out, &detector->silences);
    sq_terms_put(out, &detector->terms);
}

int sq_detector_save(struct sq_detector *detector, sq_saved_state_fn each, void *ctx, struct sq_buf *meta, struct sq_err *err)
{
    struct sq_buf scratch;
    sq_buf_init(&scratch);
    const struct saving saving = {detector, each, ctx, &scratch, err};
    int status = save_forgotten(&saving);
    if (!status) status = save_changed(&saving);
    sq_buf_deinit(&scratch);
    if (status) return status;
    sq_buf_clear(meta);
    put_meta(meta, detector);
    return sq_buf_failed(meta) ? sq_err_set(err, SQ_E_NOMEM, "no memory for a saved partition") : 0;
}

/* ---- Restoring ---- */

static int refuse(struct sq_err *err)
{
    return sq_err_set(err, SQ_E_DECODE, "a saved state that this version did not write; rebuild the partition from its scores");
}

/* What was restored of the key before goes: an entity without any track too. */
static void drop_state(struct sq_detector *detector, struct sq_str rule_name, struct sq_str entity_key)
{
    unsigned rule = rule_of(detector, rule_name);
    struct sq_entity *entity = sq_entities_find(&detector->entities, entity_key);
    if (!entity || rule == detector->options.rules_count) return;
    sq_track_close(entity->tracks[rule]);
    entity->tracks[rule] = NULL;
    for (unsigned i = 0; i < detector->options.rules_count; i++)
        if (entity->tracks[i]) return;
    sq_entities_remove(&detector->entities, entity);
}

/* A state that nobody goes on with. The list has the newest first; of several of one key restore_end takes that one. */
static int restore_orphan(struct sq_detector *detector, const struct sq_saved_state *state, struct sq_bytes *bytes, struct sq_err *err)
{
    struct sq_orphan *orphan = calloc(1, sizeof *orphan);
    if (orphan) orphan->key = sq_state_key_new(state->rule, state->entity);
    if (!orphan || !orphan->key) {
        free(orphan);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for a restored state");
    }
    LL_PREPEND(detector->orphans, orphan);
    orphan->is_deleted = bytes == NULL;
    return !bytes || sq_state_peek_episode(bytes, &orphan->episode) ? 0 : refuse(err);
}

static int restore_track(struct sq_detector *detector, const struct sq_saved_state *state, unsigned rule, int64_t last_ms, uint64_t seen,
                         struct sq_bytes *bytes, struct sq_err *err)
{
    const struct sq_plan *plan = &detector->plans[rule];
    struct sq_entity *entity = sq_entities_find(&detector->entities, state->entity);
    if (!entity) entity = sq_entities_add(&detector->entities, state->entity);
    struct sq_track *track = entity ? sq_track_open(plan, 0) : NULL;
    if (!track) return sq_err_set(err, SQ_E_NOMEM, "no memory for a restored state");
    entity->tracks[rule] = track;
    if (!sq_state_take_track(bytes, track, plan, &detector->topics)) return refuse(err);
    if (!plan->has_budget) track->threshold = plan->threshold;
    track->saved_digest = digest_of(state->data);
    if (last_ms > entity->last_ms) entity->last_ms = last_ms;
    if (seen > entity->seen) entity->seen = seen;
    return 0;
}

int sq_detector_restore_state(struct sq_detector *detector, const struct sq_saved_state *state, struct sq_err *err)
{
    drop_state(detector, state->rule, state->entity);
    if (!state->data.data) return restore_orphan(detector, state, NULL, err);
    struct sq_bytes bytes = {state->data.data, state->data.data + state->data.bytes, false};
    if (sq_bytes_number(&bytes) != SQ_STATE_VERSION || state->entity.bytes == 0) return refuse(err);
    uint64_t form = sq_bytes_fixed(&bytes);
    int64_t last_ms = sq_bytes_signed(&bytes);
    uint64_t seen = sq_bytes_number(&bytes);
    if (bytes.failed) return refuse(err);
    unsigned rule = rule_of(detector, state->rule);
    bool is_gone = rule == detector->options.rules_count || form != form_of(detector, rule) ||
                   !sq_glob_watches(&detector->options.rules[rule], state->entity);
    return is_gone ? restore_orphan(detector, state, &bytes, err) : restore_track(detector, state, rule, last_ms, seen, &bytes, err);
}

static void take_text(struct sq_bytes *bytes, char *text, size_t text_bytes)
{
    struct sq_str str = sq_bytes_str(bytes, text_bytes - 1);
    if (str.bytes) memcpy(text, str.data, str.bytes);
}

static bool take_silences(struct sq_bytes *bytes, struct sq_silences *silences)
{
    uint64_t count = sq_bytes_number_to(bytes, SQ_SILENCES_MAX);
    for (uint64_t i = 0; i < count && !bytes->failed; i++) {
        struct sq_silence silence = {.id = sq_bytes_fixed(bytes)};
        silence.from_ms = sq_bytes_time(bytes, 0);
        silence.until_ms = sq_bytes_time(bytes, silence.from_ms);
        take_text(bytes, silence.rule, sizeof silence.rule);
        take_text(bytes, silence.entity, sizeof silence.entity);
        take_text(bytes, silence.by, sizeof silence.by);
        take_text(bytes, silence.why, sizeof silence.why);
        if (!bytes->failed && !sq_silences_put(silences, &silence)) return false;
    }
    return true;
}

static void take_rule(struct sq_bytes *bytes, struct sq_detector *detector)
{
    unsigned rule = rule_of(detector, sq_bytes_str(bytes, SQ_RULE_TEXT_BYTES));
    uint64_t form = sq_bytes_fixed(bytes);
    struct sq_fleet fleet = {0};
    struct sq_storm storm = {0};
    sq_bytes_floats(bytes, &fleet.messages, 1);
    sq_bytes_floats(bytes, &fleet.matched, 1);
    fleet.block_count = sq_bytes_number(bytes);
    fleet.block_matched = sq_bytes_number(bytes);
    sq_bytes_floats(bytes, &fleet.tail.total, 1);
    sq_bytes_floats(bytes, fleet.tail.bins, SQ_THRESHOLD_BINS);
    fleet.peaks.total = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
    for (unsigned i = 0; i < SQ_THRESHOLD_BINS; i++) fleet.peaks.bins[i] = (uint32_t)sq_bytes_number_to(bytes, UINT32_MAX);
    sq_state_take_episode(bytes, &storm.episode);
    storm.judged_ms = sq_bytes_time(bytes, 0);
    if (bytes->failed || rule == detector->options.rules_count || form != form_of(detector, rule)) return;
    detector->fleets[rule] = fleet;
    detector->storms[rule] = storm;
}

int sq_detector_restore_meta(struct sq_detector *detector, struct sq_str meta, struct sq_err *err)
{
    if (!meta.bytes) return refuse(err); /* (nor has it data) */
    struct sq_bytes bytes = {meta.data, meta.data + meta.bytes, false};
    if (sq_bytes_number(&bytes) != SQ_STATE_VERSION) return refuse(err);
    sq_watermark_deinit(&detector->watermark);
    sq_watermark_init(&detector->watermark, &detector->options.time);
    sq_silences_deinit(&detector->silences);
    detector->counts.taken = sq_bytes_number(&bytes);
    bool has_memory = sq_watermark_take_saved(&bytes, &detector->watermark);
    bool has_begun = detector->watermark.watermark_ms != INT64_MIN;
    int64_t closed_ms = sq_bytes_time(&bytes, has_begun ? detector->watermark.watermark_ms : 0);
    detector->closed_ms = has_begun ? closed_ms : INT64_MIN;
    uint64_t rules = sq_bytes_number_to(&bytes, META_RULES_MAX);
    for (uint64_t i = 0; i < rules && !bytes.failed; i++) take_rule(&bytes, detector);
    has_memory = has_memory && take_silences(&bytes, &detector->silences);
    sq_terms_take_saved(&bytes, &detector->terms);
    if (!has_memory) return sq_err_set(err, SQ_E_NOMEM, "no memory for a restored partition");
    return sq_bytes_is_done(&bytes) ? 0 : refuse(err);
}

static int by_sight(const struct sq_entity *a, const struct sq_entity *b) { return (a->seen > b->seen) - (a->seen < b->seen); }

static bool is_idle(const struct sq_detector *detector, const struct sq_entity *entity)
{
    for (unsigned i = 0; i < detector->options.rules_count; i++)
        if (entity->tracks[i] && !sq_track_is_idle(entity->tracks[i])) return false;
    return true;
}

/* Rules newly there watch the entities that are known. */
static int open_missing(struct sq_detector *detector, struct sq_entity *entity, struct sq_err *err)
{
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        if (entity->tracks[i] || !sq_glob_watches(&detector->options.rules[i], entity->key)) continue;
        entity->tracks[i] = sq_track_open(&detector->plans[i], detector->closed_ms);
        if (!entity->tracks[i]) return sq_err_set(err, SQ_E_NOMEM, "no memory for a restored state");
        sq_entities_note_change(&detector->entities, entity);
    }
    return 0;
}

static int end_orphan(struct sq_detector *detector, struct sq_orphan *orphan, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    struct sq_transition transition;
    int64_t at_ms = detector->closed_ms > orphan->episode.noticed_ms ? detector->closed_ms : orphan->episode.noticed_ms;
    if (!sq_episode_end(&orphan->episode, at_ms, SQ_REASON_RULE_REMOVED, &transition)) return 0;
    struct sq_alert alert;
    detector->frame.watermark_ms = detector->watermark.watermark_ms;
    int status = sq_report_orphan(&detector->frame, orphan->key, &orphan->episode, &transition, &alert, err);
    return status ? status : sq_detector_pass_on(detector, &alert, emit, ctx);
}

static int by_orphan(const struct sq_orphan *a, const struct sq_orphan *b) { return by_name(a->key, b->key); }

/* The newest of each key, unless its state went on. */
static int end_orphans(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    struct sq_orphan *before = NULL;
    int status = 0;
    LL_SORT(detector->orphans, by_orphan);
    for (struct sq_orphan *orphan = detector->orphans; orphan && status == 0; before = orphan, orphan = orphan->next) {
        if (orphan->is_deleted || (before && by_orphan(before, orphan) == 0) || is_back(detector, orphan->key)) continue;
        status = end_orphan(detector, orphan, emit, ctx, err);
        struct sq_state_key *key = sq_state_key_new(orphan->key->rule, orphan->key->entity);
        if (key) LL_PREPEND(detector->entities.forgotten, key);
    }
    sq_orphans_close(detector->orphans);
    detector->orphans = NULL;
    return status;
}

/* A past that no detector can have: catching up with it would take forever. */
static bool is_timely(const struct sq_detector *detector, const struct sq_entity *entity)
{
    for (unsigned i = 0; i < detector->options.rules_count; i++) {
        const struct sq_track *track = entity->tracks[i];
        if (!track) continue;
        if (track->next_fold * SQ_BLOCK_MS < detector->closed_ms - past_ms_max) return false;
        if (track->next_block * SQ_BLOCK_MS > detector->closed_ms + SQ_BLOCK_MS) return false;
    }
    return true;
}

int sq_detector_restore_end(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    struct sq_entities *entities = &detector->entities;
    int status = 0;
    if (detector->closed_ms == INT64_MIN && entities->count > 0) return refuse(err); /* states without their meta */
    DL_SORT(entities->oldest, by_sight);
    for (struct sq_entity *entity = entities->oldest; entity && status == 0; entity = entity->next) {
        if (!is_timely(detector, entity)) return refuse(err);
        if (!is_idle(detector, entity)) status = sq_entities_activate(entities, entity, err);
    }
    sq_entities_sort(entities);
    detector->counts.entities = entities->count;
    if (!status) status = end_orphans(detector, emit, ctx, err); /* before new tracks make their keys look alive */
    for (struct sq_entity *entity = entities->oldest; entity && status == 0; entity = entity->next) status = open_missing(detector, entity, err);
    return status;
}
