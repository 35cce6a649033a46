/* SPDX-License-Identifier: Apache-2.0 */
/* write_model NAME DIR: fills the folder DIR with one of the random-weight models of models.h, the same bytes everywhere, for ops/parity to
 * ask transformers about. */
#include <stdio.h>
#include <string.h>

#include "tests/golden/models.h"

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < GOLDEN_MODELS_COUNT; i++) {
        if (strcmp(golden_models[i].name, argv[1]) != 0) continue;
        test_model_write(argv[2], &golden_models[i].model);
        return 0;
    }
    fprintf(stderr, "usage: write_model NAME DIR; names:");
    for (size_t i = 0; i < GOLDEN_MODELS_COUNT; i++) fprintf(stderr, " %s", golden_models[i].name);
    fprintf(stderr, "\n");
    return 2;
}
