/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/arrivals.h"

#include <math.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

struct arrival arrivals_make(struct test_random *random, unsigned entity, int64_t ts_ms, unsigned label)
{
    return (struct arrival){ts_ms, entity, label, test_random_bits(random) | 1, test_random_bits(random) | 1};
}

void arrivals_add(struct arrivals *arrivals, struct arrival arrival)
{
    if (arrivals->count == arrivals->capacity) {
        arrivals->capacity = arrivals->capacity ? 2 * arrivals->capacity : CAPACITY_MIN;
        arrivals->items = realloc(arrivals->items, arrivals->capacity * sizeof arrival);
        if (!arrivals->items) abort();
    }
    arrivals->items[arrivals->count++] = arrival;
}

void arrivals_take_due(struct arrivals *later, int64_t to_ms, struct arrivals *now)
{
    size_t kept = 0;
    for (size_t i = 0; i < later->count; i++) {
        if (later->items[i].ts_ms < to_ms) arrivals_add(now, later->items[i]);
        else later->items[kept++] = later->items[i];
    }
    later->count = kept;
}

static int by_time(const void *left, const void *right)
{
    const struct arrival *a = left, *b = right;
    if (a->ts_ms != b->ts_ms) return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->text_hash != b->text_hash) return a->text_hash < b->text_hash ? -1 : 1;
    return (a->author_hash > b->author_hash) - (a->author_hash < b->author_hash);
}

void arrivals_sort(struct arrivals *arrivals)
{
    if (arrivals->count) qsort(arrivals->items, arrivals->count, sizeof *arrivals->items, by_time);
}

double arrivals_wave(int64_t ts_ms)
{
    return 1 + 0.6 * sin(6.283185307179586 * (double)(ts_ms % ARRIVALS_DAY_MS) / ARRIVALS_DAY_MS);
}
