/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/head.h"

#include <math.h>
#include <string.h>

static void activate(const struct sq_encoder *encoder, float *x, size_t count)
{
    switch (encoder->config->architecture->head->activation) {
    case SQ_ACTIVATION_GELU_ERF: encoder->kernels->vector->gelu_erf(x, count); break;
    case SQ_ACTIVATION_GELU_TANH: encoder->kernels->vector->gelu_tanh(x, count); break;
    case SQ_ACTIVATION_RELU: encoder->kernels->vector->relu(x, count); break;
    case SQ_ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++) x[i] = tanhf(x[i]);
        break;
    }
}

void sq_head_run(const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *outputs)
{
    if (encoder->config->task == SQ_TASK_EMBED) {
        memcpy(outputs, first, texts_count * encoder->config->hidden * sizeof *outputs);
        return;
    }
    const struct sq_linear *pooler = &encoder->weights->pooler, *classifier = &encoder->weights->classifier;
    sq_linear_apply_floats(pooler, pooled, pooler->outputs, first, pooler->inputs, rows);
    activate(encoder, pooled, texts_count * pooler->outputs);
    sq_linear_apply_floats(classifier, outputs, classifier->outputs, pooled, classifier->inputs, texts_count);
}

void sq_head_mean(const struct sq_encoder *encoder, const struct sq_batch *batch, const float *x, float *outputs)
{
    size_t hidden = encoder->config->hidden;
    for (unsigned text = 0; text < batch->texts_count; text++, outputs += hidden) {
        unsigned start = batch->starts[text], end = batch->starts[text + 1];
        memset(outputs, 0, hidden * sizeof *outputs);
        for (unsigned token = start; token < end; token++) {
            for (size_t i = 0; i < hidden; i++) outputs[i] += x[token * hidden + i];
        }
        for (size_t i = 0; i < hidden; i++) outputs[i] /= (float)(end - start);
    }
}
