/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/session.h"

#include <math.h>
#include <stdlib.h>

#include "engine/ensemble.h"
#include "engine/texthash.h"

struct sq_session {
    const struct sq_engine *engine;
    struct sq_arena arena; /* all that follows lies in it; what is left is the tokenizer's scratch */
    struct sq_workspace workspace;
    int32_t *ids;     /* [batch_tokens + tokens_max]: the text tried last may lie beyond what fits */
    unsigned *starts; /* [texts_max + 1] */
    struct sq_prediction **predictions; /* [texts_max] */
    float *logits;    /* [texts_max, labels] */
    unsigned texts_count;
    unsigned tokens_count;
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

static size_t logits_bytes(const struct sq_model_info *info) { return (size_t)texts_max(info) * info->labels_count * sizeof(float); }

size_t sq_session_arena_bytes(const struct sq_engine *engine)
{
    const struct sq_model_info *info = &engine->info;
    size_t texts = texts_max(info);
    return sq_workspace_bytes(&engine->config, tokens_max(info), (unsigned)texts) + ids_bytes(info) + logits_bytes(info) +
           (texts + 1) * sizeof(unsigned) + texts * sizeof(struct sq_prediction *) +
           sq_tokenizer_scratch_bytes(engine->tokenizer, SQ_TEXT_BYTES_MAX) + 5 * (size_t)SQ_ARENA_ALIGN_BYTES;
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
    session->logits = sq_arena_alloc(&session->arena, logits_bytes(info));
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

unsigned sq_session_tokens_count(const struct sq_session *session) { return session->tokens_count; }
unsigned sq_session_texts_count(const struct sq_session *session) { return session->texts_count; }
unsigned sq_session_refused_tokens(const struct sq_session *session) { return session->refused_tokens; }

static bool has_room(const struct sq_session *session, size_t tokens)
{
    const struct sq_model_info *info = &session->engine->info;
    if (session->texts_count == 0) return true;
    return session->texts_count < texts_max(info) && session->tokens_count + tokens <= info->batch_tokens_max;
}

static int encode(struct sq_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, bool *truncated, struct sq_err *err)
{
    const struct sq_engine *engine = session->engine;
    if (text.bytes > SQ_TEXT_BYTES_MAX)
        return sq_err_set(err, SQ_E_TOO_LARGE, "the text has %zu bytes, more than %d", text.bytes, SQ_TEXT_BYTES_MAX);
    return sq_tokenizer_encode(engine->tokenizer, text, engine->info.tokens_max, &session->arena, ids, ids_count, truncated, err);
}

bool sq_session_try_add(struct sq_session *session, struct sq_str text, struct sq_prediction *prediction)
{
    struct sq_err err;
    size_t count = 0;
    bool truncated = false;
    session->refused_tokens = 2;
    if (!has_room(session, 2)) return false;
    int code = encode(session, text, session->ids + session->tokens_count, &count, &truncated, &err);
    session->refused_tokens = (unsigned)count;
    if (code == 0 && !has_room(session, count)) return false;
    *prediction = (struct sq_prediction){.code = code};
    if (code < 0) return true;
    prediction->tokens = (unsigned)count;
    prediction->truncated = truncated;
    prediction->text_hash = sq_text_hash(text);
    session->starts[session->texts_count] = session->tokens_count;
    session->predictions[session->texts_count++] = prediction;
    session->tokens_count += (unsigned)count;
    return true;
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

static void fill(struct sq_prediction *prediction, const float *logits, const struct sq_model_info *info)
{
    for (unsigned i = 0; i < info->labels_count; i++) {
        prediction->logits[i] = logits[i];
        if (!isfinite(logits[i])) prediction->code = SQ_E_INFERENCE;
    }
    if (prediction->code < 0) return;
    if (info->multi_label) sigmoid(prediction->probabilities, logits, info->labels_count);
    else softmax(prediction->probabilities, logits, info->labels_count);
    for (unsigned i = 1; i < info->labels_count; i++) {
        if (prediction->probabilities[i] > prediction->probabilities[prediction->label]) prediction->label = i;
    }
    prediction->score = prediction->probabilities[prediction->label];
}

void sq_session_run(struct sq_session *session)
{
    const struct sq_model_info *info = &session->engine->info;
    if (session->texts_count == 0) return;
    session->starts[session->texts_count] = session->tokens_count;
    struct sq_batch batch = {session->ids, session->starts, session->texts_count, session->tokens_count};
    sq_encoder_run(&session->engine->encoder, &session->workspace, &batch, session->logits);
    for (unsigned text = 0; text < session->texts_count; text++)
        fill(session->predictions[text], session->logits + (size_t)text * info->labels_count, info);
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
