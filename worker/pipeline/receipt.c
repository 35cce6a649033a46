/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/receipt.h"

#include <stdlib.h>

struct sq_receipts {
    struct sq_receipts *next;
    struct sq_receipt *receipt;
};

void sq_receipts_add(struct sq_receipts **receipts, struct sq_receipt *receipt)
{
    struct sq_receipts *entry = malloc(sizeof *entry);
    if (!entry) {
        receipt->lost++;
        return;
    }
    *entry = (struct sq_receipts){*receipts, receipt};
    *receipts = entry;
    receipt->waiting++;
}

void sq_receipts_settle(struct sq_receipts **receipts, bool are_saved)
{
    struct sq_receipts *entry = *receipts;
    *receipts = NULL;
    while (entry) {
        struct sq_receipts *next = entry->next;
        struct sq_receipt *receipt = entry->receipt;
        free(entry);
        if (are_saved) receipt->saved++;
        else receipt->lost++;
        if (--receipt->waiting == 0) receipt->settled(receipt);
        entry = next;
    }
}
