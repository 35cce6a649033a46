/* SPDX-License-Identifier: Apache-2.0 */
/* On which rung each product of each layer runs. */
#ifndef SQ_PRECISION_H
#define SQ_PRECISION_H

#include "engine/engine.h"
#include "engine/kernels/kernels.h"
#include "engine/model/config.h"

struct sq_precision_plan {
    const struct sq_rung *rungs[SQ_LAYERS_MAX][SQ_PRODUCTS]; /* of the layers that the file stores */
};

enum { SQ_PRECISION_PLAN_BYTES = SQ_LAYERS_MAX * (SQ_PRODUCTS + 1) };

/* One rung for all products: the first of that precision. SQ_E_CONFIG with what to use where this CPU has none. Not for AUTO. */
int sq_precision_plan_fixed(struct sq_precision_plan *plan, const struct sq_kernels *kernels, enum sq_precision precision, struct sq_err *err);

/* For people: "int8", or where products differ "int8, 3 of 24 products bf16". Cut where it has no room. */
void sq_precision_plan_describe(char *text, size_t room, const struct sq_precision_plan *plan, unsigned layers);

/* As a word, to name what was made for it: the rungs' places on the ladder, a group a layer: "0000-0001". */
void sq_precision_plan_write(char text[SQ_PRECISION_PLAN_BYTES], const struct sq_precision_plan *plan, const struct sq_kernels *kernels, unsigned layers);
/* False, with the plan undefined, where it isn't such a word for these kernels and layers. */
bool sq_precision_plan_read(struct sq_precision_plan *plan, const char *text, const struct sq_kernels *kernels, unsigned layers);

#endif
