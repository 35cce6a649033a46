/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/owned.h"

#include <assert.h>
#include <stdlib.h>

int sq_owned_init(struct sq_owned *owned, struct sq_owned_list *list, struct sq_source_partition *partition, uint64_t records_max,
                  uint64_t bytes_max, struct sq_err *err)
{
    int status = sq_ledger_init(&owned->ledger, records_max, bytes_max, err);
    owned->topic = strdup(partition->topic);
    if (status == 0 && !owned->topic) status = sq_err_set(err, SQ_E_NOMEM, "no memory for a partition");
    if (status) {
        sq_ledger_deinit(&owned->ledger);
        free(owned->topic);
        free(owned);
        return status;
    }
    owned->partition = partition->partition;
    owned->epoch = partition->epoch;
    owned->committed_offset = partition->committed_offset;
    owned->ledger.next_offset = partition->committed_offset;
    owned->end_offset = -1;
    owned->source_partition = partition;
    owned->references = 1;
    owned->next = list->head;
    list->head = owned;
    list->count++;
    return 0;
}

void sq_owned_unref(struct sq_owned *owned)
{
    assert(owned->references > 0);
    if (--owned->references) return;
    if (owned->deinit) owned->deinit(owned);
    sq_ledger_deinit(&owned->ledger);
    free(owned->topic);
    free(owned);
}

void sq_owned_gone(struct sq_owned *owned, struct sq_owned_list *list)
{
    struct sq_owned **link = &list->head;
    while (*link && *link != owned) link = &(*link)->next;
    assert(*link == owned);
    *link = owned->next;
    list->count--;
    owned->is_gone = true;
    owned->source_partition = NULL;
    sq_owned_unref(owned);
}

bool sq_owned_note_end(struct sq_owned *owned, int64_t offset)
{
    owned->end_offset = offset;
    if (sq_ledger_span(&owned->ledger) || owned->ledger.next_offset >= offset) return false;
    owned->ledger.next_offset = offset;
    return true;
}

bool sq_owned_collect(const struct sq_owned_list *list, struct sq_batch *batch)
{
    for (struct sq_owned *owned = list->head; owned; owned = owned->next) {
        bool has_output = owned->has_output;
        owned->has_output = false;
        if (!sq_owned_has_progress(owned) && !has_output) continue;
        const struct sq_next_offset offset = {
            .topic = owned->topic, .partition = owned->partition, .next_offset = sq_ledger_next_offset(&owned->ledger), .epoch = owned->epoch,
            .begun = sq_breaker_send(&owned->breaker, sq_owned_has_moved(owned)), .cookie = owned,
        };
        if (!sq_batch_add_offset(batch, &offset)) return false;
        sq_owned_ref(owned);
    }
    return true;
}

void sq_owned_committed(struct sq_batch *batch)
{
    for (size_t i = 0; i < batch->offsets_count; i++) {
        struct sq_owned *owned = batch->offsets[i].cookie;
        bool is_revoking = owned->source_partition && owned->source_partition->is_revoking;
        if (batch->offsets_are_committed) {
            sq_breaker_committed(&owned->breaker, batch->offsets[i].begun, batch->offsets[i].next_offset != owned->committed_offset);
            owned->committed_offset = batch->offsets[i].next_offset;
        } else if (is_revoking) {
            owned->is_refused = true;
        }
        sq_owned_unref(owned);
    }
    batch->offsets_count = 0;
}

void sq_owned_drop_gone(struct sq_batch *batch)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->offsets_count; i++) {
        struct sq_owned *owned = batch->offsets[i].cookie;
        if (owned->is_gone) sq_owned_unref(owned);
        else batch->offsets[kept++] = batch->offsets[i];
    }
    batch->offsets_count = kept;
}
