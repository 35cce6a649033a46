/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/verdict.h"

#include <stdlib.h>

#include "tests/lib/arrivals.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, MEET_AFTER_MS = 15 * MINUTE_MS, EARLY_MINUTES = 20 };

const char *const verdict_strengths[VERDICT_STRENGTHS] = {"0.5-0.8", "0.8-1.25", "1.25-2", "2-3"};

void firings_note(struct firings *firings, unsigned entity, int64_t at_ms, bool reopened)
{
    if ((firings->count & (firings->count - 1)) == 0) {
        firings->items = realloc(firings->items, (firings->count ? 2 * firings->count : 1) * sizeof *firings->items);
        if (!firings->items) abort();
    }
    firings->items[firings->count++] = (struct firing){entity, at_ms, reopened};
}

static unsigned strength_class(double strength)
{
    return strength < 0.8 ? 0 : strength < 1.25 ? 1 : strength < 2 ? 2 : 3;
}

/* The first alert that meets it, or NULL. */
static const struct firing *find(const struct planted *planted, const struct firings *firings)
{
    for (unsigned i = 0; i < firings->count; i++) {
        const struct firing *firing = &firings->items[i];
        if (firing->entity == planted->entity && firing->at_ms >= planted->start_ms && firing->at_ms < planted->end_ms + MEET_AFTER_MS)
            return firing;
    }
    return NULL;
}

static void count_part(struct verdict_part *part, bool met, bool early)
{
    part->planted++;
    part->met += met;
    part->early += early;
}

static int by_size(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void meet(const struct planted *list, unsigned count, const struct firings *firings, struct verdict *v)
{
    double *delays = calloc(count + 1, sizeof *delays);
    if (!delays) abort();
    for (unsigned i = 0; i < count; i++) {
        const struct planted *planted = &list[i];
        const struct firing *firing = find(planted, firings);
        unsigned *met = &v->met[planted->kind];
        v->planted[planted->kind]++;
        if (planted->kind == PLANTED_EVENT) {
            if (firing) delays[*met] = (double)(firing->at_ms - planted->start_ms) / MINUTE_MS;
            bool early = firing && delays[*met] <= EARLY_MINUTES;
            v->early += early;
            count_part(&v->by_strength[strength_class(planted->strength)], firing, early);
            count_part(&v->by_volume[planted->entity % VERDICT_VOLUMES], firing, early);
        }
        *met += firing != NULL;
    }
    qsort(delays, v->met[PLANTED_EVENT], sizeof *delays, by_size);
    v->delay_minutes = v->met[PLANTED_EVENT] ? delays[v->met[PLANTED_EVENT] / 2] : 0;
    free(delays);
}

static bool is_near_an_event(const struct planted *list, unsigned count, const struct firing *firing)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i].kind == PLANTED_EVENT && list[i].entity == firing->entity && firing->at_ms >= list[i].start_ms &&
            firing->at_ms < list[i].end_ms + HOUR_MS)
            return true;
    return false;
}

struct verdict verdict_of(const struct planted *list, unsigned count, const struct firings *firings)
{
    struct verdict v = {0};
    meet(list, count, firings, &v);
    for (unsigned i = 0; i < firings->count; i++) {
        const struct firing *firing = &firings->items[i];
        if (firing->at_ms < ARRIVALS_START_MS + VERDICT_WARMUP_DAYS * (int64_t)ARRIVALS_DAY_MS) continue;
        v.reopenings += firing->reopened;
        if (firing->reopened) continue;
        v.alerts++;
        if (is_near_an_event(list, count, firing)) continue;
        v.false_alerts++;
        v.false_by_volume[firing->entity % VERDICT_VOLUMES]++;
    }
    return v;
}

static void add_part(struct verdict_part *sum, const struct verdict_part *part)
{
    sum->planted += part->planted;
    sum->met += part->met;
    sum->early += part->early;
}

void verdict_add(struct verdict *sum, const struct verdict *v)
{
    for (unsigned i = 0; i < PLANTED_KINDS; i++) sum->planted[i] += v->planted[i], sum->met[i] += v->met[i];
    for (unsigned i = 0; i < VERDICT_VOLUMES; i++) sum->false_by_volume[i] += v->false_by_volume[i];
    for (unsigned i = 0; i < VERDICT_VOLUMES; i++) add_part(&sum->by_volume[i], &v->by_volume[i]);
    for (unsigned i = 0; i < VERDICT_STRENGTHS; i++) add_part(&sum->by_strength[i], &v->by_strength[i]);
    sum->early += v->early;
    sum->alerts += v->alerts;
    sum->false_alerts += v->false_alerts;
    sum->reopenings += v->reopenings;
}

double verdict_ratio(unsigned part, unsigned whole) { return whole ? (double)part / whole : 0; }
double verdict_recall(const struct verdict *v) { return verdict_ratio(v->met[PLANTED_EVENT], v->planted[PLANTED_EVENT]); }
double verdict_early(const struct verdict *v) { return verdict_ratio(v->early, v->planted[PLANTED_EVENT]); }
