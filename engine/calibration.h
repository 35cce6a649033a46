/* SPDX-License-Identifier: Apache-2.0 */
/* What layer norms give, as the built-in texts show it. A row of inputs becomes bytes with one scale for all of them, so an input that is
 * always large, or that varies more than the others, takes steps from the rest. Its mean can be taken off before and given back by the
 * bias, exactly; and its spread can be evened out, with the weights making up for it. For what attention and the activation give
 * neither was worth it. */
#ifndef SQ_CALIBRATION_H
#define SQ_CALIBRATION_H

#include "engine/precision.h"

struct sq_engine;

/* Of a product's inputs: [hidden] each. */
struct sq_spread {
    float *means;
    float *deviations; /* standard ones */
};

struct sq_calibration {
    struct sq_spread qkv[SQ_LAYERS_MAX], up[SQ_LAYERS_MAX]; /* of stored layers; shared ones show what all layers do that use them */
    float *block;                                           /* owned: all of the above */
};

/* Runs some of the built-in texts with all products in int8 and nothing evened out. The engine is open but for its weights, which stay so. The
 * same numbers on every run. Blocks for a pass over some 1,500 tokens. Errors of sq_weights_open. */
int sq_calibration_open(struct sq_calibration **calibration, struct sq_engine *engine, const char *model_path, struct sq_err *err);
void sq_calibration_close(struct sq_calibration *calibration); /* NULL is fine */

#endif
