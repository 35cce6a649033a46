/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/head.h"

#include <math.h>

static void activate(const struct sq_encoder *encoder, float *x, size_t count)
{
    switch (encoder->config->architecture->head->activation) {
    case SQ_ACTIVATION_GELU_ERF: encoder->kernels->gelu_erf(x, count); break;
    case SQ_ACTIVATION_GELU_TANH: encoder->kernels->gelu_tanh(x, count); break;
    case SQ_ACTIVATION_RELU: encoder->kernels->relu(x, count); break;
    case SQ_ACTIVATION_TANH:
        for (size_t i = 0; i < count; i++) x[i] = tanhf(x[i]);
        break;
    }
}

void sq_head_run(const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *logits)
{
    const struct sq_kernels *kernels = encoder->kernels;
    const struct sq_linear *pooler = &encoder->weights->pooler, *classifier = &encoder->weights->classifier;
    kernels->linear(pooled, pooler->outputs, first, pooler->inputs, rows, pooler, SQ_LINEAR_SET);
    activate(encoder, pooled, texts_count * pooler->outputs);
    kernels->linear(logits, classifier->outputs, pooled, classifier->inputs, texts_count, classifier, SQ_LINEAR_SET);
}
