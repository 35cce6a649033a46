/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/head.h"

#include <math.h>

/* BERT: tanh(pooler(first)); DistilBERT: relu(pre_classifier(first)). Then the classifier. */
void sq_head_run(const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *logits)
{
    const struct sq_kernels *kernels = encoder->kernels;
    const struct sq_linear *pooler = &encoder->weights->pooler, *classifier = &encoder->weights->classifier;
    bool is_bert = encoder->config->architecture == SQ_ARCHITECTURE_BERT;
    size_t count = texts_count * pooler->outputs;
    kernels->linear(pooled, pooler->outputs, first, pooler->inputs, rows, pooler, SQ_LINEAR_SET);
    for (size_t i = 0; i < count; i++) pooled[i] = is_bert ? tanhf(pooled[i]) : fmaxf(pooled[i], 0.0f);
    kernels->linear(logits, classifier->outputs, pooled, classifier->inputs, texts_count, classifier, SQ_LINEAR_SET);
}
