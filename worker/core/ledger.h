/* SPDX-License-Identifier: Apache-2.0 */
/* What was taken from one partition, and how far all of it is finished.
 *
 * Records come back from the engine in any order, but only an offset with nothing unfinished before it may be committed. Offsets have
 * holes (compaction, transaction markers), so the ledger is a ring of entries in *delivery* order, found again by a ticket and not by
 * offset. What would be committed is the "next offset": one past the last record of the finished prefix.
 *
 * One slow record holds back all that came after it, so the span is capped in records and in bytes: what is above the prefix would be
 * read again after a crash. Single-threaded, no allocation after init. */
#ifndef SQ_CORE_LEDGER_H
#define SQ_CORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

struct sq_ledger_entry {
    int64_t offset;
    uint32_t bytes;
    bool is_done;
};

struct sq_ledger {
    struct sq_ledger_entry *entries; /* ring of records_max; owned */
    uint64_t records_max, bytes_max;
    uint64_t first_ticket;           /* of the oldest entry that is not passed */
    uint64_t next_ticket;            /* of the next record to come */
    uint64_t bytes;                  /* of all entries in the ring */
    int64_t next_offset;             /* -1: nothing finished yet */
};

/* records_max is rounded up to a power of two. */
int sq_ledger_init(struct sq_ledger *ledger, uint64_t records_max, uint64_t bytes_max, struct sq_err *err);
void sq_ledger_deinit(struct sq_ledger *ledger);

/* False: take nothing more from this partition until sq_ledger_done has moved the prefix. */
bool sq_ledger_has_room(const struct sq_ledger *ledger);

/* Notes a record as taken and gives its ticket. There must be room. Offsets must rise; false: this one doesn't (it was delivered before,
 * as after a rewind), and nothing was noted. */
bool sq_ledger_take(struct sq_ledger *ledger, int64_t offset, uint32_t bytes, uint64_t *ticket);

/* The record is finished: its score or dead letter is in a batch. Each ticket once. */
void sq_ledger_done(struct sq_ledger *ledger, uint64_t ticket);

/* One past the finished prefix, or -1 while nothing is finished. */
static inline int64_t sq_ledger_next_offset(const struct sq_ledger *ledger) { return ledger->next_offset; }

/* Taken and not yet passed by the prefix. */
static inline uint64_t sq_ledger_span(const struct sq_ledger *ledger) { return ledger->next_ticket - ledger->first_ticket; }

#endif
