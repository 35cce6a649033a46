/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/precision_auto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/precision.h"
#include "engine/precision_texts.h"

/* So few texts can't tell 99 % from 98 % of the same labels, so the mean difference of the probabilities is looked at too. */
static const double difference_max = 0.01, agreement_min = 0.98;

enum { CLIMB_PARTS = 4 /* of the layers, one part climbs at a time */ };

struct trial {
    struct sq_engine *engine;
    struct sq_session *session;
    const struct sq_rung *const *ladder;
    unsigned rungs_count, layers; /* stored ones */
    struct sq_weights sets[SQ_RUNGS_MAX]; /* the whole model on each rung; opened when first asked for */
    unsigned plan[SQ_LAYERS_MAX];         /* layer to rung */
    double harm[SQ_LAYERS_MAX];           /* the difference when the layer alone is on its rung and the others in fp32 */
    struct sq_prediction expected[SQ_PRECISION_TEXTS], got[SQ_PRECISION_TEXTS];
    const char *model_path;
};

static int open_set(struct trial *trial, unsigned rung, struct sq_err *err)
{
    struct sq_precision_plan plan;
    if (trial->sets[rung].block) return 0;
    for (unsigned i = 0; i < trial->layers; i++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) plan.rungs[i][product] = trial->ladder[rung];
    }
    return sq_weights_open(&trial->sets[rung], &trial->engine->config, trial->engine->encoder.kernels, &plan, trial->model_path, err);
}

/* What the texts give with the layers as planned; the engine borrows them from the sets meanwhile. */
static void score(struct trial *trial, const unsigned *plan, struct sq_prediction *predictions)
{
    const struct sq_model_config *config = &trial->engine->config;
    struct sq_weights *weights = &trial->engine->weights;
    struct sq_str texts[SQ_PRECISION_TEXTS];
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i++) texts[i] = sq_str_view(sq_precision_texts[i]);
    *weights = trial->sets[trial->rungs_count - 1];
    for (unsigned i = 0; i < config->layers; i++) weights->layers[i] = trial->sets[plan[i * trial->layers / config->layers]].layers[i];
    sq_session_score(trial->session, texts, SQ_PRECISION_TEXTS, predictions);
    *weights = (struct sq_weights){0};
}

/* The mean difference of the probabilities, infinite where one isn't finite; agreement: of the labels. */
static double compare(const struct trial *trial, double *agreement)
{
    unsigned labels = trial->engine->info.labels_count, same = 0, texts = 0;
    double sum = 0;
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i++) {
        const struct sq_prediction *expected = &trial->expected[i], *got = &trial->got[i];
        if (expected->code < 0) continue;
        texts++;
        if (got->code < 0) sum = INFINITY;
        for (unsigned label = 0; label < labels; label++)
            sum += fabs((double)expected->probabilities[label] - (double)got->probabilities[label]) / labels;
        same += got->code == 0 && got->label == expected->label;
    }
    *agreement = texts ? (double)same / texts : 1;
    return texts ? sum / texts : 0;
}

static bool holds(struct trial *trial)
{
    struct sq_model_info *info = &trial->engine->info;
    score(trial, trial->plan, trial->got);
    info->precision_difference = compare(trial, &info->precision_agreement);
    return info->precision_difference <= difference_max && info->precision_agreement >= agreement_min;
}

static void measure_harm(struct trial *trial, unsigned layer)
{
    unsigned alone[SQ_LAYERS_MAX];
    double agreement;
    for (unsigned i = 0; i < trial->layers; i++) alone[i] = i == layer ? trial->plan[i] : trial->rungs_count - 1;
    score(trial, alone, trial->got);
    trial->harm[layer] = compare(trial, &agreement);
}

/* The layers on the lowest rung are the ones to climb; of these, the most harmful part goes up one. */
static int climb(struct trial *trial, struct sq_err *err)
{
    unsigned lowest = trial->rungs_count, step = (trial->layers + CLIMB_PARTS - 1) / CLIMB_PARTS;
    for (unsigned i = 0; i < trial->layers; i++) lowest = trial->plan[i] < lowest ? trial->plan[i] : lowest;
    int status = open_set(trial, lowest + 1, err);
    for (unsigned n = 0; status == 0 && n < step; n++) {
        unsigned worst = trial->layers;
        for (unsigned i = 0; i < trial->layers; i++) {
            if (trial->plan[i] == lowest && (worst == trial->layers || trial->harm[i] > trial->harm[worst])) worst = i;
        }
        if (worst < trial->layers) trial->plan[worst]++;
    }
    return status;
}

static bool is_all_fp32(const struct trial *trial)
{
    for (unsigned i = 0; i < trial->layers; i++) {
        if (trial->plan[i] < trial->rungs_count - 1) return false;
    }
    return true;
}

static int settle(struct trial *trial, struct sq_err *err)
{
    int status = open_set(trial, 0, err);
    if (status < 0) return status;
    for (unsigned i = 0; i < trial->layers; i++) trial->plan[i] = trial->rungs_count - 1;
    score(trial, trial->plan, trial->expected);
    memset(trial->plan, 0, sizeof trial->plan);
    if (holds(trial)) return 0;
    for (unsigned i = 0; i < trial->layers; i++) measure_harm(trial, i);
    do {
        status = climb(trial, err);
    } while (status == 0 && !holds(trial) && !is_all_fp32(trial));
    return status;
}

/* The set that is the plan is kept, or one is loaded. */
static int adopt(struct trial *trial, struct sq_err *err)
{
    struct sq_engine *engine = trial->engine;
    bool is_one = true;
    for (unsigned i = 0; i < trial->layers; i++) {
        is_one = is_one && trial->plan[i] == trial->plan[0];
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) engine->plan.rungs[i][product] = trial->ladder[trial->plan[i]];
    }
    if (!is_one) return sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &engine->plan, trial->model_path, err);
    engine->weights = trial->sets[trial->plan[0]];
    trial->sets[trial->plan[0]] = (struct sq_weights){0};
    return 0;
}

static int try_ladder(struct trial *trial, struct sq_err *err)
{
    int status = open_set(trial, trial->rungs_count - 1, err);
    if (status < 0) return status;
    trial->engine->weights = trial->sets[trial->rungs_count - 1];
    sq_engine_fill_info(trial->engine); /* sessions go by it */
    trial->engine->weights = (struct sq_weights){0};
    status = sq_session_open(&trial->session, trial->engine, err);
    if (status == 0) status = settle(trial, err);
    sq_session_close(trial->session);
    return status < 0 ? status : adopt(trial, err);
}

static int open_fp32(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    int status = sq_precision_plan_fixed(&engine->plan, engine->encoder.kernels, SQ_PRECISION_FP32, err);
    return status < 0 ? status : sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &engine->plan, model_path, err);
}

int sq_precision_auto(struct sq_engine *engine, const char *model_path, struct sq_err *err)
{
    const struct sq_kernels *kernels = engine->encoder.kernels;
    if (engine->info.task == SQ_TASK_EMBED || engine->config.function == SQ_FUNCTION_NONE || kernels->is_blas) return open_fp32(engine, model_path, err);
    struct trial *trial = calloc(1, sizeof *trial);
    if (!trial) return sq_err_set(err, SQ_E_NOMEM, "no memory to try precisions");
    trial->engine = engine;
    trial->ladder = kernels->ladder;
    trial->layers = engine->config.stored_layers;
    trial->model_path = model_path;
    while (kernels->ladder[trial->rungs_count]) trial->rungs_count++;
    int status = try_ladder(trial, err);
    for (unsigned i = 0; i < trial->rungs_count; i++) sq_weights_close(&trial->sets[i]);
    free(trial);
    return status;
}
