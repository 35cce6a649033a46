/* SPDX-License-Identifier: Apache-2.0 */
/* A second model that reads a sample of the stream and changes nothing: how often it agrees with the model in use, before it takes its place.
 *
 * It has one thread, which the kernel lets run only when nothing else wants the core (SCHED_IDLE), and a short queue. What finds the queue full is
 * skipped and counted, so the stream never waits. Labels are compared by name; the difference of a text is the mean over the labels of the model
 * in use of the absolute differences of their probabilities, a label that the other one lacks having 0.
 *
 * Thread: the loop's, but for the one it has. */
#ifndef SQ_PIPELINE_SHADOW_H
#define SQ_PIPELINE_SHADOW_H

#include "engine/engine.h"

enum { SQ_SHADOW_QUEUE_TEXTS = 64 };

struct sq_shadow;

/* sample: the share of the texts that is compared, above 0 up to 1. Both engines are borrowed until close. SQ_E_CONFIG: no label in common. */
int sq_shadow_open(struct sq_shadow **shadow, const struct sq_engine *engine, const struct sq_engine *in_use, double sample, struct sq_err *err);
void sq_shadow_close(struct sq_shadow *shadow); /* NULL is fine; waits for the text in work, not for the queue */

/* For each label of `shadow` the id that its name has in `in_use`, or SQ_SHADOW_NO_LABEL. Returns how many have one; SQ_E_CONFIG: none. */
enum { SQ_SHADOW_NO_LABEL = -1 };
int sq_shadow_match_labels(const struct sq_model_info *shadow, const struct sq_model_info *in_use, int label_of[SQ_LABELS_MAX], struct sq_err *err);

/* A text and what the model in use says of it; copied where it is in the sample. NULL is fine. */
void sq_shadow_offer(struct sq_shadow *shadow, struct sq_str text, const struct sq_prediction *prediction);

struct sq_shadow_counts {
    uint64_t agreed, differed; /* texts compared, by their labels */
    uint64_t skipped;          /* in the sample, but the queue was full, or the model couldn't score it */
    double difference_sum;     /* of those compared */
};
void sq_shadow_counts(struct sq_shadow *shadow, struct sq_shadow_counts *counts);
const struct sq_model_info *sq_shadow_model(const struct sq_shadow *shadow);

/* The share of the compared texts with the same label, and the mean difference; 0 before the first. */
double sq_shadow_agreement(const struct sq_shadow_counts *counts);
double sq_shadow_difference(const struct sq_shadow_counts *counts);

#endif
