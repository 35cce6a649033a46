/* SPDX-License-Identifier: Apache-2.0 */
/* What became of something that changes the state of partitions: whether the state with it was committed, or the partition went away before.
 *
 * A receipt waits at each partition that took the change; when that partition's state goes into a batch, it waits with the batch instead, and
 * an attempt that is aborted and tried again is the same batch. So it is settled just when the record that holds the change is in the log.
 * Thread: the loop's. */
#ifndef SQ_PIPELINE_RECEIPT_H
#define SQ_PIPELINE_RECEIPT_H

#include <stdbool.h>

/* The caller's, all zero but for `settled`; stays in place until that was called, or until waiting is 0 when the change returns. */
struct sq_receipt {
    unsigned waiting;     /* partitions whose commit is still to come */
    unsigned saved, lost; /* the others. lost: it may be in the log all the same, who says it again loses nothing */
    void (*settled)(struct sq_receipt *receipt); /* waiting came to 0; once */
};

/* Those that wait in one place; NULL: none. */
struct sq_receipts;

/* Without memory it counts as lost. */
void sq_receipts_add(struct sq_receipts **receipts, struct sq_receipt *receipt);

/* Settles all, and leaves none. */
void sq_receipts_settle(struct sq_receipts **receipts, bool are_saved);

#endif
