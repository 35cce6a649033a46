/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of many products add up like independent ones, by their squares. So the search goes by estimates: how far the answers move when one
 * kind of product alone is on the first rung in all layers, and when one layer alone is, together say what a kind does in a layer; and what is
 * left of that on a higher rung follows from the steps that inputs and weights have there. Climbs are chosen by what they save for what they
 * cost until the estimate fits, and then the texts decide. */
#include "engine/precision_auto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/calibration.h"
#include "engine/precision_texts.h"

/* So few texts can't tell 99 % from 98 % of the same labels, so the mean difference of the probabilities is looked at too. */
static const double difference_max = 0.005, agreement_min = 0.98;
static const double aim_step = 0.95; /* an estimate has to reach this share of difference_max, and of that again where it was wrong */

enum { HARM_EVERY = 5 /* texts of which one is looked at for harm */ };

struct plan {
    unsigned char rungs[SQ_LAYERS_MAX][SQ_PRODUCTS]; /* places on the ladder */
};

struct climb {
    unsigned layer, product, rung;
    double left;  /* of the harm */
    double worth; /* harm saved for what it costs */
};

struct trial {
    struct sq_engine *engine;
    struct sq_session *session;
    const char *model_path;
    struct sq_calibration *calibration;
    const struct sq_rung *const *ladder;
    unsigned rungs_count, layers; /* stored ones */
    struct sq_weights sets[SQ_RUNGS_MAX]; /* the whole model on each rung; opened when first asked for */
    struct plan plan;
    struct climb climbs[SQ_LAYERS_MAX * SQ_PRODUCTS * (SQ_RUNGS_MAX - 1)]; /* in their order */
    unsigned climbs_count;
    double harm[SQ_LAYERS_MAX][SQ_PRODUCTS]; /* the square of the difference that it makes on its rung, as estimated */
    struct sq_prediction expected[SQ_PRECISION_TEXTS], got[SQ_PRECISION_TEXTS];
};

/* ---- scoring ---- */

static void fill_plan(struct plan *plan, unsigned rung) { memset(plan, (int)rung, sizeof *plan); }

static int open_set(struct trial *trial, unsigned rung, struct sq_err *err)
{
    struct sq_precision_plan plan;
    if (trial->sets[rung].block) return 0;
    for (unsigned layer = 0; layer < trial->layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) plan.rungs[layer][product] = trial->ladder[rung];
    }
    return sq_weights_open(&trial->sets[rung], &trial->engine->config, trial->engine->encoder.kernels, &plan, trial->calibration, trial->model_path, err);
}

/* The layer's weights, each product from the set of its rung. */
static struct sq_layer_weights assemble(struct trial *trial, const struct plan *plan, unsigned layer)
{
    unsigned stored = layer * trial->layers / trial->engine->config.layers;
    struct sq_layer_weights weights = trial->sets[trial->rungs_count - 1].layers[layer];
    for (unsigned product = 0; product < SQ_PRODUCTS; product++)
        *sq_weights_product(&weights, product) = *sq_weights_product(&trial->sets[plan->rungs[stored][product]].layers[layer], product);
    return weights;
}

/* What every `every`-th text gives with the products as planned; the engine borrows them from the sets meanwhile. */
static void score(struct trial *trial, const struct plan *plan, unsigned every, struct sq_prediction *predictions)
{
    struct sq_weights *weights = &trial->engine->weights;
    struct sq_str texts[SQ_PRECISION_TEXTS];
    unsigned count = 0;
    for (unsigned i = 0; i < SQ_PRECISION_TEXTS; i += every) texts[count++] = sq_str_view(sq_precision_texts[i]);
    *weights = trial->sets[trial->rungs_count - 1];
    for (unsigned i = 0; i < trial->engine->config.layers; i++) weights->layers[i] = assemble(trial, plan, i);
    sq_session_score(trial->session, texts, count, predictions);
    *weights = (struct sq_weights){0};
}

/* The mean difference of the probabilities, where one isn't finite 1; agreement: of the labels. */
static double compare(const struct trial *trial, unsigned every, double *agreement)
{
    unsigned labels = trial->engine->info.labels_count, same = 0, texts = 0;
    double sum = 0;
    for (unsigned i = 0; i * every < SQ_PRECISION_TEXTS; i++) {
        const struct sq_prediction *expected = &trial->expected[i * every], *got = &trial->got[i];
        if (expected->code < 0) continue;
        texts++;
        if (got->code < 0) sum += 1;
        for (unsigned label = 0; got->code == 0 && label < labels; label++)
            sum += fabs((double)expected->probabilities[label] - (double)got->probabilities[label]) / labels;
        same += got->code == 0 && got->label == expected->label;
    }
    *agreement = texts ? (double)same / texts : 1;
    return texts ? sum / texts : 0;
}

static bool holds(struct trial *trial)
{
    struct sq_model_info *info = &trial->engine->info;
    score(trial, &trial->plan, 1, trial->got);
    info->precision_difference = compare(trial, 1, &info->precision_agreement);
    return info->precision_difference <= difference_max && info->precision_agreement >= agreement_min;
}

/* ---- estimates ---- */

/* The square of the difference with these products on the first rung and the others in fp32. */
static double measure(struct trial *trial, unsigned layer_first, unsigned layer_last, unsigned product_first, unsigned product_last)
{
    struct plan plan;
    double agreement;
    fill_plan(&plan, trial->rungs_count - 1);
    for (unsigned layer = layer_first; layer <= layer_last; layer++) {
        for (unsigned product = product_first; product <= product_last; product++) plan.rungs[layer][product] = 0;
    }
    score(trial, &plan, HARM_EVERY, trial->got);
    double difference = compare(trial, HARM_EVERY, &agreement);
    return difference * difference + 1e-30; /* no division by zero */
}

static void estimate_harm(struct trial *trial)
{
    double by_product[SQ_PRODUCTS], sum = 0;
    for (unsigned product = 0; product < SQ_PRODUCTS; product++)
        sum += by_product[product] = measure(trial, 0, trial->layers - 1, product, product);
    for (unsigned layer = 0; layer < trial->layers; layer++) {
        double by_layer = measure(trial, layer, layer, 0, SQ_PRODUCTS - 1);
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) trial->harm[layer][product] = by_layer * by_product[product] / sum;
    }
}

static double total_harm(const struct trial *trial)
{
    double sum = 0;
    for (unsigned layer = 0; layer < trial->layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) sum += trial->harm[layer][product];
    }
    return sum;
}

/* Rounding's variance goes with the square of a step. An input's range is shared by 2^bits steps on both sides of zero, a weight's by as
 * many on each. Weights that are packed to fit 16-bit sums have coarser steps: six tenths of 127 for sums of four, by what the default model's
 * probabilities moved. */
static double noise(const struct sq_rung *rung)
{
    double input = rung->input_max / 2.0, weight = rung->weight_max * (1 - 0.2 * rung->lane_groups);
    if (rung->is_int8) return 1 / (input * input) + 1 / (weight * weight);
    return rung->is_bf16 ? 0x1p-17 : 0; /* eight bits of each number, whatever its size */
}

/* ---- climbing ---- */

static unsigned char *planned(struct plan *plan, const struct climb *climb) { return &plan->rungs[climb->layer][climb->product]; }

static struct climb judge(struct trial *trial, unsigned layer, unsigned product, unsigned rung)
{
    const struct sq_rung *from = trial->ladder[trial->plan.rungs[layer][product]], *to = trial->ladder[rung];
    const struct sq_linear *linear = sq_weights_product(&trial->sets[trial->rungs_count - 1].layers[0], product);
    double left = noise(to) / noise(from), cost = (double)to->cost - (double)from->cost;
    double work = (double)(linear->inputs * linear->outputs) * fmax(cost, 0.01); /* a rung of the same cost is as good as free */
    return (struct climb){layer, product, rung, left, trial->harm[layer][product] * (1 - left) / work};
}

/* False when all products are in fp32. */
static bool climb(struct trial *trial)
{
    struct climb best = {.worth = -1};
    for (unsigned layer = 0; layer < trial->layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) {
            for (unsigned rung = trial->plan.rungs[layer][product] + 1u; rung < trial->rungs_count; rung++) {
                struct climb found = judge(trial, layer, product, rung);
                if (found.worth > best.worth) best = found;
            }
        }
    }
    if (best.worth < 0) return false;
    trial->climbs[trial->climbs_count++] = best;
    *planned(&trial->plan, &best) = (unsigned char)best.rung;
    trial->harm[best.layer][best.product] *= best.left;
    return true;
}

/* The first `count` climbs become the plan. */
static void plan_climbs(struct trial *trial, unsigned count)
{
    fill_plan(&trial->plan, 0);
    for (unsigned i = 0; i < count; i++) *planned(&trial->plan, &trial->climbs[i]) = (unsigned char)trial->climbs[i].rung;
}

/* Whether the texts agree after so many climbs. */
static int try_climbs(struct trial *trial, unsigned count, bool *agrees, struct sq_err *err)
{
    int status = 0;
    plan_climbs(trial, count);
    for (unsigned i = 0; status == 0 && i < trial->layers * SQ_PRODUCTS; i++)
        status = open_set(trial, trial->plan.rungs[i / SQ_PRODUCTS][i % SQ_PRODUCTS], err);
    *agrees = status == 0 && holds(trial);
    return status;
}

/* The estimate may have asked for too much: of the climbs since the texts last disagreed, as few as they agree with, halving what is in question. */
static int step_back(struct trial *trial, unsigned failed_count, struct sq_err *err)
{
    struct sq_model_info *info = &trial->engine->info;
    double agreement = info->precision_agreement, difference = info->precision_difference; /* with held_count climbs */
    unsigned held_count = trial->climbs_count;
    int status = 0;
    while (status == 0 && held_count - failed_count > 1) {
        unsigned middle = failed_count + (held_count - failed_count) / 2;
        bool agrees;
        status = try_climbs(trial, middle, &agrees, err);
        *(agrees ? &held_count : &failed_count) = middle;
        if (agrees) agreement = info->precision_agreement, difference = info->precision_difference;
    }
    plan_climbs(trial, held_count);
    info->precision_agreement = agreement;
    info->precision_difference = difference;
    return status;
}

/* Until the texts agree. What they show puts the estimate right each time, and it has to reach less. */
static int search(struct trial *trial, struct sq_err *err)
{
    double *difference = &trial->engine->info.precision_difference, aim = difference_max;
    unsigned failed_count = 0;
    int status = 0;
    bool agrees = false;
    estimate_harm(trial);
    while (status == 0 && !agrees) {
        double scale = *difference * *difference / total_harm(trial);
        aim *= aim_step;
        failed_count = trial->climbs_count;
        bool has_climbed = climb(trial);
        while (has_climbed && scale * total_harm(trial) > aim * aim) has_climbed = climb(trial);
        status = try_climbs(trial, trial->climbs_count, &agrees, err);
        agrees = agrees || !has_climbed;
    }
    return status < 0 ? status : step_back(trial, failed_count, err);
}

static int settle(struct trial *trial, struct sq_err *err)
{
    int status = open_set(trial, 0, err);
    if (status < 0) return status;
    fill_plan(&trial->plan, trial->rungs_count - 1);
    score(trial, &trial->plan, 1, trial->expected);
    fill_plan(&trial->plan, 0);
    return holds(trial) ? 0 : search(trial, err);
}

/* ---- the choice ---- */

/* The set that is the plan is kept, or one is loaded. */
static int adopt(struct trial *trial, struct sq_err *err)
{
    struct sq_engine *engine = trial->engine;
    unsigned first = trial->plan.rungs[0][0];
    bool is_one = true;
    for (unsigned layer = 0; layer < trial->layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) {
            engine->plan.rungs[layer][product] = trial->ladder[trial->plan.rungs[layer][product]];
            is_one = is_one && trial->plan.rungs[layer][product] == first;
        }
    }
    if (!is_one) return sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &engine->plan, trial->calibration, trial->model_path, err);
    engine->weights = trial->sets[first];
    trial->sets[first] = (struct sq_weights){0};
    return 0;
}

static int try_ladder(struct trial *trial, struct sq_err *err)
{
    int status = sq_calibration_open(&trial->calibration, trial->engine, trial->model_path, err);
    if (status == 0) status = open_set(trial, trial->rungs_count - 1, err);
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
    return status < 0 ? status : sq_weights_open(&engine->weights, &engine->config, engine->encoder.kernels, &engine->plan, NULL, model_path, err);
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
    sq_calibration_close(trial->calibration);
    free(trial);
    return status;
}
