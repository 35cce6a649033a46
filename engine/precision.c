/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/precision.h"

#include <stdio.h>
#include <string.h>

static const char *const rung_names[] = {[SQ_PRECISION_FP32] = "fp32", [SQ_PRECISION_BF16] = "bf16", [SQ_PRECISION_INT8] = "int8"};

int sq_precision_plan_fixed(struct sq_precision_plan *plan, const struct sq_kernels *kernels, enum sq_precision precision, struct sq_err *err)
{
    const struct sq_rung *rung = sq_kernels_rung(kernels, rung_names[precision]);
    if (!rung)
        return sq_err_set(err, SQ_E_CONFIG, "precision %s: this CPU has no instructions for it (its kernels are %s): use auto, int8 or fp32",
                          rung_names[precision], kernels->isa);
    for (unsigned layer = 0; layer < SQ_LAYERS_MAX; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) plan->rungs[layer][product] = rung;
    }
    return 0;
}

/* At a rung's first product: how many have it; elsewhere 0. */
static void count_rungs(unsigned *counts, const struct sq_rung *const *rungs, unsigned products)
{
    memset(counts, 0, products * sizeof *counts);
    for (unsigned i = 0; i < products; i++) {
        unsigned first = 0;
        while (rungs[first] != rungs[i]) first++;
        counts[first]++;
    }
}

void sq_precision_plan_describe(char *text, size_t room, const struct sq_precision_plan *plan, unsigned layers)
{
    const struct sq_rung *const *rungs = plan->rungs[0];
    unsigned counts[SQ_LAYERS_MAX * SQ_PRODUCTS], products = layers * SQ_PRODUCTS, most = 0;
    count_rungs(counts, rungs, products);
    for (unsigned i = 1; i < products; i++) {
        if (counts[i] > counts[most]) most = i;
    }
    size_t used = (size_t)snprintf(text, room, "%s", rungs[most]->name);
    for (unsigned i = 0; i < products; i++) {
        if (i == most || counts[i] == 0 || used >= room) continue;
        used += (size_t)snprintf(text + used, room - used, ", %u of %u products %s", counts[i], products, rungs[i]->name);
    }
}

void sq_precision_plan_write(char text[SQ_PRECISION_PLAN_BYTES], const struct sq_precision_plan *plan, const struct sq_kernels *kernels, unsigned layers)
{
    for (unsigned layer = 0; layer < layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++) {
            unsigned place = 0;
            while (kernels->ladder[place] != plan->rungs[layer][product]) place++;
            *text++ = (char)('0' + place);
        }
        *text++ = layer + 1 < layers ? '-' : '\0';
    }
}

bool sq_precision_plan_read(struct sq_precision_plan *plan, const char *text, const struct sq_kernels *kernels, unsigned layers)
{
    unsigned rungs_count = 0;
    while (kernels->ladder[rungs_count]) rungs_count++;
    for (unsigned layer = 0; layer < layers; layer++) {
        for (unsigned product = 0; product < SQ_PRODUCTS; product++, text++) {
            if (*text < '0' || (unsigned)(*text - '0') >= rungs_count) return false;
            plan->rungs[layer][product] = kernels->ladder[*text - '0'];
        }
        if (*text++ != (layer + 1 < layers ? '-' : '\0')) return false;
    }
    return true;
}
