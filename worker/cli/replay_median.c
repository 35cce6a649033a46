/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_median.h"

#include <stdlib.h>

static int by_size(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

double sq_median(double *numbers, unsigned count)
{
    qsort(numbers, count, sizeof *numbers, by_size);
    return count ? numbers[count / 2] : 0;
}
