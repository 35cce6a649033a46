/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/alert_state.h"

#include <stdio.h>

int sq_alert_states_init(struct sq_alert_states *states, struct sq_err *err)
{
    sq_buf_init(&states->key);
    sq_buf_init(&states->value);
    sq_buf_init(&states->meta);
    return sq_arena_init(&states->arena, SQ_STATE_SCRATCH_BYTES, err);
}

void sq_alert_states_deinit(struct sq_alert_states *states)
{
    sq_buf_deinit(&states->key);
    sq_buf_deinit(&states->value);
    sq_buf_deinit(&states->meta);
    sq_arena_deinit(&states->arena);
}

/* ---- saving ---- */

struct saving {
    struct sq_alert_states *states;
    uint64_t lineage;
    sq_alert_state_put_fn put;
    void *ctx;
    struct sq_err *err;
};

static int put_state(const struct sq_saved_state *saved, void *ctx)
{
    const struct saving *saving = ctx;
    struct sq_alert_states *states = saving->states;
    sq_buf_clear(&states->key);
    sq_buf_clear(&states->value);
    int status = sq_state_key_encode(saved->rule, saved->entity, &states->key, saving->err);
    if (status) return status;
    if (!saved->data.data) return saving->put(sq_buf_view(&states->key), (struct sq_str){0}, saving->ctx);
    const struct sq_state_record record = {
        .version = SQ_STATE_VERSION, .rule = saved->rule, .entity = saved->entity, .last_event_time_ms = saved->last_event_time_ms,
        .lineage = saving->lineage, .data = saved->data,
    };
    status = sq_state_encode(&record, &states->value, saving->err);
    return status ? status : saving->put(sq_buf_view(&states->key), sq_buf_view(&states->value), saving->ctx);
}

int sq_alert_state_save(struct sq_alert_states *states, struct sq_detector *detector, uint64_t lineage, int64_t next_offset,
                        sq_alert_state_put_fn put, void *ctx, struct sq_err *err)
{
    struct saving saving = {states, lineage, put, ctx, err};
    int status = sq_detector_save(detector, put_state, &saving, &states->meta, err);
    if (status) return status;
    const struct sq_state_meta meta = {
        .version = SQ_STATE_VERSION, .next_offset = next_offset, .watermark_ms = sq_detector_watermark_ms(detector), .lineage = lineage,
        .data = sq_buf_view(&states->meta),
    };
    sq_buf_clear(&states->value);
    status = sq_state_meta_encode(&meta, &states->value, err);
    return status ? status : put(sq_state_meta_key(), sq_buf_view(&states->value), ctx);
}

/* ---- restoring ---- */

int sq_alert_restore_init(struct sq_alert_restore *restore, sq_alert_open_fn open, void *ctx, struct sq_err *err)
{
    *restore = (struct sq_alert_restore){.next_offset = -1};
    sq_buf_init(&restore->meta);
    return open(&restore->detector, ctx, err);
}

void sq_alert_restore_deinit(struct sq_alert_restore *restore)
{
    sq_detector_close(restore->detector);
    sq_buf_deinit(&restore->meta);
    restore->detector = NULL;
}

/* The same again, with nothing in it. */
static int start_over(struct sq_alert_restore *restore, sq_alert_open_fn open, void *ctx, struct sq_err *err)
{
    sq_alert_restore_deinit(restore);
    return sq_alert_restore_init(restore, open, ctx, err);
}

/* It could not be started over, and its stage is told to end. */
static int without_detector(struct sq_err *err) { return sq_err_set(err, SQ_E_NOMEM, "no memory for a detector"); }

static int unreadable(struct sq_alert_restore *restore, const struct sq_err *err)
{
    if (sq_err_class(err->code) == SQ_CLASS_FATAL) return err->code;
    if (!restore->is_unreadable) snprintf(restore->why, sizeof restore->why, "%.*s", (int)sizeof restore->why - 1, err->message);
    restore->is_unreadable = true;
    return 0;
}

static int enter_lineage(struct sq_alert_restore *restore, uint64_t lineage, sq_alert_open_fn open, void *ctx, struct sq_err *err)
{
    if (restore->lineage == lineage) return 0;
    int status = restore->lineage || restore->is_unreadable ? start_over(restore, open, ctx, err) : 0;
    restore->lineage = lineage;
    return status;
}

static int take_meta(struct sq_alert_restore *restore, struct sq_alert_states *states, struct sq_str value, sq_alert_open_fn open, void *ctx,
                     struct sq_err *err)
{
    struct sq_state_meta meta;
    if (sq_state_meta_decode(value, &states->arena, &meta, err)) return unreadable(restore, err);
    int status = enter_lineage(restore, meta.lineage, open, ctx, err);
    if (status) return status;
    restore->has_meta = true;
    restore->next_offset = meta.next_offset;
    sq_buf_clear(&restore->meta);
    sq_buf_append_str(&restore->meta, meta.data);
    return sq_buf_failed(&restore->meta) ? sq_err_set(err, SQ_E_NOMEM, "no memory for a state") : 0;
}

static int take_state(struct sq_alert_restore *restore, struct sq_alert_states *states, struct sq_str value, sq_alert_open_fn open, void *ctx,
                      struct sq_err *err)
{
    struct sq_state_record record;
    if (sq_state_decode(value, &states->arena, &record, err)) return unreadable(restore, err);
    int status = enter_lineage(restore, record.lineage, open, ctx, err);
    if (status) return status;
    const struct sq_saved_state saved = {record.rule, record.entity, record.last_event_time_ms, record.data};
    return sq_detector_restore_state(restore->detector, &saved, err) ? unreadable(restore, err) : 0;
}

int sq_alert_restore_take(struct sq_alert_restore *restore, struct sq_alert_states *states, struct sq_str key, struct sq_str value,
                          sq_alert_open_fn open, void *ctx, struct sq_err *err)
{
    struct sq_saved_state gone = {0};
    if (!restore->detector) return without_detector(err);
    if (sq_str_equal(key, sq_state_meta_key())) return take_meta(restore, states, value, open, ctx, err);
    if (value.data) return take_state(restore, states, value, open, ctx, err);
    if (!sq_state_key_decode(key, &gone.rule, &gone.entity)) return 0;
    return sq_detector_restore_state(restore->detector, &gone, err) ? unreadable(restore, err) : 0;
}

static enum sq_alert_verdict rebuild(struct sq_alert_restore *restore, enum sq_alert_verdict verdict, const char *why, sq_alert_open_fn open,
                                     void *ctx, struct sq_err *err)
{
    char kept[sizeof restore->why];
    snprintf(kept, sizeof kept, "%s", why);
    if (start_over(restore, open, ctx, err)) return SQ_ALERT_REFUSED;
    memcpy(restore->why, kept, sizeof kept);
    return verdict;
}

enum sq_alert_verdict sq_alert_restore_end(struct sq_alert_restore *restore, int64_t committed_offset, bool may_rebuild, sq_alert_open_fn open,
                                           void *open_ctx, sq_detector_emit_fn emit, void *emit_ctx, struct sq_err *err)
{
    if (!restore->detector) {
        without_detector(err);
        return SQ_ALERT_REFUSED;
    }
    if (restore->is_unreadable) return rebuild(restore, SQ_ALERT_REBUILD, restore->why, open, open_ctx, err);
    if (!restore->has_meta && committed_offset <= 0) return rebuild(restore, SQ_ALERT_FRESH, "", open, open_ctx, err);
    if (!restore->has_meta) return rebuild(restore, SQ_ALERT_REBUILD, "there is no state yet", open, open_ctx, err);
    if (restore->next_offset != committed_offset) {
        if (may_rebuild) return rebuild(restore, SQ_ALERT_REBUILD, "state and committed offset differ", open, open_ctx, err);
        sq_err_set(err, SQ_E_CONFIG, "the state stands at offset %lld, but the group has committed %lld: its offset was set by other hands. Set it "
                   "back, or start once with restore: rebuild, which reads the scores that are left anew", (long long)restore->next_offset,
                   (long long)committed_offset);
        return SQ_ALERT_REFUSED;
    }
    int status = sq_detector_restore_meta(restore->detector, sq_buf_view(&restore->meta), err);
    if (status == 0) status = sq_detector_restore_end(restore->detector, emit, emit_ctx, err);
    if (status == 0) return SQ_ALERT_RESTORED;
    if (unreadable(restore, err)) return SQ_ALERT_REFUSED;
    return rebuild(restore, SQ_ALERT_REBUILD, restore->why, open, open_ctx, err);
}
