/* SPDX-License-Identifier: Apache-2.0 */
/* How a packed batch is filled and run; sq_session_score and the pool are made of this. One thread owns a session. */
#ifndef SQ_SESSION_H
#define SQ_SESSION_H

#include "engine/encoder.h"
#include "engine/cache.h"
#include "engine/engine.h"
#include "engine/precision.h"
#include "engine/score_cache.h"
#include "engine/tokenizer/tokenizer.h"

struct sq_engine {
    struct sq_model_config config;
    struct sq_precision_plan plan; /* that the weights are laid out for */
    struct sq_weights weights;
    struct sq_cache_entry kept; /* whose memory the weights are, where they came from the cache */
    struct sq_tokenizer *tokenizer;
    struct sq_encoder encoder;
    struct sq_model_info info;
    char *name; /* info.name */
    struct sq_ensemble *ensemble; /* of several models; then only `info` and `name` above are set. NULL: one model */
};

/* Fills info from the configuration and the weights. */
void sq_engine_fill_info(struct sq_engine *engine);

/* What a session's arena holds for this engine. */
size_t sq_session_arena_bytes(const struct sq_engine *engine);

/* From now on, texts of the same ids in a batch are encoded once, and those whose scores the cache holds not at all (NULL: no cache).
 * The answers are the same bits. Not for an ensemble's session: for those of its models. */
void sq_session_reuse(struct sq_session *session, struct sq_score_cache *cache);

/* Tokenises text into the batch; sq_session_run will fill *prediction, which must stay where it is until then. A text that can't be
 * scored gets its code at once and takes no place; nor does one that is known already. False, with nothing done, when the batch has no room: run it first. An empty batch
 * takes any text. */
bool sq_session_try_add(struct sq_session *session, struct sq_str text, struct sq_prediction *prediction);

/* How many tokens the text had that sq_session_try_add refused last. */
unsigned sq_session_refused_tokens(const struct sq_session *session);

unsigned sq_session_tokens_count(const struct sq_session *session);
/* Texts that a pass will encode: copies are not counted. */
unsigned sq_session_texts_count(const struct sq_session *session);

/* Runs what was added, fills the predictions and empties the batch. */
void sq_session_run(struct sq_session *session);

#endif
