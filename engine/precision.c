/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/precision.h"

static const char *const rung_names[] = {[SQ_PRECISION_FP32] = "fp32", [SQ_PRECISION_BF16] = "bf16", [SQ_PRECISION_INT8] = "int8"};

int sq_precision_plan_fixed(struct sq_precision_plan *plan, const struct sq_kernels *kernels, enum sq_precision precision, struct sq_err *err)
{
    const struct sq_rung *rung = sq_kernels_rung(kernels, rung_names[precision]);
    if (!rung)
        return sq_err_set(err, SQ_E_CONFIG, "precision %s: this CPU has no instructions for it (its kernels are %s): use auto, int8 or fp32",
                          rung_names[precision], kernels->isa);
    for (unsigned i = 0; i < SQ_LAYERS_MAX; i++) plan->rungs[i] = rung;
    return 0;
}
