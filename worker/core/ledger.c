/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/ledger.h"

#include <assert.h>
#include <stdlib.h>

int sq_ledger_init(struct sq_ledger *ledger, uint64_t records_max, uint64_t bytes_max, struct sq_err *err)
{
    uint64_t capacity = 1;
    while (capacity < records_max) capacity *= 2;
    *ledger = (struct sq_ledger){.records_max = capacity, .bytes_max = bytes_max, .next_offset = -1};
    ledger->entries = calloc(capacity, sizeof *ledger->entries);
    if (!ledger->entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for a ledger of %llu records", (unsigned long long)capacity);
    return 0;
}

void sq_ledger_deinit(struct sq_ledger *ledger)
{
    free(ledger->entries);
    *ledger = (struct sq_ledger){.next_offset = -1};
}

static struct sq_ledger_entry *entry_of(const struct sq_ledger *ledger, uint64_t ticket)
{
    return &ledger->entries[ticket & (ledger->records_max - 1)];
}

bool sq_ledger_has_room(const struct sq_ledger *ledger)
{
    return sq_ledger_span(ledger) < ledger->records_max && ledger->bytes < ledger->bytes_max;
}

bool sq_ledger_take(struct sq_ledger *ledger, int64_t offset, uint32_t bytes, void *cookie, uint64_t *ticket)
{
    assert(cookie && sq_ledger_span(ledger) < ledger->records_max);
    int64_t lowest = sq_ledger_span(ledger) ? entry_of(ledger, ledger->next_ticket - 1)->offset + 1 : ledger->next_offset;
    if (offset < lowest) return false;
    *ticket = ledger->next_ticket++;
    *entry_of(ledger, *ticket) = (struct sq_ledger_entry){.offset = offset, .cookie = cookie, .bytes = bytes};
    ledger->bytes += bytes;
    return true;
}

bool sq_ledger_holds(const struct sq_ledger *ledger, uint64_t ticket)
{
    return ticket >= ledger->first_ticket && ticket < ledger->next_ticket;
}

void sq_ledger_done(struct sq_ledger *ledger, uint64_t ticket)
{
    struct sq_ledger_entry *entry = entry_of(ledger, ticket);
    assert(sq_ledger_holds(ledger, ticket) && !entry->is_done);
    entry->is_done = true;
}

void *sq_ledger_pop(struct sq_ledger *ledger)
{
    const struct sq_ledger_entry *entry = entry_of(ledger, ledger->first_ticket);
    if (!sq_ledger_span(ledger) || !entry->is_done) return NULL;
    ledger->first_ticket++;
    ledger->next_offset = entry->offset + 1;
    ledger->bytes -= entry->bytes;
    return entry->cookie;
}

void sq_ledger_cut(struct sq_ledger *ledger, uint64_t ticket, void (*drop)(void *cookie, void *ctx), void *ctx)
{
    if (ticket < ledger->first_ticket) ticket = ledger->first_ticket;
    while (ledger->next_ticket > ticket) {
        const struct sq_ledger_entry *entry = entry_of(ledger, --ledger->next_ticket);
        ledger->bytes -= entry->bytes;
        if (entry->is_done) drop(entry->cookie, ctx);
    }
}
