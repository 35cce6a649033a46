/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ensemble.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

enum { LIST_BYTES = 256, CHUNK_TEXTS = 64 };

unsigned sq_engine_members_count(const struct sq_engine *engine) { return engine->ensemble ? engine->ensemble->count : 1; }

const struct sq_engine *sq_engine_member(const struct sq_engine *engine, unsigned member)
{
    return engine->ensemble ? engine->ensemble->members[member] : engine;
}

/* ---- open ---- */

static const char *path_of(const struct sq_engine_options *options, unsigned member)
{
    return member ? options->further_paths[member - 1] : options->model_path;
}

/* "negative, neutral, positive", cut where it gets long. */
static const char *list_labels(const struct sq_model_info *info, char list[LIST_BYTES])
{
    int bytes = 0;
    for (unsigned i = 0; i < info->labels_count && bytes < LIST_BYTES; i++)
        bytes += snprintf(list + bytes, LIST_BYTES - (size_t)bytes, "%s%s", i ? ", " : "", info->labels[i]);
    return list;
}

static bool find_label(const struct sq_model_info *info, const char *label, unsigned char *id)
{
    for (unsigned i = 0; i < info->labels_count; i++) {
        if (strcmp(info->labels[i], label) != 0) continue;
        *id = (unsigned char)i;
        return true;
    }
    return false;
}

/* Finds each label of the first model in another one. */
static int match(struct sq_ensemble *ensemble, unsigned member, const struct sq_engine_options *options, struct sq_err *err)
{
    char first_list[LIST_BYTES], other_list[LIST_BYTES];
    const struct sq_model_info *first = &ensemble->members[0]->info, *other = &ensemble->members[member]->info;
    bool same = first->labels_count == other->labels_count;
    if (first->function != other->function)
        return sq_err_set(err, SQ_E_CONFIG, "an ensemble's models must be of one kind, but of %s and %s one gives each label a probability of its "
                          "own (multi-label) or a plain number (regression) and the other does not", path_of(options, 0), path_of(options, member));
    for (unsigned i = 0; same && i < first->labels_count; i++) same = find_label(other, first->labels[i], &ensemble->label_ids[member][i]);
    if (same) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "an ensemble's models must have the same labels, but %s has %s and %s has %s", path_of(options, 0),
                      list_labels(first, first_list), path_of(options, member), list_labels(other, other_list));
}

static int open_members(struct sq_ensemble *ensemble, const struct sq_engine_options *options, struct sq_err *err)
{
    struct sq_engine_options one = *options;
    int status = 0;
    one.further_paths = NULL;
    if (options->task == SQ_TASK_EMBED)
        return sq_err_set(err, SQ_E_CONFIG, "vectors of several models can't be averaged: name one model for task embed");
    for (unsigned i = 0; status == 0 && (i == 0 || options->further_paths[i - 1]); i++) {
        if (i == SQ_MEMBERS_MAX) return sq_err_set(err, SQ_E_CONFIG, "an ensemble has at most %d models", SQ_MEMBERS_MAX);
        one.model_path = path_of(options, i);
        status = sq_engine_open(&ensemble->members[i], &one, err);
        if (status < 0) break;
        ensemble->count++;
        status = match(ensemble, i, options, err);
    }
    return status;
}

static int join_names(struct sq_engine *engine, struct sq_err *err)
{
    const struct sq_ensemble *ensemble = engine->ensemble;
    size_t bytes = 0;
    for (unsigned i = 0; i < ensemble->count; i++) bytes += strlen(ensemble->members[i]->name) + 1;
    char *at = engine->name = malloc(bytes);
    if (!at) return sq_err_set(err, SQ_E_NOMEM, "no memory for the models' names");
    for (unsigned i = 0; i < ensemble->count; i++) at += sprintf(at, "%s%s", i ? "+" : "", ensemble->members[i]->name);
    return 0;
}

static void fill_info(struct sq_engine *engine)
{
    const struct sq_ensemble *ensemble = engine->ensemble;
    struct sq_model_info *info = &engine->info;
    char digests[sizeof info->xxh128 * SQ_MEMBERS_MAX];
    size_t digests_bytes = 0;
    *info = ensemble->members[0]->info;
    info->name = engine->name;
    info->weights_bytes = info->session_bytes = 0;
    for (unsigned i = 0; i < ensemble->count; i++) {
        const struct sq_model_info *member = &ensemble->members[i]->info;
        if (member->tokens_max > info->tokens_max) info->tokens_max = member->tokens_max;
        info->weights_bytes += member->weights_bytes;
        info->session_bytes += member->session_bytes;
        memcpy(digests + digests_bytes, member->xxh128, sizeof member->xxh128);
        digests_bytes += sizeof member->xxh128;
    }
    XXH128_hash_t digest = XXH3_128bits(digests, digests_bytes);
    snprintf(info->xxh128, sizeof info->xxh128, "%016" PRIx64 "%016" PRIx64, digest.high64, digest.low64);
    info->digest = digest.high64;
}

int sq_ensemble_open(struct sq_engine *engine, const struct sq_engine_options *options, struct sq_err *err)
{
    engine->ensemble = calloc(1, sizeof *engine->ensemble);
    if (!engine->ensemble) return sq_err_set(err, SQ_E_NOMEM, "no memory for an ensemble");
    int status = open_members(engine->ensemble, options, err);
    if (status == 0) status = join_names(engine, err);
    if (status == 0) fill_info(engine);
    return status;
}

void sq_ensemble_close(struct sq_ensemble *ensemble)
{
    if (!ensemble) return;
    for (unsigned i = 0; i < ensemble->count; i++) sq_engine_close(ensemble->members[i]);
    free(ensemble);
}

unsigned sq_ensemble_tokens_bound(const struct sq_ensemble *ensemble, size_t text_bytes)
{
    unsigned most = 0;
    for (unsigned i = 0; i < ensemble->count; i++) {
        unsigned bound = sq_engine_tokens_bound(ensemble->members[i], text_bytes);
        if (bound > most) most = bound;
    }
    return most;
}

/* ---- scoring ---- */

void sq_ensemble_average(const struct sq_ensemble *ensemble, const struct sq_prediction *members, struct sq_prediction *average)
{
    unsigned labels = ensemble->members[0]->info.labels_count;
    *average = (struct sq_prediction){.tokens = members[0].tokens, .text_hash = members[0].text_hash,
                                    .text_simhash = members[0].text_simhash};
    for (unsigned i = 0; i < ensemble->count; i++) {
        average->truncated |= members[i].truncated;
        if (average->code == 0) average->code = members[i].code;
    }
    if (average->code < 0) return;
    for (unsigned label = 0; label < labels; label++) {
        double sum = 0;
        for (unsigned i = 0; i < ensemble->count; i++) sum += (double)members[i].probabilities[ensemble->label_ids[i][label]];
        average->probabilities[label] = (float)(sum / ensemble->count);
        if (average->probabilities[label] > average->probabilities[average->label]) average->label = label;
    }
    average->score = average->probabilities[average->label];
}

struct sq_ensemble_session {
    const struct sq_ensemble *ensemble;
    struct sq_session *sessions[SQ_MEMBERS_MAX];
    struct sq_prediction predictions[SQ_MEMBERS_MAX][CHUNK_TEXTS];
};

int sq_ensemble_session_open(struct sq_ensemble_session **session, const struct sq_engine *engine, struct sq_err *err)
{
    struct sq_ensemble_session *opened = calloc(1, sizeof *opened);
    int status = 0;
    *session = NULL;
    if (!opened) return sq_err_set(err, SQ_E_NOMEM, "no memory for a session");
    opened->ensemble = engine->ensemble;
    for (unsigned i = 0; status == 0 && i < engine->ensemble->count; i++)
        status = sq_session_open(&opened->sessions[i], engine->ensemble->members[i], err);
    if (status < 0) sq_ensemble_session_close(opened);
    else *session = opened;
    return status;
}

void sq_ensemble_session_close(struct sq_ensemble_session *session)
{
    if (!session) return;
    for (unsigned i = 0; i < SQ_MEMBERS_MAX; i++) sq_session_close(session->sessions[i]);
    free(session);
}

static void score_chunk(struct sq_ensemble_session *session, const struct sq_str *texts, size_t count, struct sq_prediction *predictions)
{
    const struct sq_ensemble *ensemble = session->ensemble;
    for (unsigned i = 0; i < ensemble->count; i++) sq_session_score(session->sessions[i], texts, count, session->predictions[i]);
    for (size_t text = 0; text < count; text++) {
        struct sq_prediction members[SQ_MEMBERS_MAX];
        for (unsigned i = 0; i < ensemble->count; i++) members[i] = session->predictions[i][text];
        sq_ensemble_average(ensemble, members, &predictions[text]);
    }
}

void sq_ensemble_session_score(struct sq_ensemble_session *session, const struct sq_str *texts, size_t texts_count,
                               struct sq_prediction *predictions)
{
    for (size_t done = 0; done < texts_count; done += CHUNK_TEXTS) {
        size_t left = texts_count - done;
        score_chunk(session, texts + done, left < CHUNK_TEXTS ? left : CHUNK_TEXTS, predictions + done);
    }
}

int sq_ensemble_session_tokenise(struct sq_ensemble_session *session, struct sq_str text, int32_t *ids, size_t *ids_count, struct sq_err *err)
{
    return sq_session_tokenise(session->sessions[0], text, ids, ids_count, err);
}
