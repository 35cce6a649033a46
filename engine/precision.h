/* SPDX-License-Identifier: Apache-2.0 */
/* On which rung each layer runs. */
#ifndef SQ_PRECISION_H
#define SQ_PRECISION_H

#include "engine/engine.h"
#include "engine/kernels/kernels.h"
#include "engine/model/config.h"

struct sq_precision_plan {
    const struct sq_rung *rungs[SQ_LAYERS_MAX]; /* of the layers that the file stores */
};

/* One rung for all layers: the first of that precision. SQ_E_CONFIG with what to use where this CPU has none. Not for AUTO. */
int sq_precision_plan_fixed(struct sq_precision_plan *plan, const struct sq_kernels *kernels, enum sq_precision precision, struct sq_err *err);

#endif
