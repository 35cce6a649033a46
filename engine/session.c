/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/metrics.h"
#include "engine/ensemble.h"
#include "engine/texthash.h"

enum { SERIES_HIT, SERIES_MISS };

struct sq_session {
    const struct sq_engine *engine;
    struct sq_arena arena; /* all that follows lies in it; what is left is the tokenizer's scratch */
    struct sq_workspace workspace;
    int32_t *ids;     /* [batch_tokens + tokens_max]: the text tried last may lie beyond what fits */
    unsigned *starts; /* [texts_max + 1] */
    struct sq_prediction **predictions; /* [texts_max]: of all texts added, copies too */
    unsigned *rows;                     /* [texts_max]: which of the batch's texts each of them is */
    struct sq_score_key *keys;          /* [texts_max]: of the batch's texts; only with a cache */
    float *outputs;   /* [texts_max, outputs_count]: logits or vectors */
    unsigned predictions_count;
    unsigned texts_count;
    unsigned tokens_count;
    bool reuses;
    struct sq_score_cache *cache; /* borrowed; NULL: none */
    unsigned refused_tokens;
    struct sq_ensemble_session *ensemble; /* then none of the above is used; NULL: one model */
};

/* A batch of one long text may be longer than the budget. */
static unsigned tokens_max(const struct sq_model_info *info)
{
    return info->batch_tokens_max > info->tokens_max ? info->batch_tokens_max : info->tokens_max;
}

/* Every text has [CLS] and [SEP] at least. */
static unsigned texts_max(const struct sq_model_info *info)
{
    unsigned texts = tokens_max(info) / 2;
    return texts < SQ_BATCH_TEXTS_MAX ? texts : SQ_BATCH_TEXTS_MAX;
}

static size_t ids_bytes(const struct sq_model_info *info)
{
    return ((size_t)tokens_max(info) + info->tokens_max) * sizeof(int32_t);
}

static size_t outputs_bytes(const struct sq_model_info *info) { return (size_t)texts_max(info) * info->outputs_count * sizeof(float); }

size_t sq_session_arena_bytes(const struct sq_engine *engine)
{
    const struct sq_model_info *info = &engine->info;
    size_t texts = texts_max(info);
    return sq_workspace_bytes(&engine->config, tokens_max(info), (unsigned)texts) + ids_bytes(info) + outputs_bytes(info) +
           (texts + 1) * sizeof(unsigned) + texts * (sizeof(struct sq_prediction *) + sizeof(unsigned) + sizeof(struct sq_score_key)) +
           sq_tokenizer_scratch_bytes(engine->tokenizer, SQ_TEXT_BYTES_MAX) + 7 * (size_t)SQ_ARENA_ALIGN_BYTES;
}

static int place(struct sq_session *session, struct sq_err *err)
{
    const struct sq_model_info *info = &session->engine->info;
    size_t texts = texts_max(info);
    int status = sq_arena_init(&session->arena, sq_session_arena_bytes(session->engine), err);
    if (status < 0) return status;
    session->ids = sq_arena_alloc(&session->arena, ids_bytes(info));
    session->starts = sq_arena_alloc(&session->arena, (texts + 1) * sizeof *session->starts);
    session->predictions = sq_arena_alloc(&session->arena, texts * sizeof *session->predictions);
    session->rows = sq_arena_alloc(&session->arena, texts * sizeof *session->rows);
    session->keys = sq_arena_alloc(&session->arena, texts * sizeof *session->keys);
    session->outputs = sq_arena_alloc(&session->arena, outputs_bytes(info));
    return sq_workspace_init(&session->workspace, &session->arena, &session->engine->config, tokens_max(info), (unsigned)texts, err);
}

int sq_session_open(struct sq_session **session, const struct sq_engine *engine, struct sq_err *err)
{
    struct sq_session *opened = calloc(1, sizeof *opened);
    *session = NULL;
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for a session");
    opened->engine = engine;
    int status = engine->ensemble ? sq_ensemble_session_open(&opened->ensemble, engine, err) : place(opened, err);
    if (status < 0) sq_session_close(opened);
    else *session = opened;
    return status;
}

void sq_session_close(struct sq_session *session)
{
    if (!session) return;
    sq_ensemble_session_close(session->ensemble);
    sq_arena_deinit(&session->arena);
    free(session);
}

void sq_session_reuse(struct sq_session *session, struct sq_score_cache *cache)
{
    session->reuses = true;
    session->cache = cache;
}

unsigned sq_session_tokens_count(const struct sq_session *session) { return session->tokens_count; }
unsigned sq_session_texts_count(const struct sq_session *session) { return session->texts_count; }
unsigned sq_session_refused_tokens(const struct sq_session *session) { return session->refused_tokens; }

static bool has_room(const struct sq_session *session, size_t tokens)
{
    const struct sq_model_info *info = &session->engine->info;
    if (session->predictions_count == 0) return true;
    return session->predictions_count < texts_max(info) && session->tokens_count + tokens <= info->batch_tokens_max;
}

static int encode(struct sq_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, bool *truncated, struct sq_err *err)
{
    const struct sq_engine *engine = session->engine;
    if (text.bytes > SQ_TEXT_BYTES_MAX)
        return sq_err_set(err, SQ_E_TOO_LARGE, "the text has %zu bytes, more than %d", text.bytes, SQ_TEXT_BYTES_MAX);
    return sq_tokenizer_encode(engine->tokenizer, text, engine->info.tokens_max, &session->arena, ids, ids_count, truncated, err);
}

static void softmax(float *probabilities, const float *logits, unsigned count)
{
    double total = 0, most = logits[0];
    for (unsigned i = 1; i < count; i++) most = fmax(most, (double)logits[i]);
    for (unsigned i = 0; i < count; i++) total += exp((double)logits[i] - most);
    for (unsigned i = 0; i < count; i++) probabilities[i] = (float)(exp((double)logits[i] - most) / total);
}

static void sigmoid(float *probabilities, const float *logits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) probabilities[i] = (float)(1.0 / (1.0 + exp(-(double)logits[i])));
}

static void apply_function(float *scores, const float *logits, const struct sq_model_info *info)
{
    switch (info->function) {
    case SQ_FUNCTION_AUTO: /* settled when the model was opened */
    case SQ_FUNCTION_SOFTMAX: softmax(scores, logits, info->labels_count); break;
    case SQ_FUNCTION_SIGMOID: sigmoid(scores, logits, info->labels_count); break;
    case SQ_FUNCTION_NONE: memcpy(scores, logits, info->labels_count * sizeof *scores); break;
    }
}

static void fill(struct sq_prediction *prediction, const float *outputs, const struct sq_model_info *info)
{
    float *kept = info->task == SQ_TASK_EMBED ? prediction->vector : prediction->logits;
    for (unsigned i = 0; i < info->outputs_count; i++) {
        kept[i] = outputs[i];
        if (!isfinite(outputs[i])) prediction->code = SQ_E_INFERENCE;
    }
    if (prediction->code < 0 || info->task == SQ_TASK_EMBED) return;
    apply_function(prediction->probabilities, outputs, info);
    for (unsigned i = 1; i < info->labels_count; i++) {
        if (prediction->probabilities[i] > prediction->probabilities[prediction->label]) prediction->label = i;
    }
    prediction->score = prediction->probabilities[prediction->label];
}

/* The batch's text of just these ids, or else texts_count. */
static unsigned find_copy(const struct sq_session *session, const int32_t *ids, size_t count)
{
    unsigned row = 0;
    if (!session->reuses) return session->texts_count;
    for (; row < session->texts_count; row++) {
        unsigned start = session->starts[row], end = row + 1 < session->texts_count ? session->starts[row + 1] : session->tokens_count;
        if (end - start == count && memcmp(session->ids + start, ids, count * sizeof *ids) == 0) break;
    }
    return row;
}

/* True, with the prediction filled, when the cache holds the text; else its key is noted for when it has been encoded. */
static bool is_known(struct sq_session *session, const int32_t *ids, size_t count, struct sq_prediction *prediction)
{
    const struct sq_model_info *info = &session->engine->info;
    float *outputs = session->outputs + (size_t)session->texts_count * info->outputs_count; /* free until the batch runs */
    struct sq_score_key *key = &session->keys[session->texts_count];
    if (!session->cache) return false;
    *key = sq_score_cache_key(session->cache, ids, count);
    if (!sq_score_cache_find(session->cache, key, outputs)) return false;
    fill(prediction, outputs, info);
    sq_metric_add(SQ_M_SCORE_CACHE_LOOKUPS, SERIES_HIT, 1);
    return true;
}

/* The ids behind those of the batch become its next text. */
static void add_text(struct sq_session *session, size_t count)
{
    session->starts[session->texts_count++] = session->tokens_count;
    session->tokens_count += (unsigned)count;
    if (session->cache) sq_metric_add(SQ_M_SCORE_CACHE_LOOKUPS, SERIES_MISS, 1);
}

bool sq_session_try_add(struct sq_session *session, struct sq_str text, struct sq_prediction *prediction)
{
    struct sq_err err;
    size_t count = 0;
    bool truncated = false;
    const int32_t *ids = session->ids + session->tokens_count;
    session->refused_tokens = 2;
    if (!has_room(session, 2)) return false;
    int code = encode(session, text, session->ids + session->tokens_count, &count, &truncated, &err);
    float *vector = session->engine->info.task == SQ_TASK_EMBED ? prediction->vector : NULL;
    *prediction = (struct sq_prediction){.code = code, .tokens = (unsigned)count, .truncated = truncated, .vector = vector};
    if (code < 0) return true;
    unsigned row = find_copy(session, ids, count);
    bool is_copy = row < session->texts_count, known = !is_copy && is_known(session, ids, count, prediction);
    session->refused_tokens = (unsigned)count;
    if (!is_copy && !known && !has_room(session, count)) return false;
    prediction->text_hash = sq_text_hash(text);
    prediction->text_simhash = sq_text_simhash(text);
    if (known) return true;
    if (is_copy) sq_metric_add(SQ_M_COLLAPSED_TEXTS, 0, 1);
    else add_text(session, count);
    session->rows[session->predictions_count] = row;
    session->predictions[session->predictions_count++] = prediction;
    return true;
}

void sq_session_run(struct sq_session *session)
{
    const struct sq_model_info *info = &session->engine->info;
    if (session->texts_count == 0) return;
    session->starts[session->texts_count] = session->tokens_count;
    struct sq_batch batch = {session->ids, session->starts, session->texts_count, session->tokens_count};
    sq_encoder_run(&session->engine->encoder, &session->workspace, &batch, session->outputs);
    for (unsigned text = 0; session->cache && text < session->texts_count; text++)
        sq_score_cache_insert(session->cache, &session->keys[text], session->outputs + (size_t)text * info->outputs_count);
    for (unsigned i = 0; i < session->predictions_count; i++)
        fill(session->predictions[i], session->outputs + (size_t)session->rows[i] * info->outputs_count, info);
    session->predictions_count = 0;
    session->texts_count = 0;
    session->tokens_count = 0;
}

void sq_session_score(struct sq_session *session, const struct sq_str *texts, size_t texts_count, struct sq_prediction *predictions)
{
    if (session->ensemble) {
        sq_ensemble_session_score(session->ensemble, texts, texts_count, predictions);
        return;
    }
    for (size_t i = 0; i < texts_count; i++) {
        while (!sq_session_try_add(session, texts[i], &predictions[i])) sq_session_run(session);
    }
    sq_session_run(session);
}

int sq_session_tokenise(struct sq_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, struct sq_err *err)
{
    bool truncated;
    if (session->ensemble) return sq_ensemble_session_tokenise(session->ensemble, text, ids, ids_count, err);
    return encode(session, text, ids, ids_count, &truncated, err);
}
