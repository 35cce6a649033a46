/* SPDX-License-Identifier: Apache-2.0 */
/* What was taken from one partition, and how far all of it is finished.
 *
 * Records come back from the engine in any order, but only an offset with nothing unfinished before it may be committed, and what goes out
 * together with an offset must be just what that offset stands for. So finished records wait here and leave in the order in which they
 * came. Offsets have holes (compaction, transaction markers): the ledger is a ring in *delivery* order, and a record is found again by its
 * ticket. What would be committed is the "next offset": one past the last record that left.
 *
 * The span is capped in records and in bytes: what is in it would be read again after a crash. Single-threaded, no allocation after
 * init. */
#ifndef SQ_CORE_LEDGER_H
#define SQ_CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

struct sq_ledger_entry {
    int64_t offset;
    void *cookie; /* the caller's */
    uint32_t bytes;
    bool is_done;
};

struct sq_ledger {
    struct sq_ledger_entry *entries; /* ring of records_max; owned */
    uint64_t records_max, bytes_max;
    uint64_t first_ticket;           /* of the oldest record that has not left */
    uint64_t next_ticket;            /* of the next record to come */
    uint64_t bytes;                  /* of all entries in the ring */
    int64_t next_offset;             /* -1: nothing finished yet */
};

/* records_max is rounded up to a power of two. */
int sq_ledger_init(struct sq_ledger *ledger, uint64_t records_max, uint64_t bytes_max, struct sq_err *err);
void sq_ledger_deinit(struct sq_ledger *ledger);

/* False: take nothing more from this partition until something has left. */
bool sq_ledger_has_room(const struct sq_ledger *ledger);

/* Notes a record as taken and gives its ticket. There must be room. cookie isn't NULL. Offsets must rise; false: this one doesn't (it was
 * delivered before, as after a rewind), and nothing was noted. */
bool sq_ledger_take(struct sq_ledger *ledger, int64_t offset, uint32_t bytes, void *cookie, uint64_t *ticket);

/* The record is finished, for better or worse. Each ticket once, and only while it is held. */
void sq_ledger_done(struct sq_ledger *ledger, uint64_t ticket);

/* The oldest record's cookie if it is finished, and it has left: the next offset is now one past it. Else NULL. */
void *sq_ledger_pop(struct sq_ledger *ledger);

/* Whether the ticket's record has neither left nor been cut off. */
bool sq_ledger_holds(const struct sq_ledger *ledger, uint64_t ticket);

/* Forgets the record of `ticket` and all behind it: they will not be finished here. `drop` gets the cookies of those that were finished
 * already; whoever works on the others finds with sq_ledger_holds that nobody waits for them. Nothing may be taken afterwards. */
void sq_ledger_cut(struct sq_ledger *ledger, uint64_t ticket, void (*drop)(void *cookie, void *ctx), void *ctx);

/* One past the last record that left, or -1 while there is none. */
static inline int64_t sq_ledger_next_offset(const struct sq_ledger *ledger) { return ledger->next_offset; }

/* Taken and not yet left. */
static inline uint64_t sq_ledger_span(const struct sq_ledger *ledger) { return ledger->next_ticket - ledger->first_ticket; }

#endif
