/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs are seen where they are made bytes: for the pass, each product's rung is a copy of its own whose `prepare` notes the row first. */
#include "engine/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/precision_texts.h"
#include "engine/session.h"

enum { TEXTS_EVERY = 3, TEXTS = (SQ_PRECISION_TEXTS + TEXTS_EVERY - 1) / TEXTS_EVERY };

struct sums {
    double *values, *squares; /* [hidden] */
    double rows;
};

struct watch {
    struct sq_engine *engine;
    const struct sq_rung *rung; /* the real one */
    struct sq_rung watching;
    struct sums qkv[SQ_LAYERS_MAX], up[SQ_LAYERS_MAX]; /* of stored layers */
    double *block;                                     /* owned: all sums */
    struct sq_prediction answers[TEXTS];               /* nobody reads them, */
    float vector[SQ_HIDDEN_MAX];                       /* nor this */
};

/* A pass runs on the thread that opens the model; a rung's functions have no context of their own. */
static _Thread_local struct watch *watched;

static struct sums *sums_of(struct watch *watch, const struct sq_linear *linear)
{
    const struct sq_model_config *config = &watch->engine->config;
    const struct sq_layer_weights *layers = watch->engine->weights.layers;
    size_t layer = (size_t)((const char *)linear - (const char *)layers) / sizeof *layers, stored = layer * config->stored_layers / config->layers;
    return linear == &layers[layer].qkv ? &watch->qkv[stored] : &watch->up[stored];
}

static void prepare_watched(const struct sq_linear *linear, void *row, float *scale, float *offset, const float *x)
{
    struct sums *sums = sums_of(watched, linear);
    for (size_t i = 0; i < linear->inputs; i++) {
        sums->values[i] += (double)x[i];
        sums->squares[i] += (double)x[i] * (double)x[i];
    }
    sums->rows++;
    watched->rung->prepare(linear, row, scale, offset, x);
}

static int place_sums(struct watch *watch, struct sq_err *err)
{
    size_t hidden = watch->engine->config.hidden, layers = watch->engine->config.stored_layers;
    double *at = watch->block = calloc(layers * 4 * hidden, sizeof *at);
    if (!at) return sq_err_set(err, SQ_E_NOMEM, "no memory to calibrate");
    for (size_t layer = 0; layer < layers; layer++, at += 4 * hidden) {
        watch->qkv[layer] = (struct sums){.values = at, .squares = at + hidden};
        watch->up[layer] = (struct sums){.values = at + 2 * hidden, .squares = at + 3 * hidden};
    }
    return 0;
}

static void run_texts(struct watch *watch, struct sq_session *session)
{
    struct sq_str texts[TEXTS];
    for (unsigned i = 0; i < TEXTS; i++) {
        texts[i] = sq_str_view(sq_precision_texts[i * TEXTS_EVERY]);
        watch->answers[i].vector = watch->vector;
    }
    watched = watch;
    sq_session_score(session, texts, TEXTS, watch->answers);
    watched = NULL;
}

/* With engine->weights open in int8. */
static int watch_pass(struct watch *watch, struct sq_err *err)
{
    struct sq_engine *engine = watch->engine;
    struct sq_session *session;
    watch->rung = engine->weights.layers[0].qkv.rung;
    watch->watching = *watch->rung;
    watch->watching.prepare = prepare_watched;
    for (unsigned layer = 0; layer < engine->config.layers; layer++)
        engine->weights.layers[layer].qkv.rung = engine->weights.layers[layer].up.rung = &watch->watching;
    sq_engine_fill_info(engine); /* sessions go by it */
    int status = sq_session_open(&session, engine, err);
    if (status < 0) return status;
    run_texts(watch, session);
    sq_session_close(session);
    return 0;
}

static struct sq_spread conclude(const struct sums *sums, float *at, size_t hidden)
{
    struct sq_spread spread = {.means = at, .deviations = at + hidden};
    for (size_t i = 0; i < hidden; i++) {
        double mean = sums->values[i] / sums->rows;
        spread.means[i] = (float)mean;
        spread.deviations[i] = (float)sqrt(fmax(0, sums->squares[i] / sums->rows - mean * mean));
    }
    return spread;
}

static int conclude_all(struct sq_calibration *calibration, const struct watch *watch, struct sq_err *err)
{
    size_t hidden = watch->engine->config.hidden, layers = watch->engine->config.stored_layers;
    float *at = calibration->block = malloc(layers * 4 * hidden * sizeof *at);
    if (!at) return sq_err_set(err, SQ_E_NOMEM, "no memory for a calibration");
    for (size_t layer = 0; layer < layers; layer++, at += 4 * hidden) {
        calibration->qkv[layer] = conclude(&watch->qkv[layer], at, hidden);
        calibration->up[layer] = conclude(&watch->up[layer], at + 2 * hidden, hidden);
    }
    return 0;
}

static int calibrate(struct sq_calibration *calibration, struct watch *watch, const char *model_path, struct sq_err *err)
{
    struct sq_engine *engine = watch->engine;
    struct sq_precision_plan plan;
    int status = sq_precision_plan_fixed(&plan, engine->encoder.kernels, SQ_PRECISION_INT8, err);
    if (status == 0) status = place_sums(watch, err);
    if (status == 0) status = sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &plan, NULL, model_path, err);
    if (status == 0) status = watch_pass(watch, err);
    sq_weights_close(&engine->weights);
    return status < 0 ? status : conclude_all(calibration, watch, err);
}

int sq_calibration_open(struct sq_calibration **calibration, struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    struct sq_calibration *opened = calloc(1, sizeof *opened);
    struct watch *watch = calloc(1, sizeof *watch);
    int status = opened && watch ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory to calibrate");
    if (status == 0) watch->engine = engine;
    if (status == 0) status = calibrate(opened, watch, model_path, err);
    if (watch) free(watch->block);
    free(watch);
    if (status < 0) sq_calibration_close(opened);
    *calibration = status < 0 ? NULL : opened;
    return status;
}

void sq_calibration_close(struct sq_calibration *calibration)
{
    if (calibration) free(calibration->block);
    free(calibration);
}
