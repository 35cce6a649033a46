/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted tables of code points, as the generated *_table.h have them; for the files that include one. */
#ifndef SQ_ENGINE_TOKENIZER_RANGES_H
#define SQ_ENGINE_TOKENIZER_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint32_t first, last; /* both included */
};

#define IN(table, code_point) in_ranges(table, sizeof table / sizeof *table, code_point)

static inline bool in_ranges(const struct range *ranges, size_t count, uint32_t code_point)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].last < code_point) low = middle + 1;
        else high = middle;
    }
    return low < count && ranges[low].first <= code_point;
}

#endif
