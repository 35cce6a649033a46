/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/breaker.h"

void sq_breaker_init(struct sq_breaker *breaker, unsigned begun, unsigned careful_records)
{
    *breaker = (struct sq_breaker){.begun = begun, .careful_left = begun >= SQ_BREAKER_BEGUN_MAX ? careful_records : 0};
}

bool sq_breaker_condemns(struct sq_breaker *breaker)
{
    if (breaker->is_armed || breaker->begun <= SQ_BREAKER_BEGUN_MAX) return false;
    breaker->begun = SQ_BREAKER_BEGUN_MAX;
    return true;
}

void sq_breaker_arm(struct sq_breaker *breaker)
{
    if (!breaker->is_armed) breaker->wish = SQ_BREAKER_ADD;
}

void sq_breaker_disarm(struct sq_breaker *breaker)
{
    if (breaker->is_sent) return; /* what comes of it has to be known first */
    bool is_counted = breaker->is_armed && !breaker->has_got_on && breaker->begun > 0;
    breaker->wish = is_counted ? SQ_BREAKER_TAKE_OFF : SQ_BREAKER_CONTENT;
}

unsigned sq_breaker_send(struct sq_breaker *breaker, bool has_moved)
{
    breaker->is_sent = sq_breaker_wishes(breaker);
    if (has_moved) return breaker->careful_left > 1 ? SQ_BREAKER_BEGUN_MAX : 0;
    return breaker->begun + (breaker->wish == SQ_BREAKER_ADD) - (breaker->wish == SQ_BREAKER_TAKE_OFF);
}

/* Further on, a careful one begins anew with each record; the others are past what they were counted for. */
static void get_on(struct sq_breaker *breaker)
{
    breaker->careful_left -= breaker->careful_left > 0;
    breaker->is_armed = breaker->has_got_on = !sq_breaker_is_careful(breaker);
    breaker->wish = SQ_BREAKER_CONTENT;
}

void sq_breaker_committed(struct sq_breaker *breaker, unsigned number, bool has_moved)
{
    unsigned before = breaker->begun;
    breaker->is_sent = false;
    breaker->begun = number;
    if (has_moved) {
        get_on(breaker);
    } else if (number != before) {
        breaker->is_armed = number > before;
        breaker->wish = SQ_BREAKER_CONTENT;
    }
}
