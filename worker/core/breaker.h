/* SPDX-License-Identifier: Apache-2.0 */
/* Ends a crash loop: finds the record that kills its worker, whatever the way it does it.
 *
 * The committed offset of a partition carries a number: how many workers began there and were not heard of again. Before a worker lets the
 * first record behind the offset come near a decoder it adds itself to the number, and waits until that is committed. The first commit
 * further on makes the number 0, and whoever gives the partition up in order takes itself off again. So the number tells how many workers
 * died in a row without getting any further.
 *
 * From SQ_BREAKER_BEGUN_MAX on the next one is careful: for so many records as may have been in flight when the others died, one is taken at a
 * time, and each is added to the number before and taken off after. Then a number above SQ_BREAKER_BEGUN_MAX means that the record at the
 * offset was alone when its worker died: it is condemned, and the rest goes on.
 *
 * Pure; one thread at a time. */
#ifndef SQ_CORE_BREAKER_H
#define SQ_CORE_BREAKER_H

#include <stdbool.h>

enum { SQ_BREAKER_BEGUN_MAX = 3 };

enum sq_breaker_wish { SQ_BREAKER_CONTENT, SQ_BREAKER_ADD, SQ_BREAKER_TAKE_OFF };

/* Of one partition while it is owned. All zero: nothing is counted. */
struct sq_breaker {
    unsigned begun;            /* the committed number */
    unsigned careful_left;     /* records to be taken alone */
    bool is_armed;             /* we are in the number, or have got further already */
    bool has_got_on;           /* a commit of ours went further: nothing is ours to take off */
    enum sq_breaker_wish wish; /* what the next commit is to do to the number */
    bool is_sent;              /* that commit is under way */
};

/* begun: what stands with the committed offset. careful_records: how many records may be in flight at once. */
void sq_breaker_init(struct sq_breaker *breaker, unsigned begun, unsigned careful_records);

static inline bool sq_breaker_is_careful(const struct sq_breaker *breaker) { return breaker->careful_left > 0; }
static inline bool sq_breaker_is_armed(const struct sq_breaker *breaker) { return breaker->is_armed; }
static inline bool sq_breaker_wishes(const struct sq_breaker *breaker) { return breaker->wish != SQ_BREAKER_CONTENT; }

/* Asked of the next record before anything looks at it. True, once: it is the one that kills. */
bool sq_breaker_condemns(struct sq_breaker *breaker);

/* The next record waits until a commit has armed us. */
void sq_breaker_arm(struct sq_breaker *breaker);
/* The partition is being given up, and nothing is under way any more that could still get it further. */
void sq_breaker_disarm(struct sq_breaker *breaker);

/* The number for a commit that is about to begin; has_moved: its offset is beyond the committed one. */
unsigned sq_breaker_send(struct sq_breaker *breaker, bool has_moved);
/* The commit with that number went well. */
void sq_breaker_committed(struct sq_breaker *breaker, unsigned number, bool has_moved);

#endif
