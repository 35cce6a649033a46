/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/reload.h"

#include <utlist.h>

#include "worker/core/detector_parts.h"
#include "worker/core/state_codec.h"

enum { NEVER_SAVED = 0, SAVED_OTHERWISE = 1 }; /* as digests: written at the next save in any case; only the second is in a store */

/* All states are to be given by the next save, whatever was saved before. */
static void mark_all(struct sq_detector *detector, uint64_t digest)
{
    for (struct sq_entity *entity = detector->entities.oldest; entity; entity = entity->next) {
        sq_entities_note_change(&detector->entities, entity);
        for (unsigned rule = 0; rule < detector->options.rules_count; rule++)
            if (entity->tracks[rule]) entity->tracks[rule]->saved_digest = digest;
    }
}

struct moving {
    struct sq_detector *to;
    struct sq_err *err;
};

/* What the old one had forgotten, and not yet said so, the new one will say. */
static int move_state(const struct sq_saved_state *state, void *ctx)
{
    const struct moving *moving = ctx;
    if (state->data.data) return sq_detector_restore_state(moving->to, state, moving->err);
    struct sq_state_key *key = sq_state_key_new(state->rule, state->entity);
    if (!key) return sq_err_set(moving->err, SQ_E_NOMEM, "no memory for other rules");
    LL_PREPEND(moving->to->entities.forgotten, key);
    return 0;
}

int sq_detector_reload(struct sq_detector *old, const struct sq_detector_options *options, struct sq_detector **out, struct sq_err *err)
{
    struct sq_detector *detector;
    struct sq_buf meta;
    *out = NULL;
    int status = sq_detector_open(&detector, options, err);
    if (status) return status;
    sq_buf_init(&meta);
    struct moving moving = {detector, err};
    mark_all(old, NEVER_SAVED);
    status = sq_detector_save(old, move_state, &moving, &meta, err);
    mark_all(old, SAVED_OTHERWISE);
    if (status == 0) status = sq_detector_restore_meta(detector, sq_buf_view(&meta), err);
    sq_buf_deinit(&meta);
    if (status == 0) {
        *out = detector;
        return 0;
    }
    LL_CONCAT(old->entities.forgotten, detector->entities.forgotten);
    detector->entities.forgotten = NULL;
    sq_detector_close(detector);
    return status;
}

int sq_detector_take_over(struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx, struct sq_err *err)
{
    int status = sq_detector_restore_end(detector, emit, ctx, err);
    mark_all(detector, SAVED_OTHERWISE);
    return status;
}
