/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/letter_gate.h"

#include <stdlib.h>

int sq_letter_gate_init(struct sq_letter_gate *gate, double ratio_max, unsigned over, struct sq_err *err)
{
    *gate = (struct sq_letter_gate){.ratio_max = ratio_max, .over = over, .bits = calloc(over / 64 + 1, sizeof(uint64_t))};
    return gate->bits ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory to count dead letters over %u records", over);
}

void sq_letter_gate_deinit(struct sq_letter_gate *gate) { free(gate->bits); }

bool sq_letter_gate_pass(struct sq_letter_gate *gate, bool is_letter)
{
    uint64_t *word = &gate->bits[gate->at / 64], bit = UINT64_C(1) << gate->at % 64;
    gate->letters += is_letter;
    gate->letters -= (*word & bit) != 0;
    *word = is_letter ? *word | bit : *word & ~bit;
    gate->at = gate->at + 1 < gate->over ? gate->at + 1 : 0;
    gate->seen += gate->seen < gate->over;
    return gate->seen < gate->over || gate->letters <= gate->ratio_max * gate->over;
}
