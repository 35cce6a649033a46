/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/kind.h"

#include <math.h>

const struct sq_kind *sq_kind_of(enum sq_rule_type type)
{
    static const struct sq_kind *const kinds[] = {
        [SQ_RULE_RATE] = &sq_kind_rate, [SQ_RULE_VOLUME] = &sq_kind_volume, [SQ_RULE_THRESHOLD] = &sq_kind_threshold};
    return kinds[type];
}

double sq_kind_round(double strength) { return floor(strength * 1024 + 0.5) / 1024; }

void sq_kind_decide_strongest(const struct sq_plan *plan, struct sq_evaluation *evaluation)
{
    evaluation->strongest = 0;
    for (unsigned i = 1; i < plan->windows_count; i++)
        if (evaluation->windows[i].strength > evaluation->windows[evaluation->strongest].strength) evaluation->strongest = i;
    evaluation->strength = evaluation->windows[evaluation->strongest].strength;
}
